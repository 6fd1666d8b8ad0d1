"""The `Reranker` contract: better similarities for the candidates at the head of a shortlist.

A re-ranker looks at what indexing stored beside the embeddings: its own description of each
gallery item (local features, say), made once from the picture. A query is described in the same
way when it is searched for. What a re-ranker never sees is left behind in the order it had.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from snapshelf.features.encoder import Domain
from snapshelf.media.picture import RGB

__all__ = ["Candidate", "Place", "Reranked", "Reranker", "rerank_shortlist", "tail_places"]


@dataclass(frozen=True, slots=True)
class Candidate:
    """An item of a shortlist, as the first stage found it.

    Attributes:
        similarity: Of the embeddings; larger is more alike.
        description: What `Reranker.describe` gave of it when it was indexed, None where nothing
            is stored.
    """

    similarity: float
    description: bytes | None


@dataclass(frozen=True, slots=True)
class Reranked:
    """What a re-ranker makes of a candidate.

    Attributes:
        similarity: Larger is more alike; comparable among the candidates of one query and, as
            confidences are computed of it, from query to query.
        evidence: Why, as JSON can hold it; may be empty.
    """

    similarity: float
    evidence: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a ranking after re-ranking.

    Attributes:
        candidate: Number of the candidate in the first stage's order, from 0.
        similarity: Falls (or stays) from each place to the next.
        evidence: Of the re-ranker, empty where it did not look.
    """

    candidate: int
    similarity: float
    evidence: Mapping[str, Any] = field(default_factory=dict)


class Reranker(Protocol):
    """Compares a query with the candidates of its shortlist more closely than embeddings do."""

    @property
    def depth(self) -> int:
        """How many candidates at the head of a shortlist are looked at, at least 1."""
        ...

    @property
    def fingerprint(self) -> str:
        """Hex digest of everything that decides a description, and of nothing else."""
        ...

    def describe(self, picture: RGB, domain: Domain) -> bytes:
        """Describe an item; may be called from several threads.

        Args:
            picture: (H, W, 3) uint8, RGB, [0, 255], cut to the item, from 1 x 1.
            domain: The side that it comes from.

        Returns:
            What `rerank` needs of it.
        """
        ...

    def rerank(self, query: bytes, candidates: Sequence[Candidate]) -> Sequence[Reranked]:
        """Compare a query with candidates.

        Args:
            query: Description of the query.
            candidates: Any number of them, in the first stage's order.

        Returns:
            One for each candidate, in the same order.

        Raises:
            ModelError: If a description is not of this re-ranker's making.
        """
        ...


def rerank_shortlist(
    reranker: Reranker, query: bytes, candidates: Sequence[Candidate]
) -> list[Place]:
    """Re-rank the head of a shortlist; the tail keeps its order behind it.

    Candidates that the re-ranker finds equal stay in the first stage's order. The tail's
    similarities are lowered where they would rise above the last of the head, so that those of
    the whole ranking fall from place to place.

    Args:
        reranker: Looks at the first `Reranker.depth` candidates.
        query: Description of the query.
        candidates: The whole shortlist, in the first stage's order.

    Returns:
        A place for each candidate, the best first.
    """
    head = candidates[: reranker.depth]
    judged = reranker.rerank(query, head) if head else ()
    order = sorted(range(len(head)), key=lambda number: -judged[number].similarity)
    places = [Place(number, judged[number].similarity, judged[number].evidence) for number in order]
    lowest = places[-1].similarity if places else float("inf")
    tail = (candidate.similarity for candidate in candidates[len(head) :])
    return places + tail_places(tail, len(head), lowest)


def tail_places(similarities: Iterable[float], start: int, lowest: float) -> list[Place]:
    """Give the places of a shortlist's tail, which keeps its order behind the head.

    Args:
        similarities: Of the embeddings, of the candidates behind the head.
        start: Number of the first of them.
        lowest: Similarity of the head's last place, which none of them rises above.
    """
    places = []
    for number, similarity in enumerate(similarities, start=start):
        lowest = min(lowest, similarity)
        places.append(Place(number, lowest))
    return places
