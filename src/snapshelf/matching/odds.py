"""Log-odds to probabilities."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["probabilities_of"]


def probabilities_of(odds: NDArray[np.floating]) -> NDArray[np.float64]:
    """Give ``1 / (1 + exp(-x))`` without an overflow, whatever the size of x.

    Args:
        odds: (...) floating, natural log-odds.

    Returns:
        (...) float64, in [0, 1]; NaN where NaN came.
    """
    exact = odds.astype(np.float64)
    small = np.exp(-np.abs(exact))
    found: NDArray[np.float64] = np.where(exact >= 0, 1 / (1 + small), small / (1 + small))
    return found
