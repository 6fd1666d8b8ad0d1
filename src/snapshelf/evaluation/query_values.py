"""What each query counts for in a metric of the tables: the metric is the mean over the queries."""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from snapshelf.evaluation.metrics import average_precisions

__all__ = ["LABELS", "query_values"]

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]

LABELS: Mapping[str, str] = {
    "top1": "Top-1",
    "top10": "Top-10",
    "top20": "Top-20",
    "map7": "mAP@7",
}
"""The metrics that a table can have, as people write them."""


def query_values(metric: str, ranks: IntArray, starts: IntArray) -> FloatArray:
    """Give what each query counts for.

    For ``topK`` that is 1 if a right product is among the first K and 0 if not, for ``map7`` its
    average precision, see `average_precisions`.

    Args:
        metric: A name of `LABELS`.
        ranks: (N,) int64, ranks from 1 of every query's right products, one query after another,
            ascending within a query.
        starts: (Q + 1,) int64; query q's ranks are ``ranks[starts[q] : starts[q + 1]]``, at least
            one.

    Returns:
        (Q,) float64 in [0, 1].

    Raises:
        ValueError: If there is no such metric.

    Example:
        >>> query_values("top1", np.array([1, 4, 3]), np.array([0, 2, 3])).tolist()
        [1.0, 0.0]
    """
    if metric not in VALUES:
        raise ValueError(f"metric must be one of {', '.join(VALUES)}, got {metric!r}")
    return VALUES[metric](ranks, starts)


def _within(k: int) -> Callable[[IntArray, IntArray], FloatArray]:
    return lambda ranks, starts: (ranks[starts[:-1]] <= k).astype(np.float64)


VALUES: Mapping[str, Callable[[IntArray, IntArray], FloatArray]] = {
    "top1": _within(1),
    "top10": _within(10),
    "top20": _within(20),
    "map7": lambda ranks, starts: average_precisions(ranks, starts, 7),
}
