"""Re-ranking what a store's search found."""

from collections.abc import Sequence

from snapshelf.matching.reranker import Candidate, Place, Reranker, rerank_shortlist, tail_places
from snapshelf.matching.shelf_reranker import Ranked, ShelfReranker
from snapshelf.store.hits import regions_of
from snapshelf.store.records import Hit
from snapshelf.store.vector_store import VectorStore

__all__ = ["rerank_hits", "unchanged_places"]


def unchanged_places(hits: Sequence[Hit], most: int | None = None) -> list[Place]:
    """Leave a shortlist as it is; give at most so many places of it, None for all."""
    return [Place(number, hit.similarity) for number, hit in enumerate(hits[:most])]


def rerank_hits(
    reranker: Reranker,
    store: VectorStore,
    queries: Sequence[bytes],
    hits: Sequence[Sequence[Hit]],
    most: int | None = None,
) -> list[list[Place]]:
    """Re-rank the shortlists of several queries.

    A hit whose description is gone by now is a candidate without one.

    Args:
        reranker: Compares.
        store: Holds the descriptions; all that are needed are read at once.
        queries: Description of each query; not looked at where its shortlist is empty.
        hits: For each query its shortlist, most similar first.
        most: Places that are given of each, at least 1; None for all.

    Returns:
        For each query the first places of its whole shortlist.
    """
    if isinstance(reranker, ShelfReranker):
        return _rank_hits(reranker, store, queries, hits, most)
    shown = {hit.region for row in hits for hit in row[: reranker.depth]}
    descriptions = store.descriptions(sorted(shown))
    return [
        rerank_shortlist(
            reranker,
            query,
            [Candidate(hit.similarity, descriptions.get(hit.region)) for hit in row],
        )[:most]
        if row
        else []
        for query, row in zip(queries, hits, strict=True)
    ]


def _rank_hits(
    reranker: ShelfReranker,
    store: VectorStore,
    queries: Sequence[bytes],
    hits: Sequence[Sequence[Hit]],
    most: int | None,
) -> list[list[Place]]:
    """Put all shortlists in order in one pass, but for empty ones."""
    places: list[list[Place]] = [[] for _ in hits]
    asked = [number for number, row in enumerate(hits) if row]
    heads = [regions_of(hits[number])[: reranker.depth] for number in asked]
    judged = reranker.rank(store, [queries[number] for number in asked], heads, most)
    for number, head, ranked in zip(asked, heads, judged, strict=True):
        places[number] = _places(reranker, hits[number], len(head), ranked, most)
    return places


def _places(
    reranker: ShelfReranker, row: Sequence[Hit], head: int, ranked: Ranked, most: int | None
) -> list[Place]:
    """Give the places of a shortlist, of whose first so many hits the order is known."""
    places = [
        Place(candidate, similarity, reranker.evidence(similarity))
        for candidate, similarity in zip(
            ranked.candidates.tolist(), ranked.similarities.tolist(), strict=True
        )
    ]
    tail = row[head:most] if most is None or most > head else ()
    lowest = places[-1].similarity if places else float("inf")
    return places + tail_places((hit.similarity for hit in tail), head, lowest)
