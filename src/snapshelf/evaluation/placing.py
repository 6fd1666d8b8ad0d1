"""Placing the right products of queries among all others, a block of queries at a time."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Placed", "place_products"]

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.int64]


class Placed(NamedTuple):
    """A block of queries, ranked; the fields are those of `QueryRanks`, products as columns."""

    ranks: NDArray[np.float64]
    columns: IntArray
    similarities: FloatArray
    added: FloatArray
    wrong: FloatArray
    wrong_added: FloatArray


def place_products(
    table: FloatArray, columns: IntArray, starts: IntArray, *, tie: NDArray[np.float64], places: int
) -> Placed:
    """Rank the relevant products of a block of queries.

    Args:
        table: (B, P) float32, the similarity of each query to each product; overwritten.
        columns: (N,) the column of every query's relevant products, -1 where there is none.
        starts: (B + 1,) where each query's relevant products start in `columns`.
        tie: (B,) how much smaller a tied similarity can be.
        places: How many of the first places to give, at most P.

    Returns:
        The ranks, ascending within each query, and the first places.
    """
    queries = np.repeat(np.arange(len(table)), np.diff(starts))
    own = np.where(columns < 0, np.float32(-np.inf), table[queries, columns])
    order = np.lexsort((columns, -own, queries))
    columns, own = columns[order], own[order]
    listed = columns >= 0
    table[queries[listed], columns[listed]] = -np.inf
    wrong = table.max(axis=1)
    wrong[np.isneginf(wrong)] = np.nan

    position = np.arange(len(columns)) - starts[queries]
    ranks = np.full(len(columns), np.inf)
    for nth in range(int(position.max()) + 1):
        at = np.flatnonzero((position == nth) & listed)
        bar = (own[at] - tie[queries[at]]).astype(np.float32)[:, np.newaxis]
        ranks[at] = 1 + nth + np.count_nonzero(table[queries[at]] >= bar, axis=1)

    heads = np.empty((len(table), places), np.int64)
    similarities = np.empty((len(table), places), np.float32)
    every = np.arange(len(table))
    for place in range(places):
        heads[:, place] = table.argmax(axis=1)
        similarities[:, place] = table[every, heads[:, place]]
        table[every, heads[:, place]] = -np.inf

    shown = np.flatnonzero(ranks <= places)
    own_place = ranks[shown].astype(np.int64) - 1
    irrelevant = np.ones((len(table), places), np.bool_)
    irrelevant[queries[shown], own_place] = False
    shift = np.maximum(irrelevant.cumsum(axis=1) - 1, 0)
    heads = np.take_along_axis(heads, shift, axis=1)
    similarities = np.take_along_axis(similarities, shift, axis=1)
    heads[queries[shown], own_place] = columns[shown]
    similarities[queries[shown], own_place] = own[shown]
    return Placed(
        ranks, heads, similarities, np.zeros_like(similarities), wrong, np.zeros_like(wrong)
    )
