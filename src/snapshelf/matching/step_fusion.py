"""What AsymNet's tree is compared with: other ways to fuse the similarities of a clip's steps.

Cheng, Wu, Liu, Hua: Video2Shop, Section 6.4.
"""

import math
from collections.abc import Callable, Mapping

from snapshelf.features.torch_extra import torch_extra

with torch_extra():
    import torch
    from torch import Tensor
    from torch.nn.functional import logsigmoid

__all__ = ["STEP_FUSIONS", "average_odds", "drawn_odds", "largest_odds", "last_odds"]


def average_odds(odds: Tensor) -> Tensor:
    """Give the log-odds of the mean similarity (Avg).

    Args:
        odds: (..., T) float, the log-odds of the single similarities, T >= 1.

    Returns:
        (...) float.
    """
    mean: Tensor = logsigmoid(odds).logsumexp(-1) - logsigmoid(-odds).logsumexp(-1)
    return mean


def largest_odds(odds: Tensor) -> Tensor:
    """Give those of the step that is most alike (Max).

    It is what key volume mining gives once it is trained, too: the key volume decides.

    Args:
        odds: (..., T) float, T >= 1.

    Returns:
        (...) float.
    """
    return odds.amax(-1)


def last_odds(odds: Tensor) -> Tensor:
    """Give those of the last step, whose hidden state has seen all of the clip (Last).

    Args:
        odds: (..., T) float, T >= 1.

    Returns:
        (...) float.
    """
    return odds[..., -1]


def drawn_odds(odds: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """Give those of a key step that is drawn, as training with key volume mining does (KVM).

    Zhu, Hu, Sun, Cao, Qiao: A Key Volume Mining Deep Framework for Action Recognition, CVPR 2016:
    the forward pass mines a key volume for the class, and the backward pass learns from it alone;
    by *Stochastic out* it is not always the strongest, so that more than one can become a key. Read
    here as: a volume is a step, the class is "matches", and a step is drawn with the probability
    ``exp(z) / sum exp(z)``. Its loss is then the cross-entropy of the odds that were drawn.

    Args:
        odds: (..., T) float, T >= 1.
        generator: Of the draws, on the odds' device; None for PyTorch's own.

    Returns:
        (...) float; its gradient goes back to the drawn steps alone.
    """
    likely = odds.detach().float().softmax(-1)
    flat = likely.reshape(math.prod(likely.shape[:-1]), likely.shape[-1])
    if not len(flat):
        return odds.amax(-1)
    steps = torch.multinomial(flat, 1, generator=generator).reshape(*odds.shape[:-1], 1)
    return odds.gather(-1, steps).squeeze(-1)


STEP_FUSIONS: Mapping[str, Callable[[Tensor], Tensor]] = {
    "average": average_odds,
    "maximum": largest_odds,
    "last": last_odds,
}
"""The fusions that nothing has to be learned for."""
