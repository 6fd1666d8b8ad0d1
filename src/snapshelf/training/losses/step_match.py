"""The logarithmic loss of AsymNet's single similarity network: every step by itself."""

from snapshelf.features.torch_extra import torch_extra
from snapshelf.training.losses.rows import full_precision

with torch_extra():
    import torch
    from torch import Tensor
    from torch.nn.functional import binary_cross_entropy_with_logits

__all__ = ["step_match"]


def step_match(odds: Tensor, right: Tensor, weights: Tensor | None = None) -> Tensor:
    """Ask that each step alone tell whether the picture matches.

    Cheng, Wu, Liu, Hua: Video2Shop, Eq. 5 without ``lambda ||W||^2``; the minus that makes the
    printed mean a loss is added::

        L = -mean over the steps of (y log y^ + (1 - y) log(1 - y^))

    Args:
        odds: (P, T) floating, the log-odds of each pair's steps, T >= 1.
        right: (P,) bool, y.
        weights: (P, T) floating, what each step counts, no part of the paper; None for 1.

    Returns:
        (P,) float32 (float64 if the odds are), at least 0.

    Raises:
        ValueError: If the shapes or types are others.
    """
    z = full_precision("odds", odds, 2)
    if right.dtype != torch.bool or right.shape != z.shape[:1] or not z.shape[1]:
        raise ValueError(
            f"right must be (P,) bool for odds of (P, T), T >= 1, got {right.dtype} of shape "
            f"{tuple(right.shape)} for {tuple(z.shape)}"
        )
    wanted = right[:, None].expand_as(z).to(z.dtype)
    return binary_cross_entropy_with_logits(z, wanted, weights, reduction="none").mean(1)
