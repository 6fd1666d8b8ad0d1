"""Histograms with soft binning: a value between two bins counts towards both."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["soft_histogram"]


def soft_histogram(
    coordinates: Sequence[NDArray[np.float32]],
    bins: Sequence[int],
    weights: NDArray[np.float32],
    *,
    cells: NDArray[np.intp] | None = None,
    cell_count: int = 1,
    periodic: bool = False,
) -> NDArray[np.float32]:
    """Count weighted samples of each picture into a joint histogram, interpolating linearly.

    A sample is shared out among the bins whose centres surround it, so that a small change of
    the sample makes a small change of the histogram; beyond the outermost centres it counts
    fully towards the outermost bin (or, when periodic, towards the bin at the other end).

    Args:
        coordinates: One (B, P) float array for each axis, in units of bins: bin i covers
            [i, i + 1) and its centre is i + 0.5.
        bins: Number of bins of each axis, at least 1.
        weights: (B, P) float, not negative.
        cells: (B, P) int in [0, cell_count): which of several histograms a sample goes to.
        cell_count: Number of histograms for each picture.
        periodic: Whether every axis closes upon itself, as orientation does.

    Returns:
        (B, cell_count, N) float32, N the product of `bins`, the last axis varying fastest; it
        sums to the sum of the weights.
    """
    pictures = len(weights)
    length = cell_count * int(np.prod(bins))
    base = np.arange(pictures, dtype=np.intp)[:, None] * cell_count
    corners = [(base if cells is None else base + cells, weights)]
    for values, count in zip(coordinates, bins, strict=True):
        position = values - 0.5 if periodic else np.clip(values - 0.5, 0, count - 1)
        floor = np.floor(position)
        above = (position - floor).astype(np.float32)
        lower = floor.astype(np.intp)
        upper = lower + 1
        if periodic:
            lower, upper = lower % count, upper % count
        else:
            upper = np.minimum(upper, count - 1)
        corners = [
            (index * count + neighbour, weight * share)
            for index, weight in corners
            for neighbour, share in ((lower, 1 - above), (upper, above))
        ]
    total = np.zeros(pictures * length)
    for index, weight in corners:
        total += np.bincount(index.ravel(), weight.ravel(), minlength=len(total))
    return total.reshape(pictures, cell_count, -1).astype(np.float32)
