"""The best way to pair rows with columns."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["best_pairs"]


def best_pairs(gain: NDArray[np.floating]) -> tuple[tuple[int, int], ...]:
    """Pair rows with columns so that the pairs' gains add up to the most.

    The Hungarian method by shortest augmenting paths (Jonker, Volgenant 1987), O(N M min(N, M)).

    Args:
        gain: (N, M) float, N and M >= 0. A pair whose gain is not above 0 is never made.

    Returns:
        Pairs of a row and a column, by row; each row and each column at most once.

    Raises:
        ValueError: If `gain` is not a matrix of finite numbers.

    Example:
        >>> best_pairs(np.array([[0.9, 0.8], [0.8, 0.1]]))
        ((0, 1), (1, 0))
    """
    if gain.ndim != 2 or not np.isfinite(gain).all():
        raise ValueError(f"gain must be a matrix of finite numbers, got shape {gain.shape}")
    useful = np.maximum(gain.astype(np.float64), 0)
    turned = useful.shape[0] > useful.shape[1]
    if turned:
        useful = useful.T
    rows = _row_of_column(-useful)
    pairs = [(int(row), column) for column, row in enumerate(rows) if row >= 0]
    made = [(row, column) for row, column in pairs if useful[row, column] > 0]
    return tuple(sorted((column, row) if turned else (row, column) for row, column in made))


def _row_of_column(cost: NDArray[np.float64]) -> NDArray[np.intp]:
    """Give each column's row, -1 for none, so that every row has one at the least total cost.

    Args:
        cost: (N, M), N <= M.
    """
    count, columns = cost.shape
    row_price, column_price = np.zeros(count), np.zeros(columns)
    owner = np.full(columns, -1, np.intp)
    for start in range(count):
        shortest = np.full(columns, np.inf)
        before = np.full(columns, -1, np.intp)
        done = np.zeros(columns, np.bool_)
        row, column, length = start, -1, 0.0
        while True:
            reduced = length + cost[row] - row_price[row] - column_price
            nearer = ~done & (reduced < shortest)
            shortest[nearer], before[nearer] = reduced[nearer], column
            column = int(np.where(done, np.inf, shortest).argmin())
            length = float(shortest[column])
            done[column] = True
            if owner[column] < 0:
                break
            row = int(owner[column])
        row_price[start] += length
        passed = done & (owner >= 0)
        row_price[owner[passed]] += length - shortest[passed]
        column_price[done] -= length - shortest[done]
        while column >= 0:
            previous = int(before[column])
            owner[column] = start if previous < 0 else owner[previous]
            column = previous
    return owner
