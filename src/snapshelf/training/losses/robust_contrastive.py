"""The robust contrastive loss: right pairs need only come near, not become one."""

import math

from snapshelf.features.torch_extra import torch_extra
from snapshelf.training.losses.distance import euclidean

with torch_extra():
    import torch
    from torch import Tensor

__all__ = ["robust_contrastive"]


def robust_contrastive(a: Tensor, b: Tensor, same: Tensor, *, near: float, margin: float) -> Tensor:
    """Pull pairs of one product to within a distance, push others apart up to a margin.

    Wang, Sun, Zhang, Zhou, Jiang: Matching User Photos to Online Products with Robust Deep
    Features, ICMR 2016, "relax the penalty on positive pairs to alleviate over-fitting". Read as
    the contrastive loss with a margin for the right pairs too, with the Euclidean distance ``d``::

        L = 0.5 * max(0, d - near) ** 2       where the pair is the same product
        L = 0.5 * max(0, margin - d) ** 2     elsewhere

    With ``near = 0`` it is the contrastive loss.

    Args:
        a: (T, D) floating.
        b: (T, D) floating.
        same: (T,) bool, whether the two show the same product.
        near: In [0, margin), the distance up to which right pairs are left alone.
        margin: Above 0, the distance from which on different products are left alone.

    Returns:
        (T,) float32 (float64 if an input is), at least 0.

    Raises:
        ValueError: If `a` and `b` are not floating of one shape (T, D), `same` is not (T,) bool,
            or the distances are not finite with 0 <= near < margin.
    """
    if not 0 <= near < margin < math.inf:
        raise ValueError(
            f"near and margin must be finite with 0 <= near < margin, got {near} and {margin}"
        )
    distance = euclidean(a, b)
    if same.dtype != torch.bool or same.shape != distance.shape:
        raise ValueError(
            f"same must be bool of shape {tuple(distance.shape)}, "
            f"got {same.dtype} of shape {tuple(same.shape)}"
        )
    return 0.5 * torch.where(same, distance - near, margin - distance).relu().square()
