"""The `ShelfReranker` contract: a re-ranker that keeps what it has read of a shelf."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from snapshelf.matching.reranker import Reranker

__all__ = ["Described", "Ranked", "ShelfReranker"]


class Described(Protocol):
    """Holds descriptions by number, such as a `VectorStore`.

    As long as it is there, a number means the same description, or none.
    """

    def descriptions(self, regions: Sequence[int]) -> Mapping[int, bytes]:
        """Read descriptions; numbers without one are left out."""
        ...


class Ranked(NamedTuple):
    """The first places of a shortlist.

    Attributes:
        candidates: (K,) int64, their places in the shortlist as it came, the best first.
        similarities: (K,) float64, falling.
    """

    candidates: NDArray[np.int64]
    similarities: NDArray[np.float64]


@runtime_checkable
class ShelfReranker(Reranker, Protocol):
    """A `Reranker` that keeps in memory what it reads of a shelf.

    `Reranker.rerank` gives the same, of descriptions that it is handed.
    """

    def rank(
        self,
        shelf: Described,
        queries: Sequence[bytes],
        shortlists: Sequence[NDArray[np.int64]],
        most: int | None,
    ) -> Sequence[Ranked]:
        """Judge the shortlists of several queries; may be called from several threads.

        Args:
            shelf: Holds the candidates' descriptions.
            queries: Description of each query.
            shortlists: For each query the numbers (K,) int64 of its candidates, in the first
                stage's order.
            most: Places that are wanted of each, at least 1; None for all.

        Returns:
            For each query its first places; candidates that are found equal stay in the order in
            which they came.

        Raises:
            ModelError: If a description is not of this re-ranker's making.
        """
        ...

    def evidence(self, similarity: float) -> Mapping[str, Any]:
        """Say why a candidate has a similarity, as `Reranked.evidence` does."""
        ...
