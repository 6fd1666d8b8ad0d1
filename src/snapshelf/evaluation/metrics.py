"""Figures of merit, as pure functions of the ranks of the right products.

How ties count is decided where the ranks are made (`snapshelf.evaluation.ranking`): against the
system. A query without a relevant product has no ranks and is refused there, so every mean
below is over all queries. A relevant product without a gallery image has an infinite rank: it
is never found, and counts as such.
"""

import numpy as np

from snapshelf.evaluation.query_ranks import QueryRanks

__all__ = ["average_precision_at", "mean_rank", "median_rank", "top_k", "top_percent"]


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

    Tang, Huang, Fuh: Cross-Domain Beauty and Personal Care Product Retrieval, Eq. 9 and 10,
    with k = 7. Eq. 10 is printed as ``AP = 1/GTP * sum_i TPseen / i``; read here with the sum
    over the ranks i <= k that hold a right product, TPseen the number of right products up to
    and with rank i, and GTP the number of right products of the query. The mean over all
    queries is mAP@k.

    GTP counts the right products beyond place k too, so a query with more than k of them
    cannot reach 1. Ties count against the system.

    Args:
        ranks: The ranks of Q >= 1 queries.
        k: At least 1; may exceed the number of products.

    Returns:
        mAP@k in [0, 1].

    Raises:
        ValueError: If there is no query or `k` is below 1.
    """
    _check(ranks, k)
    sizes = np.diff(ranks.starts)
    seen = np.arange(len(ranks.ranks)) - np.repeat(ranks.starts[:-1], sizes) + 1
    precisions = np.where(ranks.ranks <= k, seen / ranks.ranks, 0.0)
    return float(np.mean(np.add.reduceat(precisions, ranks.starts[:-1]) / sizes))


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
