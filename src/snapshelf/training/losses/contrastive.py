"""The contrastive loss: the Siamese network that MTV-CNN is compared with."""

import math

from snapshelf.features.torch_extra import torch_extra
from snapshelf.training.losses.distance import euclidean

with torch_extra():
    import torch
    from torch import Tensor

__all__ = ["contrastive"]


def contrastive(a: Tensor, b: Tensor, same: Tensor, *, margin: float) -> Tensor:
    """Pull pairs of one product together, push others apart up to a margin.

    Hadsell, Chopra, LeCun: Dimensionality Reduction by Learning an Invariant Mapping, CVPR 2006,
    Eq. 4, with the Euclidean distance ``d``::

        L = 0.5 * d ** 2                      where the pair is the same product
        L = 0.5 * max(0, margin - d) ** 2     elsewhere

    A pair of different products with equal embeddings has the largest loss, but no direction to
    be pushed in: its gradient is 0.

    Args:
        a: (T, D) floating.
        b: (T, D) floating.
        same: (T,) bool, whether the two show the same product.
        margin: Above 0, the distance from which on different products are left alone.

    Returns:
        (T,) float32 (float64 if an input is), at least 0.

    Raises:
        ValueError: If `a` and `b` are not floating of one shape (T, D), `same` is not (T,) bool,
            or the margin is not a finite number above 0.
    """
    if not 0 < margin < math.inf:
        raise ValueError(f"margin must be a finite number above 0, got {margin}")
    distance = euclidean(a, b)
    if same.dtype != torch.bool or same.shape != distance.shape:
        raise ValueError(
            f"same must be bool of shape {tuple(distance.shape)}, "
            f"got {same.dtype} of shape {tuple(same.shape)}"
        )
    return 0.5 * torch.where(same, distance, (margin - distance).relu()).square()
