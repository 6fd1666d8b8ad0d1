"""The ratio loss of MTV-CNN over many negatives at once."""

from snapshelf.features.torch_extra import torch_extra
from snapshelf.training.losses.distance import euclidean
from snapshelf.training.losses.rows import alike

with torch_extra():
    import torch
    from torch import Tensor

__all__ = ["ratio_tuplet"]


def ratio_tuplet(
    anchor: Tensor, positive: Tensor, negative: Tensor, same: Tensor | None = None
) -> Tensor:
    """Compare the anchor's distances to its positive and to many negatives as one softmax.

    What `ratio_triplet` is for one negative, with the batch's other positives as negatives too
    (as in Sohn: Improved Deep Metric Learning with Multi-class N-pair Loss Objective, 2016). With
    the Euclidean distances ``d+`` to the positive and ``d_n`` to each negative::

        l+ = 1 - exp(-d+) / (exp(-d+) + sum_n exp(-d_n))
        L  = l+ ** 2

    For one negative this is Eq. 1-3 of Zhan, Shi, Kot: Street-to-Shop Shoe Retrieval.

    Args:
        anchor: (T, D) floating.
        positive: (T, D) floating, pictures of the anchors' products.
        negative: (T, D) floating, a picture of another product for each anchor.
        same: (T, T) bool, true at (t, u) where anchor t and positive u show one product: not a
            negative. None if all T products differ. Its diagonal makes no difference.

    Returns:
        (T,) float32 (float64 if an input is), in [0, 1].

    Raises:
        ValueError: If the three are not floating of one shape (T, D), or `same` is no (T, T) bool.
    """
    anchor, positive, negative = alike(anchor=anchor, positive=positive, negative=negative)
    count = len(anchor)
    if same is not None and (same.shape != (count, count) or same.dtype != torch.bool):
        raise ValueError(
            f"same must be bool of shape ({count}, {count}), got {same.dtype} of shape "
            f"{tuple(same.shape)}"
        )
    own = torch.eye(count, dtype=torch.bool, device=anchor.device)
    others = torch.linalg.vector_norm(anchor[:, None] - positive[None], dim=2)
    others = others.masked_fill(own if same is None else own | same, torch.inf)
    logits = -torch.cat(
        [euclidean(anchor, positive)[:, None], euclidean(anchor, negative)[:, None], others], dim=1
    )
    return logits.softmax(dim=1)[:, 1:].sum(dim=1).square()
