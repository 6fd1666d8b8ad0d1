"""The rows of the largest log-odds, with equals in their order."""

import numpy as np
from numpy.typing import NDArray

from snapshelf.matching.named_weights import FloatArray

__all__ = ["leading_rows"]


def leading_rows(odds: FloatArray, count: int) -> NDArray[np.int64]:
    """Give the rows of the largest.

    Args:
        odds: (N,) float32.
        count: How many, at least 1; all where there are fewer.

    Returns:
        (min(count, N),) int64, rising; of equals at the edge the first rows.
    """
    if count >= len(odds):
        return np.arange(len(odds))
    edge = np.partition(odds, len(odds) - count)[len(odds) - count]
    above = np.flatnonzero(odds > edge)
    equal = np.flatnonzero(odds == edge)[: count - len(above)]
    return np.sort(np.concatenate([above, equal]))
