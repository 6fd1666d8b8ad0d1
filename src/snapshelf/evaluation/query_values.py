"""What each query counts for in a metric of the tables, and the figure that it makes of them."""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from snapshelf.evaluation.metrics import average_precisions

__all__ = ["LABELS", "RANKS", "figure_of", "query_values"]

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]

LABELS: Mapping[str, str] = {
    "top1": "Top-1",
    "top5": "Top-5",
    "top10": "Top-10",
    "top20": "Top-20",
    "top50": "Top-50",
    "top1pct": "Top-1 %",
    "map7": "mAP@7",
    "mean_rank": "Average",
    "median_rank": "Median",
}
"""The metrics that a table can have, as people write them."""

RANKS = ("mean_rank", "median_rank")
"""Those that are places from 1, the smaller the better; all others are shares in [0, 1]."""


def query_values(metric: str, ranks: IntArray, starts: IntArray, *, gallery: int) -> FloatArray:
    """Give what each query counts for.

    For ``topK`` that is 1 if a right product is among the first K and 0 if not, for ``top1pct``
    the same of the first percent of the gallery, rounded up, for ``map7`` its average precision,
    see `average_precisions`, and for a metric of `RANKS` the rank of the best right product.

    Args:
        metric: A name of `LABELS`.
        ranks: (N,) int64, ranks from 1 of every query's right products, one query after another,
            ascending within a query.
        starts: (Q + 1,) int64; query q's ranks are ``ranks[starts[q] : starts[q + 1]]``, at least
            one.
        gallery: Number of products in the gallery, at least 1.

    Returns:
        (Q,) float64 in [0, 1], or from 1 for a metric of `RANKS`.

    Raises:
        ValueError: If there is no such metric.

    Example:
        >>> query_values("top1", np.array([1, 4, 3]), np.array([0, 2, 3]), gallery=9).tolist()
        [1.0, 0.0]
    """
    if metric not in VALUES:
        raise ValueError(f"metric must be one of {', '.join(VALUES)}, got {metric!r}")
    return VALUES[metric](ranks, starts, gallery)


def figure_of(metric: str, values: FloatArray) -> float:
    """Give the figure that a table shows: the mean over the queries, or their median.

    Args:
        metric: A name of `LABELS`.
        values: (Q,) float64, as `query_values` gives them, Q >= 1.
    """
    return float(np.median(values) if metric == "median_rank" else values.mean())


Values = Callable[[IntArray, IntArray, int], FloatArray]


def _within(k: int) -> Values:
    return lambda ranks, starts, _: (ranks[starts[:-1]] <= k).astype(np.float64)


def _best(ranks: IntArray, starts: IntArray, _: int) -> FloatArray:
    return ranks[starts[:-1]].astype(np.float64)


VALUES: Mapping[str, Values] = {
    "top1": _within(1),
    "top5": _within(5),
    "top10": _within(10),
    "top20": _within(20),
    "top50": _within(50),
    "top1pct": lambda ranks, starts, gallery: _within(-(-gallery // 100))(ranks, starts, gallery),
    "map7": lambda ranks, starts, _: average_precisions(ranks, starts, 7),
    "mean_rank": _best,
    "median_rank": _best,
}
