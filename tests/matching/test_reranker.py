from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from snapshelf.features.encoder import Domain
from snapshelf.matching.reranker import Candidate, Place, Reranked, rerank_shortlist
from snapshelf.media.picture import RGB


@dataclass
class Scripted:
    """Gives the similarity that a candidate's description spells."""

    depth: int
    fingerprint: str = "scripted"
    looked_at: int = 0

    def describe(self, picture: RGB, domain: Domain) -> bytes:
        raise AssertionError("re-ranking describes nothing")

    def rerank(self, query: bytes, candidates: Sequence[Candidate]) -> Sequence[Reranked]:
        self.looked_at = len(candidates)
        return [
            Reranked(float(candidate.description or b"nan"), {"query": query.decode()})
            for candidate in candidates
        ]


def shortlist(similarities: Sequence[float], better: Sequence[float]) -> list[Candidate]:
    return [
        Candidate(similarity, str(value).encode())
        for similarity, value in zip(similarities, better, strict=True)
    ]


def test_the_head_is_reordered_and_the_tail_follows_in_its_order() -> None:
    candidates = shortlist([0.9, 0.8, 0.7, 0.6], [0.1, 0.5, 9.0, 9.0])
    places = rerank_shortlist(Scripted(depth=2), b"q", candidates)
    assert [place.candidate for place in places] == [1, 0, 2, 3]
    assert places[0] == Place(1, 0.5, {"query": "q"})
    assert places[2] == Place(2, 0.1), "lowered, and without evidence"


def test_the_tail_keeps_its_similarities_where_they_are_low_enough() -> None:
    candidates = shortlist([0.9, 0.8, 0.3, -0.6], [0.7, 0.5, 0, 0])
    places = rerank_shortlist(Scripted(depth=2), b"q", candidates)
    assert [place.similarity for place in places] == [0.7, 0.5, 0.3, -0.6]


def test_equal_candidates_stay_in_the_first_order() -> None:
    candidates = shortlist([0.9, 0.8, 0.7], [0.5, 0.5, 0.5])
    places = rerank_shortlist(Scripted(depth=3), b"q", candidates)
    assert [place.candidate for place in places] == [0, 1, 2]


@pytest.mark.parametrize("depth", [1, 100])
def test_an_empty_shortlist_asks_nothing(depth: int) -> None:
    reranker = Scripted(depth)
    assert rerank_shortlist(reranker, b"q", []) == []
    assert reranker.looked_at == 0


@given(
    st.lists(st.floats(-1, 1), max_size=12),
    st.lists(st.floats(-5, 5), min_size=12, max_size=12),
    st.integers(1, 15),
)
def test_any_ranking_is_a_monotonic_permutation(
    similarities: list[float], better: list[float], depth: int
) -> None:
    similarities = sorted(similarities, reverse=True)
    candidates = shortlist(similarities, better[: len(similarities)])
    reranker = Scripted(depth)
    places = rerank_shortlist(reranker, b"q", candidates)
    order = [place.candidate for place in places]
    head = min(depth, len(candidates))
    assert reranker.looked_at == head
    assert sorted(order) == list(range(len(candidates)))
    assert order[head:] == list(range(head, len(candidates)))
    assert (np.diff([place.similarity for place in places]) <= 0).all()
    own = [better[number] for number in order[:head]]
    assert [place.similarity for place in places[:head]] == own
