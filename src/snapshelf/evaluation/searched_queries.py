"""`SearchedQueries`: what a search of a data set's gallery gives, whatever it was searched with."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from snapshelf.catalog.product import Product
from snapshelf.datasets.dataset import Query
from snapshelf.evaluation.query_ranks import QueryRanks

__all__ = ["SHOWN", "Progress", "SearchedQueries"]

Progress = Callable[[str, int, int], None]
"""Told the step (``gallery``, ``queries``, and ``rerank`` where the system does), the pictures of
it that are done (of ``rerank``, the regions of queries) and all."""

SHOWN = 5
"""First places kept of each query's ranking."""


@dataclass(frozen=True, slots=True)
class SearchedQueries:
    """Queries, their ranks in the gallery, and the seconds it took.

    Attributes:
        queries: Q of them.
        ranks: Of their right products.
        gallery: All products.
        seconds: By step.
    """

    queries: Sequence[Query]
    ranks: QueryRanks
    gallery: Sequence[Product]
    seconds: Mapping[str, float]

    def select(self, queries: NDArray[np.bool_]) -> "SearchedQueries":
        """Keep some of the queries, (Q,) bool."""
        kept = [self.queries[number] for number in np.flatnonzero(queries).tolist()]
        return SearchedQueries(kept, self.ranks.select(queries), self.gallery, self.seconds)
