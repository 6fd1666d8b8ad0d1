"""Re-ranking in a shelf: what is described, what is asked of the re-ranker, what is shown."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from shelf_parts import (
    DIMENSION,
    Bench,
    FakeEncoder,
    Reversing,
    describe,
    fake_system,
    pixels,
    product,
    write_feed,
)

from snapshelf.catalog import Catalog
from snapshelf.errors import SystemMismatchError
from snapshelf.features.encoder import Domain
from snapshelf.matching import Calibration
from snapshelf.matching.folded_matcher import FoldedMatcher
from snapshelf.matching.studio_reranking import StudioReranker
from snapshelf.shelf import Match, SearchResult, Shelf
from snapshelf.store import EmbeddedStore


@pytest.fixture
def feed(tmp_path: Path) -> Path:
    return write_feed(tmp_path / "feed", 8)


def build(feed: Path, reranker: Reversing | None, *, halves: bool = False) -> Shelf:
    system = fake_system(halves=halves, reranker=reranker)
    return Shelf.build(Catalog.open(feed), feed.parent / "shelf", system)


def shown(shelf: Shelf, picture: np.ndarray, top: int = 20) -> list[tuple[str, float]]:
    (item,) = shelf.search(picture, top=top).items
    return [(match.product.id, match.similarity) for match in item.matches]


@pytest.mark.parametrize("depth", [1, 3, 8, 100])
@pytest.mark.parametrize("top", [1, 2, 5, 20])
def test_the_head_is_turned_around_and_the_tail_stays(feed: Path, depth: int, top: int) -> None:
    reranker = Reversing(depth)
    with build(feed, reranker) as shelf:
        plain = replace(shelf.system, reranker=None)
        with Shelf.open(feed.parent / "shelf", plain) as opened:
            before = shown(opened, pixels(1))
        assert len(before) == 8
        head = [(name, -similarity) for name, similarity in reversed(before[:depth])]
        lowest = head[-1][1]
        tail = [(name, min(lowest, similarity)) for name, similarity in before[depth:]]
        assert shown(shelf, pixels(1), top) == [*head, *tail][:top]
        assert reranker.looked_at == [min(depth, 8)]


def test_nothing_is_described_where_nothing_was_found(feed: Path, monkeypatch) -> None:
    with build(feed, Reversing(depth=3)) as shelf:

        def describe(*_: object) -> bytes:
            raise AssertionError("is for nothing")

        monkeypatch.setattr(Reversing, "describe", describe)
        result = shelf.search(pixels(1), filter="price<0", by_category=2)
        assert [item.matches for item in result.items] == [()]
        with pytest.raises(AssertionError, match="is for nothing"):
            shelf.search(pixels(1))


def test_a_match_tells_what_the_reranker_found(feed: Path) -> None:
    with build(feed, Reversing(depth=3)) as shelf:
        system = replace(shelf.system, calibration=Calibration(4.0, 0.0, 0.2))
        with Shelf.open(feed.parent / "shelf", system) as opened:
            result = opened.search(pixels(1))
    assert list(result.seconds) == ["decode", "encode", "search", "rerank"]
    (item,) = result.items
    for match in item.matches[:3]:
        seed = int(match.product.id.removeprefix("SKU-"))
        assert match.evidence == {
            "query": describe(pixels(1), Domain.STREET).hex(),
            "own": describe(pixels(seed), Domain.SHOP).hex(),
        }
    assert all(match.evidence == {} for match in item.matches[3:])
    assert [m.rank for m in item.matches] == list(range(1, 9))
    assert item.matches[0].confidence == system.calibration.confidence(item.matches[0].similarity)
    assert item.in_catalogue is (item.matches[0].confidence >= 0.2)


def test_confidence_takes_apart_what_embeddings_and_the_reranker_say(feed: Path) -> None:
    curve = Calibration(4.0, -1.0, 0.2, 0.5)
    with build(feed, Reversing(depth=3)) as shelf:
        plain = replace(shelf.system, reranker=None)
        system = replace(shelf.system, calibration=curve)
    with Shelf.open(feed.parent / "shelf", plain) as opened:
        embedded = dict(shown(opened, pixels(1)))
    with Shelf.open(feed.parent / "shelf", system) as opened:
        (item,) = opened.search(pixels(1)).items
    left = before = 1.0
    for match in item.matches:
        own = embedded[match.product.id]
        logit = 4.0 * own + 0.5 * (match.similarity - own) - 1.0
        before = min(left / (1 + np.exp(-logit)), before)
        assert match.confidence == pytest.approx(before)
        left /= 1 + np.exp(logit)
    assert [match.box for match in item.matches] == [(0.0, 0.0, 16.0, 16.0)] * 8


def test_each_region_is_described_and_reranked_for_itself(feed: Path) -> None:
    reranker = Reversing(depth=2)
    with build(feed, reranker, halves=True) as shelf:
        both = np.concatenate([pixels(1)[:, :8], pixels(4)[:, 8:]], axis=1)
        items = shelf.search(both, top=2).items
        assert reranker.looked_at == [2, 2]
        for item, half, seed in zip(items, (both[:, :8], both[:, 8:]), (1, 4), strict=True):
            # The right one came first, so it comes last of the head.
            match = item.matches[1]
            assert match.product.id == f"SKU-{seed}"
            assert match.box in ((0.0, 0.0, 8.0, 16.0), (8.0, 0.0, 16.0, 16.0))
            assert match.evidence["query"] == describe(half, Domain.STREET).hex()
            assert match.evidence["own"] == describe(half, Domain.SHOP).hex()


def test_filters_come_first(feed: Path) -> None:
    reranker = Reversing()
    with build(feed, reranker) as shelf:
        (item,) = shelf.search(pixels(1), filter="price>=5").items
        assert {match.product.id for match in item.matches} == {"SKU-5", "SKU-6", "SKU-7"}
        (item,) = shelf.search(pixels(1), filter="brand=nobody").items
        assert (item.matches, item.in_catalogue) == ((), False)
        with pytest.raises(ValueError, match="top must be at least 1, got 0"):
            shelf.search(pixels(1), top=0)
    assert reranker.looked_at == [3], "an empty shortlist asks nothing"


def test_what_vanishes_meanwhile_is_no_error(feed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with build(feed, Reversing()) as shelf:
        expected = shown(shelf, pixels(1))
        search, descriptions = shelf.store.search, shelf.store.descriptions
        gone = {"SKU-1", "SKU-3"}

        def search_and_delete(*arguments):
            hits = search(*arguments)
            with closing(EmbeddedStore(feed.parent / "shelf", write=True)) as writer:
                writer.delete(sorted(gone))
            return hits

        def forget(regions):
            return {number: descriptions([number])[number] for number in regions[1:]}

        monkeypatch.setattr(shelf.store, "search", search_and_delete)
        monkeypatch.setattr(shelf.store, "descriptions", forget)
        (item,) = shelf.search(pixels(1)).items
    found = [(match.product.id, match.similarity) for match in item.matches]
    assert found == [one for one in expected if one[0] not in gone]
    assert [match.evidence["own"] for match in item.matches].count("") == 1


# --- a re-ranker that keeps what it reads of a shelf ---------------------------------------


def matching(depth: int) -> StudioReranker:
    rng = np.random.default_rng(4)
    sides = [(DIMENSION, 6), (DIMENSION, 6)]
    shapes = [*sides, (6,), (6, 4), (4,), (4,), (1,)]
    weights = (rng.normal(size=shape).astype(np.float32) for shape in shapes)
    return StudioReranker(FakeEncoder(), FakeEncoder(), FoldedMatcher(*weights), depth=depth)


class Handed:
    """The same, but handed candidates, one query at a time."""

    def __init__(self, inner: StudioReranker) -> None:
        self.depth, self.fingerprint = inner.depth, inner.fingerprint
        self.describe, self.rerank = inner.describe, inner.rerank


def check_same(one: SearchResult, other: SearchResult) -> None:
    assert len(one.items) == len(other.items)
    for mine, theirs in zip(one.items, other.items, strict=True):
        check_same_matches(mine.matches, theirs.matches)
        for group, same in zip(mine.by_category or (), theirs.by_category or (), strict=True):
            check_same_matches(group.matches, same.matches)


def check_same_matches(some: Sequence[Match], others: Sequence[Match]) -> None:
    assert [each.product for each in some] == [each.product for each in others]
    for each, same in zip(some, others, strict=True):
        assert (each.rank, each.image, each.box) == (same.rank, same.image, same.box)
        assert each.similarity == pytest.approx(same.similarity, abs=1e-6)
        assert each.confidence == pytest.approx(same.confidence, abs=1e-6)
        assert each.evidence == pytest.approx(same.evidence, abs=1e-6)


@pytest.mark.parametrize("depth", [1, 3, 8, 100])
@pytest.mark.parametrize("halves", [False, True])
def test_kept_and_handed_candidates_give_the_same_matches(
    tmp_path: Path, depth: int, halves: bool
) -> None:
    feed, place = write_feed(tmp_path / "feed", 8, images=(1, 2)), tmp_path / "shelf"
    own = matching(depth)
    kept, handed = (fake_system(halves=halves, reranker=each) for each in (own, Handed(own)))
    Shelf.build(Catalog.open(feed), place, kept).close()
    with Shelf.open(place, kept) as one, Shelf.open(place, handed) as other:
        nothing = {"filter": "price>=1000000"}
        for options in ({}, {"top": 2}, {"by_category": 3}, {"filter": "price>=5"}, nothing):
            check_same(one.search(pixels(1), **options), other.search(pixels(1), **options))
        # Products that come, go and change their pictures are seen by the shelf that is open.
        later = write_feed(tmp_path / "later", 12, images=(2,))
        Shelf.build(Catalog.open(later), place, kept).close()
        for seed in (1, 9):
            found = one.search(pixels(seed))
            check_same(found, other.search(pixels(seed)))
            assert len(found.items[0].matches) == 12
        with closing(EmbeddedStore(place, write=True)) as writer:
            writer.delete(["SKU-1", "SKU-3"])
        check_same(one.search(pixels(1), top=3), other.search(pixels(1), top=3))


# --- indexing -----------------------------------------------------------------------------


def stored(bench: Bench) -> dict[tuple[str, str], bytes | None]:
    """The descriptions by product and image."""
    hits = bench.store.search(np.eye(1, bench.store.dimension, dtype=np.float32), 1_000)[0]
    found = bench.store.descriptions([hit.region for hit in hits])
    return {(hit.product_id, hit.source): found.get(hit.region) for hit in hits}


def test_new_changed_and_known_pictures_are_described(tmp_path: Path) -> None:
    bench = Bench(tmp_path, reranker=Reversing())
    with closing(bench.store):
        for name, seed in (("a.png", 1), ("b.png", 2), ("c.png", 1)):
            bench.write(name, seed)
        bench.update([product("a"), product("b"), product("c")])
        assert bench.encoder.embedded == 2
        assert stored(bench) == {
            ("a", "a.png"): describe(pixels(1), Domain.SHOP),
            ("b", "b.png"): describe(pixels(2), Domain.SHOP),
            ("c", "c.png"): describe(pixels(1), Domain.SHOP),
        }
        bench.write("b.png", 3)
        bench.write("d.png", b"no picture")
        bench.update([product("a"), product("b"), product("d")])
        assert stored(bench) == {
            ("a", "a.png"): describe(pixels(1), Domain.SHOP),
            ("b", "b.png"): describe(pixels(3), Domain.SHOP),
        }


def test_without_a_reranker_nothing_is_described(bench: Bench) -> None:
    bench.write("a.png", 1)
    bench.update([product("a")])
    assert stored(bench) == {("a", "a.png"): None}


# --- which system fits --------------------------------------------------------------------


def test_a_shelf_without_descriptions_says_so(feed: Path) -> None:
    build(feed, None).close()
    reranking = fake_system(reranker=Reversing())
    for use in (
        lambda: Shelf.open(feed.parent / "shelf", reranking),
        lambda: build(feed, Reversing()),
    ):
        with pytest.raises(SystemMismatchError) as caught:
            use()
        assert "the shelf holds no descriptions for re-ranking" in str(caught.value)
        assert "index with system 'fake' into a new shelf" in str(caught.value)
    build(feed, None).close()


def test_descriptions_of_another_reranker_are_refused(feed: Path) -> None:
    build(feed, Reversing()).close()
    other = fake_system(reranker=Reversing(fingerprint="other"))
    with pytest.raises(SystemMismatchError, match="descriptions for re-ranking of another kind"):
        Shelf.open(feed.parent / "shelf", other)
    # How deep a re-ranker looks decides nothing that is stored.
    Shelf.open(feed.parent / "shelf", fake_system(reranker=Reversing(depth=2))).close()


def test_a_system_without_reranker_may_search_but_not_write(feed: Path) -> None:
    build(feed, Reversing()).close()
    with Shelf.open(feed.parent / "shelf", fake_system()) as shelf:
        assert shown(shelf, pixels(1), 1) == [("SKU-1", pytest.approx(1, abs=1e-5))]
        version = shelf.store.properties["version"]
        with pytest.raises(SystemMismatchError) as caught:
            build(feed, None)
        assert "'fake' gives none: index with system 'fake', or into a new" in str(caught.value)
        assert "searching it is possible" in str(caught.value)
        assert shelf.store.properties["version"] == version
    build(feed, Reversing()).close()


@pytest.mark.parametrize("first", [None, Reversing()], ids=["plain", "reranking"])
@pytest.mark.parametrize("second", [None, Reversing()], ids=["plain", "reranking"])
def test_other_embeddings_are_refused_whatever_the_reranker(
    feed: Path, first: Reversing | None, second: Reversing | None
) -> None:
    build(feed, first).close()
    other = fake_system(FakeEncoder(fingerprint="other weights"), reranker=second)
    with pytest.raises(SystemMismatchError, match="give the same system and weights"):
        Shelf.open(feed.parent / "shelf", other)


def test_the_fingerprints_of_a_system() -> None:
    plain, reranking = fake_system(), fake_system(reranker=Reversing())
    assert plain.fingerprint == plain.embedding_fingerprint == reranking.embedding_fingerprint
    assert reranking.fingerprint not in (
        plain.fingerprint,
        fake_system(reranker=Reversing(fingerprint="other")).fingerprint,
    )
