"""Re-ranking what a store's search found."""

from collections.abc import Sequence

from snapshelf.matching.reranker import Candidate, Place, Reranker, rerank_shortlist
from snapshelf.store.records import Hit
from snapshelf.store.vector_store import VectorStore

__all__ = ["rerank_hits", "unchanged_places"]


def unchanged_places(hits: Sequence[Hit]) -> list[Place]:
    """Leave a shortlist as it is."""
    return [Place(number, hit.similarity) for number, hit in enumerate(hits)]


def rerank_hits(
    reranker: Reranker,
    store: VectorStore,
    queries: Sequence[bytes],
    hits: Sequence[Sequence[Hit]],
) -> list[list[Place]]:
    """Re-rank the shortlists of several queries.

    A hit whose description is gone by now is a candidate without one.

    Args:
        reranker: Compares.
        store: Holds the descriptions; all that are needed are read at once.
        queries: Description of each query; not looked at where its shortlist is empty.
        hits: For each query its shortlist, most similar first.

    Returns:
        For each query the places of its whole shortlist.
    """
    heads = {hit.region for row in hits for hit in row[: reranker.depth]}
    descriptions = store.descriptions(sorted(heads))
    return [
        rerank_shortlist(
            reranker,
            query,
            [Candidate(hit.similarity, descriptions.get(hit.region)) for hit in row],
        )
        if row
        else []
        for query, row in zip(queries, hits, strict=True)
    ]
