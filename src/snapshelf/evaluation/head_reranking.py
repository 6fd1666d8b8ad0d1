"""Re-ranking in an evaluation: the heads of the rows' shortlists judged anew, as a search does it.

A row is a region of a query. Its shortlist is over products, each by its best image; the first
`HeadReranking.depth` get new similarities, and the rest follow behind them in the order they had,
their similarities lowered to the least of the head where they would rise above it (as in
`snapshelf.matching.reranker.rerank_shortlist`). A product of a query counts by its best row.

So the order has three parts: by similarity; where that is equal, the head before the rest; and
then by the similarity of the first stage, which re-ranking leaves as it is among equals. What is
equal in all three is tied, and ties count against the system as in `ranking`: also where they
decide what is in the head, which no relevant product enters before an irrelevant one that is tied
with it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from snapshelf.evaluation.placing import Placed

__all__ = ["HeadReranking", "place_reranked"]

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.int64]
Judge = Callable[[int, FloatArray, IntArray], ArrayLike]


@dataclass(frozen=True, slots=True)
class HeadReranking:
    """What judges the first products of a row's shortlist anew.

    Attributes:
        depth: How many products at most, at least 1.
        judge: Given the number of the row, the similarities (K,) float32 of its first K products,
            falling, and the gallery row of each one's best image (K,) int64, gives K finite
            similarities; larger is more alike.
    """

    depth: int
    judge: Judge

    def __post_init__(self) -> None:
        """Refuse to look at nothing.

        Raises:
            ValueError: If `depth` is below 1.
        """
        if self.depth < 1:
            raise ValueError(f"depth must be at least 1, got {self.depth}")


class _Order(NamedTuple):
    """What products are ordered by, one value a product; larger comes first."""

    similarity: NDArray[np.float64]
    head: NDArray[np.bool_]
    first: FloatArray

    def of(self, columns: IntArray) -> "_Order":
        """Keep some products (K,)."""
        return _Order(self.similarity[columns], self.head[columns], self.first[columns])


def place_reranked(
    table: FloatArray,
    row_starts: IntArray,
    columns: IntArray,
    starts: IntArray,
    *,
    judge: Judge,
    depth: int,
    tie: NDArray[np.float64],
    places: int,
) -> Placed:
    """Re-rank the shortlists of a block of queries, and rank their relevant products.

    Args:
        table: (R, P) float32, the first stage's similarity of each row to each product.
        row_starts: (B + 1,) where each query's rows start in `table`.
        columns: (N,) the column of every query's relevant products, -1 where there is none.
        starts: (B + 1,) where each query's relevant products start in `columns`.
        judge: As `HeadReranking.judge`, but given rows and columns of `table`.
        depth: How many products of a row are judged at most.
        tie: (B,) how much smaller a tied similarity can be.
        places: How many of the first places to give, at most P.

    Returns:
        As `place_products`.

    Raises:
        ValueError: If the judge does not give a finite similarity for each product asked about.
    """
    placed = []
    for query in range(len(tie)):
        own = columns[starts[query] : starts[query + 1]]
        relevant = np.zeros(table.shape[1], np.bool_)
        relevant[own[own >= 0]] = True
        orders = (
            _reranked(judge, row, table[row], _head(table[row], relevant, float(tie[query]), depth))
            for row in range(row_starts[query], row_starts[query + 1])
        )
        order = reduce(_larger, orders)
        placed.append(_place(order, relevant, len(own), float(tie[query]), places))
    return Placed(*(np.concatenate(parts) for parts in zip(*placed, strict=True)))


def _head(first: FloatArray, relevant: NDArray[np.bool_], tie: float, depth: int) -> IntArray:
    """Find the columns of a shortlist's first places, the best first."""
    bars = first.astype(np.float64)
    bars[relevant] -= tie
    depth = min(depth, len(first))
    least = np.partition(bars, len(bars) - depth)[len(bars) - depth]
    candidates = np.flatnonzero(bars >= least)
    order = np.lexsort((candidates, relevant[candidates], -bars[candidates]))
    return candidates[order[:depth]]


def _reranked(judge: Judge, row: int, first: FloatArray, head: IntArray) -> _Order:
    """Have the head of a row's shortlist judged, and the rest follow behind it."""
    judged = np.asarray(judge(row, first[head], head), np.float64)
    if judged.shape != head.shape or not np.isfinite(judged).all():
        raise ValueError(
            f"rerank must give a finite similarity for each of {len(head)} products, got {judged}"
        )
    similarity = np.minimum(first.astype(np.float64), judged.min())
    similarity[head] = judged
    in_head = np.zeros(len(first), np.bool_)
    in_head[head] = True
    return _Order(similarity, in_head, first)


def _larger(one: _Order, other: _Order) -> _Order:
    """Take the better of two for each product."""
    similar = other.similarity == one.similarity
    level = other.head == one.head
    better = (other.similarity > one.similarity) | (
        similar & ((other.head > one.head) | (level & (other.first > one.first)))
    )
    return _Order(
        np.where(better, other.similarity, one.similarity),
        np.where(better, other.head, one.head),
        np.where(better, other.first, one.first),
    )


def _place(
    order: _Order, relevant: NDArray[np.bool_], wanted: int, tie: float, places: int
) -> Placed:
    """Rank the relevant products of one query, `wanted` with those not there; fill its places."""
    listed = np.flatnonzero(relevant)
    own = listed[_sorted(order.of(listed), listed)]
    others = np.flatnonzero(~relevant)
    rivals = order.of(others)
    before = np.array([_count_before(rivals, order.of(own[[n]]), tie) for n in range(len(own))])
    ranks = np.full(wanted, np.inf)
    # Near-ties across rows could put a worse one first: its rank is never the better one's.
    ranks[: len(own)] = 1 + np.arange(len(own)) + np.maximum.accumulate(before)

    least = np.partition(rivals.similarity, -places)[-places] if 0 < places < len(others) else None
    ahead = others if least is None else others[rivals.similarity >= least]
    waiting = iter(ahead[_sorted(order.of(ahead), ahead)].tolist())
    at_rank = dict(zip(ranks[: len(own)].tolist(), own.tolist(), strict=True))
    heads = [at_rank[p] if p in at_rank else next(waiting) for p in range(1, places + 1)]
    added = order.similarity - order.first
    # Of nothing both are NaN.
    best = others[_sorted(rivals, others)[:1]]
    wrong, wrong_added = (
        values[best] if len(best) else [np.nan] for values in (order.similarity, added)
    )
    return Placed(
        ranks,
        np.array([heads], np.int64),
        order.similarity[[heads]].astype(np.float32),
        added[[heads]].astype(np.float32),
        np.array(wrong, np.float32),
        np.array(wrong_added, np.float32),
    )


def _sorted(order: _Order, columns: IntArray) -> IntArray:
    return np.lexsort((columns, -order.first, ~order.head, -order.similarity))


def _count_before(rivals: _Order, one: _Order, tie: float) -> int:
    """Count the products that come before one, or are tied with it."""
    ahead = rivals.similarity > one.similarity
    close = rivals.similarity >= one.similarity - tie
    level = (rivals.head > one.head) | (
        (rivals.head == one.head) & (rivals.first >= one.first.astype(np.float64) - tie)
    )
    return int(np.count_nonzero(ahead | (close & level)))
