"""What filters answer to cells: their cross-correlation, as a few matrix products."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["filter_responses"]


def filter_responses(
    cells: NDArray[np.float32], filters: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Give the dot product of each filter with the cells under it, wherever it fits.

    Each row of cells is laid out once with every cell's neighbours to the right behind it; for
    each of a filter's rows one matrix product then answers for all filters and places.

    Args:
        cells: (R, C, 32) float32.
        filters: (F, h, w, 32) float32.

    Returns:
        (F, R - h + 1, C - w + 1) float32; empty where the filters do not fit.

    Raises:
        ValueError: If the last axes differ.
    """
    count, height, width, length = filters.shape
    rows, columns, found = cells.shape
    if found != length:
        raise ValueError(f"filters must have {found} values to a cell, as cells do, got {length}")
    down, across = rows - height + 1, columns - width + 1
    if down < 1 or across < 1 or not count:
        return np.zeros((count, max(down, 0), max(across, 0)), np.float32)
    laid = np.empty((rows, across, width, length), np.float32)
    for place in range(width):
        laid[:, :, place] = cells[:, place : place + across]
    flat = laid.reshape(rows * across, width * length)
    responses = np.zeros((count, down * across), np.float32)
    for row in range(height):
        weights = filters[:, row].reshape(count, width * length)
        responses += weights @ flat[row * across : (row + down) * across].T
    return responses.reshape(count, down, across)
