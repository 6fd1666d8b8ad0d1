"""Figures of merit, as pure functions of the ranks of the right products.

How ties count is decided where the ranks are made (`snapshelf.evaluation.ranking`): against the
system. A query without a relevant product has no ranks and is refused there, so every mean
below is over all queries. A relevant product without a gallery image has an infinite rank: it
is never found, and counts as such.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from snapshelf.evaluation.query_ranks import QueryRanks

__all__ = [
    "average_precision_at",
    "average_precisions",
    "mean_rank",
    "median_rank",
    "top_k",
    "top_percent",
]


def top_k(ranks: QueryRanks, k: int) -> float:
    """Share of the queries with a right product among the first k.

    ``top_k = 1/Q * sum_q [best rank of q <= k]``. Ties count against the system.

    Args:
        ranks: The ranks of Q >= 1 queries.
        k: At least 1; may exceed the number of products.

    Returns:
        Accuracy in [0, 1].

    Raises:
        ValueError: If there is no query or `k` is below 1.
    """
    _check(ranks, k)
    return float(np.mean(ranks.best <= k))


def top_percent(ranks: QueryRanks, percent: int = 1) -> float:
    """Share of the queries with a right product in the first percent of all products.

    ``top_percent = top_k`` with ``k = ceil(percent * products / 100)``, so at least the first
    place counts. Ties count against the system.

    Args:
        ranks: The ranks of Q >= 1 queries.
        percent: From 1 to 100.

    Returns:
        Accuracy in [0, 1].

    Raises:
        ValueError: If there is no query or `percent` is out of range.
    """
    if not 1 <= percent <= 100:
        raise ValueError(f"percent must be from 1 to 100, got {percent}")
    return top_k(ranks, -(-percent * ranks.products // 100))


def average_precision_at(ranks: QueryRanks, k: int) -> float:
    """Mean average precision of the first k places, mAP@k.

    The mean over all queries of `average_precisions`. Ties count against the system.

    Args:
        ranks: The ranks of Q >= 1 queries.
        k: At least 1; may exceed the number of products.

    Returns:
        mAP@k in [0, 1].

    Raises:
        ValueError: If there is no query or `k` is below 1.
    """
    _check(ranks, k)
    return float(np.mean(average_precisions(ranks.ranks, ranks.starts, k)))


def average_precisions(
    ranks: NDArray[np.integer[Any] | np.floating[Any]], starts: NDArray[np.int64], k: int
) -> NDArray[np.float64]:
    """Give each query's average precision of the first k places, AP@k.

    Tang, Huang, Fuh: Cross-Domain Beauty and Personal Care Product Retrieval, Eq. 9 and 10,
    with k = 7. What is printed cannot be meant as it stands: Eq. 9 uses one letter for the number
    of results and of queries, and Eq. 10, ``AP(q) = 1/GTP * sum_(i=1..q) TPseen / i``, adds a term
    at every place, so that a single right product in the first one would give 1 + 1/2 + ... + 1/7.
    Read as the average precision that the text names: the sum is over the places i <= k that hold
    a right product, TPseen is the number of right products up to and with place i, and GTP the
    number of right products of the query. The mean over the queries is mAP@k.

    GTP counts the right products beyond place k too, so a query with more than k of them
    cannot reach 1.

    Args:
        ranks: (N,) ranks from 1 of every query's right products, one query after another,
            ascending within a query.
        starts: (Q + 1,) query q's ranks are ``ranks[starts[q] : starts[q + 1]]``, at least one.
        k: At least 1.

    Returns:
        (Q,) float64 in [0, 1].

    Example:
        >>> average_precisions(np.array([1, 4, 3, 8, 9]), np.array([0, 2, 3, 5]), 7).tolist()
        [0.75, 0.3333333333333333, 0.0]
    """
    sizes = np.diff(starts)
    seen = np.arange(len(ranks)) - np.repeat(starts[:-1], sizes) + 1
    precisions = np.where(ranks <= k, seen / ranks, 0.0)
    average: NDArray[np.float64] = np.add.reduceat(precisions, starts[:-1]) / sizes
    return average


def mean_rank(ranks: QueryRanks) -> float:
    """Mean over the queries of the rank of the best right product.

    ``mean_rank = 1/Q * sum_q min_p rank(q, p)``. Ties count against the system.

    Args:
        ranks: The ranks of Q >= 1 queries.

    Returns:
        At least 1, smaller is better; infinite if some query has no right product in the
        gallery.

    Raises:
        ValueError: If there is no query.
    """
    _check(ranks, 1)
    return float(np.mean(ranks.best))


def median_rank(ranks: QueryRanks) -> float:
    """Median over the queries of the rank of the best right product.

    For an even number of queries, the mean of the two middle ranks. Ties count against the
    system.

    Args:
        ranks: The ranks of Q >= 1 queries.

    Returns:
        At least 1, smaller is better; infinite if half of the queries have no right product
        in the gallery.

    Raises:
        ValueError: If there is no query.
    """
    _check(ranks, 1)
    return float(np.median(ranks.best))


def _check(ranks: QueryRanks, k: int) -> None:
    if not len(ranks):
        raise ValueError("ranks must hold at least one query, got none: no mean is defined")
    if k < 1:
        raise ValueError(f"k must be at least 1, got {k}")
