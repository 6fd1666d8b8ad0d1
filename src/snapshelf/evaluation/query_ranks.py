"""`QueryRanks`: where the right products of each query came."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["QueryRanks", "group_starts"]


@dataclass(frozen=True, eq=False, slots=True)
class QueryRanks:
    """Where the relevant products of each query came in the ranking.

    Attributes:
        ranks: (N,) float64, the ranks of every query's relevant products, one query after
            another, ascending within a query; infinite for a product without a gallery image.
        starts: (Q + 1,) int64; query q's ranks are ``ranks[starts[q] : starts[q + 1]]``, at
            least one.
        products: Number of products in the gallery.
        found: (Q, T) int64, the products in the first T places of each query's ranking.
        similarities: (Q, T) float32, their similarities.
        added: (Q, T) float32, what of these re-ranking has added to those of the embeddings; may
            be negative.
        wrong: (Q,) float32, the similarity of each query's best irrelevant product: what comes
            first when the right products are not in the gallery. NaN if all are relevant.
        wrong_added: (Q,) float32, what of that re-ranking has added.
    """

    ranks: NDArray[np.float64]
    starts: NDArray[np.int64]
    products: int
    found: NDArray[np.int64]
    similarities: NDArray[np.float32]
    added: NDArray[np.float32]
    wrong: NDArray[np.float32]
    wrong_added: NDArray[np.float32]

    def __len__(self) -> int:
        """Give the number of queries."""
        return len(self.starts) - 1

    @property
    def best(self) -> NDArray[np.float64]:
        """The rank of the best relevant product of each query, (Q,) float64."""
        return self.ranks[self.starts[:-1]]

    def select(self, queries: NDArray[np.bool_]) -> "QueryRanks":
        """Keep some of the queries.

        Args:
            queries: (Q,) bool, which queries to keep.

        Returns:
            The same ranks for those queries, in the same order.

        Raises:
            ValueError: If `queries` is not one bool for each query.
        """
        if queries.dtype != np.bool_ or queries.shape != (len(self),):
            raise ValueError(
                f"queries must be bool of shape ({len(self)},), "
                f"got {queries.dtype} of shape {queries.shape}"
            )
        sizes = np.diff(self.starts)
        return replace(
            self,
            ranks=self.ranks[np.repeat(queries, sizes)],
            starts=group_starts(sizes[queries]),
            found=self.found[queries],
            similarities=self.similarities[queries],
            added=self.added[queries],
            wrong=self.wrong[queries],
            wrong_added=self.wrong_added[queries],
        )


def group_starts(sizes: NDArray[np.integer[Any]]) -> NDArray[np.int64]:
    """Turn group sizes (G,) into the index where each group starts, and the end, (G + 1,)."""
    return np.concatenate(([0], np.cumsum(sizes, dtype=np.int64)))
