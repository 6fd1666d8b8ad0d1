"""What filters answer to cells: their cross-correlation, as a few matrix products."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["filter_responses"]

MOST_ANSWERS = 4_000_000
"""That are held at a time, so that they stay near the processor."""


def filter_responses(
    cells: NDArray[np.float32], filters: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Give the dot product of each filter with the cells under it, wherever it fits.

    Matrix products give what each of a filter's cells answers to each cell; those answers are added
    up, each moved to where the filter's first cell lies.

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
    flat = cells.reshape(rows * columns, length).T
    responses = np.empty((count, down, across), np.float32)
    together = max(1, MOST_ANSWERS // (height * width * rows * columns))
    for first in range(0, count, together):
        some = filters[first : first + together]
        answers = some.reshape(-1, length) @ flat
        planes = answers.reshape(len(some), height, width, rows, columns)
        total = responses[first : first + together]
        total[:] = planes[:, 0, 0, :down, :across]
        for row in range(height):
            for column in range(width):
                if row or column:
                    total += planes[:, row, column, row : row + down, column : column + across]
    return responses
