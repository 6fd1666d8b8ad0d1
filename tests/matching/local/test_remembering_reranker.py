"""Re-ranking that remembers: the same order as without, and nothing done twice."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from snapshelf.errors import ModelError
from snapshelf.features.encoder import Domain
from snapshelf.matching.local.fusion import Fusion
from snapshelf.matching.local.published_reranking import PublishedReranker
from snapshelf.matching.local.settings import LocalSettings
from snapshelf.matching.local.verified_reranking import VerifiedReranker
from snapshelf.matching.remembering_reranker import Finding, RememberingReranker
from snapshelf.matching.reranker import Candidate, Reranked
from snapshelf.media.picture import RGB
from snapshelf.remembered import Remembered

Picture = NDArray[np.uint8]
FUSION = Fusion(weight=0.1, colour=0.05, chance=5)


@pytest.fixture
def remembered(tmp_path: Path) -> Iterator[Remembered]:
    with Remembered(tmp_path / "remembered.sqlite") as opened:
        yield opened


class Brightness:
    """Compares pictures by their brightness, and counts what it is asked to do."""

    depth = 3
    fingerprint = "brightness"

    def __init__(self, comparison: str = "brightness") -> None:
        self.comparison = comparison
        self.described: list[tuple[int, Domain]] = []
        self.compared: list[tuple[bytes, list[bytes]]] = []

    def describe(self, picture: RGB, domain: Domain) -> bytes:
        self.described.append((int(picture[0, 0, 0]), domain))
        return bytes([picture[0, 0, 0]])

    def compare(self, query: bytes, candidates: Sequence[bytes]) -> list[Finding]:
        self.compared.append((query, list(candidates)))
        return [(float(abs(query[0] - other[0])), 0.5) for other in candidates]

    def judge(
        self, similarities: Sequence[float], findings: Sequence[Finding | None]
    ) -> list[Reranked]:
        return [
            Reranked(similarity - sum(finding or ()))
            for similarity, finding in zip(similarities, findings, strict=True)
        ]

    def rerank(self, query: bytes, candidates: Sequence[Candidate]) -> list[Reranked]:
        raise AssertionError("it is asked in two steps")


def grey(brightness: int) -> Picture:
    return np.full((2, 2, 3), brightness, np.uint8)


def test_pictures_are_described_once_for_each_side(remembered: Remembered) -> None:
    inner = Brightness()
    reranker = RememberingReranker(inner, remembered)
    keys = [reranker.describe(grey(each), Domain.SHOP) for each in (1, 2, 1, 1)]
    assert keys[0] == keys[2] == keys[3] != keys[1]
    assert reranker.describe(grey(1), Domain.STREET) != keys[0]
    assert inner.described == [(1, Domain.SHOP), (2, Domain.SHOP), (1, Domain.STREET)]
    # The same bytes in another shape are another picture.
    assert reranker.describe(grey(1).reshape(1, 4, 3), Domain.SHOP) != keys[0]


def test_pairs_are_compared_once(remembered: Remembered, tmp_path: Path) -> None:
    inner = Brightness()
    reranker = RememberingReranker(inner, remembered)
    query = reranker.describe(grey(10), Domain.STREET)
    shop = [reranker.describe(grey(each), Domain.SHOP) for each in (1, 2, 3)]
    first = reranker.rerank(query, [Candidate(0.25, shop[0]), Candidate(0.75, shop[1])])
    assert [one.similarity for one in first] == [0.25 - 9 - 0.5, 0.75 - 8 - 0.5]
    again = reranker.rerank(
        query, [Candidate(1, shop[2]), Candidate(2, shop[1]), Candidate(3, None)]
    )
    assert [one.similarity for one in again] == [1 - 7 - 0.5, 2 - 8 - 0.5, 3]
    assert inner.compared == [(b"\n", [b"\1", b"\2"]), (b"\n", [b"\3"])]
    assert list(reranker.rerank(query, [])) == []
    # Another process goes on with what is there.
    with Remembered(tmp_path / "remembered.sqlite") as later:
        other = Brightness()
        kept = RememberingReranker(other, later)
        assert kept.rerank(query, [Candidate(1, shop[2])])[0].similarity == again[0].similarity
        assert kept.describe(grey(3), Domain.SHOP) == shop[2]
        assert (other.described, other.compared) == ([], [])


def test_another_comparison_is_another(remembered: Remembered) -> None:
    one, other = Brightness("one"), Brightness("other")
    keys = [
        RememberingReranker(each, remembered).describe(grey(1), Domain.SHOP)
        for each in (one, other)
    ]
    assert keys[0] != keys[1]
    assert len(other.described) == 1
    fingerprints = {RememberingReranker(each, remembered).fingerprint for each in (one, other)}
    assert len(fingerprints) == 2


def test_keys_of_nothing_are_refused(remembered: Remembered) -> None:
    reranker = RememberingReranker(Brightness(), remembered)
    query = reranker.describe(grey(1), Domain.STREET)
    with pytest.raises(ModelError, match="expected keys of descriptions that are remembered"):
        reranker.rerank(query, [Candidate(1, b"something else")])
    with pytest.raises(ModelError, match="got 1 others"):
        reranker.rerank(b"something else", [Candidate(1, query)])


def shortlist(
    reranker: RememberingReranker | VerifiedReranker, labels: Sequence[Picture], order: list[int]
) -> list[Candidate]:
    own = [
        Candidate(0.5 - number / 10, reranker.describe(labels[number], Domain.SHOP))
        for number in order
    ]
    return [*own, Candidate(0.1, None)]


@pytest.mark.parametrize("verified", [0, 1, 2, 30])
def test_verified_re_ranking_is_the_same(
    remembered: Remembered, labels: list[Picture], photo: Picture, verified: int
) -> None:
    """Whatever else is in the shortlist, and whatever has been compared before."""
    plain = VerifiedReranker(LocalSettings(verified=verified), FUSION, depth=7)
    reranker = RememberingReranker(plain, remembered)
    assert reranker.depth == 7
    told = []
    for order in ([0, 1], [4], [5, 4, 2, 0], [3, 4, 4, 1], []):
        pairs = [
            each.rerank(each.describe(photo, Domain.STREET), shortlist(each, labels, order))
            for each in (plain, reranker)
        ]
        for expected, found in zip(*pairs, strict=True):
            assert found.similarity == expected.similarity
            for name in ("matches", "inliers", "colour"):
                assert found.evidence.get(name) == expected.evidence.get(name)
            told.append(found.evidence.get("inliers", 0))
    assert (max(told) > 5) is (verified > 0)


def test_what_is_remembered_of_verification_covers_both_sides() -> None:
    def comparison(**changed: float) -> str:
        return VerifiedReranker(LocalSettings(**changed), FUSION).comparison  # type: ignore[arg-type]

    for changed in ({"query_side": 300}, {"query_most": 9}, {"shop_most": 9}, {"shop_first": 9}):
        assert comparison(**changed) != comparison()
    assert comparison(verified=3) == comparison()
    assert PublishedReranker().comparison not in (comparison(), PublishedReranker().fingerprint)


def test_flanns_trees_are_grown_once(
    remembered: Remembered, labels: list[Picture], photo: Picture
) -> None:
    reranker = RememberingReranker(PublishedReranker(), remembered)
    query = reranker.describe(photo, Domain.STREET)
    order = [0, 4, 2]
    first = reranker.rerank(query, shortlist(reranker, labels, order))
    assert int(np.argmax([one.similarity for one in first])) == 1
    for _ in range(3):
        assert reranker.rerank(query, shortlist(reranker, labels, order)) == first
    turned = reranker.rerank(query, shortlist(reranker, labels, order[::-1]))
    assert turned[:3] == list(first[2::-1])
    count, nearness = divmod(first[1].similarity, 1)
    assert count == first[1].evidence["matches"] >= 10
    assert 0 < nearness < 1
    assert first[3].similarity == 0
