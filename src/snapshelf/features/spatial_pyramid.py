"""Spatial pyramid pooling: means or maxima of a feature map over ever finer grids."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["pyramid_maxima", "pyramid_means"]


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
    from torch.nn.functional import adaptive_avg_pool2d

    return _pyramid(features, grids, adaptive_avg_pool2d)


def pyramid_maxima(features: "Tensor", grids: Sequence[int] = (6, 3, 2, 1)) -> "Tensor":
    """Take the largest activations of a map in the cells of several grids, one behind the other.

    He, Zhang, Ren, Sun: Spatial Pyramid Pooling in Deep Convolutional Networks, Section 2.2, with
    the 50 cells of its Section 3.1. The cells are those of `pyramid_means`.

    Args:
        features: (B, C, H, W) float, H and W at least 1.
        grids: Cells on a side of each grid, each at least 1.

    Returns:
        (B, C * sum(n * n)) float: of each grid the cells of a channel, row by row, are together.

    Raises:
        ValueError: If there is no grid, or one is below 1.
    """
    from torch.nn.functional import adaptive_max_pool2d

    return _pyramid(features, grids, adaptive_max_pool2d)


def _pyramid(
    features: "Tensor", grids: Sequence[int], pool: "Callable[[Tensor, int], Tensor]"
) -> "Tensor":
    from torch import cat

    if not grids or min(grids) < 1:
        raise ValueError(f"grids must be at least one number from 1, got {list(grids)}")
    return cat([pool(features, grid).flatten(1) for grid in grids], dim=1)
