"""The triplet loss with a margin: the triplet network that MTV-CNN is compared with."""

import math

from snapshelf.features.torch_extra import torch_extra
from snapshelf.training.losses.distance import euclidean

with torch_extra():
    from torch import Tensor

__all__ = ["hinge_triplet"]


def hinge_triplet(anchor: Tensor, positive: Tensor, negative: Tensor, *, margin: float) -> Tensor:
    """Ask that the negative lie farther from the anchor than the positive, by a margin.

    ``L = max(0, margin + d(anchor, positive) - d(anchor, negative))``: the hinge loss of the
    *Triplet Embedding Network* in Table 1 of Zhan, Shi, Kot: Street-to-Shop Shoe Retrieval. The
    distances are Euclidean and not squared, unlike those of FaceNet (Schroff et al., CVPR 2015),
    so that the margin is in units of distance.

    Args:
        anchor: (T, D) floating.
        positive: (T, D) floating, pictures of the anchors' products.
        negative: (T, D) floating, pictures of other products.
        margin: Above 0, a distance.

    Returns:
        (T,) float32 (float64 if an input is), at least 0.

    Raises:
        ValueError: If the three are not floating of one shape (T, D), or the margin is not a
            finite number above 0.
    """
    if not 0 < margin < math.inf:
        raise ValueError(f"margin must be a finite number above 0, got {margin}")
    return (margin + euclidean(anchor, positive) - euclidean(anchor, negative)).relu()
