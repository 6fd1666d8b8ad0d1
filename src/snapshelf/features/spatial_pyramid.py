"""Spatial pyramid pooling: a feature map averaged over ever finer grids."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["pyramid_means"]


def pyramid_means(features: "Tensor", grids: Sequence[int] = (2, 1)) -> "Tensor":
    """Average a map over the cells of several grids, one grid behind the other.

    He, Zhang, Ren, Sun: Spatial Pyramid Pooling in Deep Convolutional Networks, with means in
    place of maxima, as in Zhan, Shi, Kot: Cross-Domain Shoe Retrieval using a Three-Level Deep
    Feature Representation, Section III-B: "two level pyramid mean-pooling (2x2, 1x1)".

    Cell i of n along a side of length H covers the rows from ``floor(i H / n)`` up to
    ``ceil((i + 1) H / n)``, so every cell holds a row, and cells share one where n does not
    divide H.

    Args:
        features: (B, C, H, W) float, H and W at least 1.
        grids: Cells on a side of each grid, each at least 1.

    Returns:
        (B, C * sum(n * n)) float: of each grid the cells of a channel, row by row, are together.

    Raises:
        ValueError: If there is no grid, or one is below 1.
    """
    from torch import cat
    from torch.nn.functional import adaptive_avg_pool2d

    if not grids or min(grids) < 1:
        raise ValueError(f"grids must be at least one number from 1, got {list(grids)}")
    return cat([adaptive_avg_pool2d(features, grid).flatten(1) for grid in grids], dim=1)
