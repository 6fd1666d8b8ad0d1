"""Matches by category: the best of each is right, however deep in the whole ranking it lies."""

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from shelf_parts import Reversing, fake_system, pixels, png

from snapshelf.catalog import Catalog, Product
from snapshelf.shelf import FoundItem, Item, Match, Shelf, finding, group_by_category
from snapshelf.shelf.as_json import item_json
from snapshelf.store import EmbeddedStore

COUNT = 60
CATEGORIES = ("Apparel > Shirts", "apparel >  SHIRTS", "Apparel", "", "Shoes", "Apparel > Trousers")


@pytest.fixture
def feed(tmp_path: Path) -> Path:
    """Shirts are every other product; of the rest each category has some."""
    (tmp_path / "feed").mkdir()
    lines = []
    for number in range(COUNT):
        (tmp_path / f"feed/{number}.png").write_bytes(png(number))
        category = CATEGORIES[0] if number % 2 else CATEGORIES[number // 2 % len(CATEGORIES)]
        lines.append({"id": f"P{number}", "image": f"{number}.png", "category": category})
        lines[-1]["price"] = f"{number} EUR"
    feed = tmp_path / "feed/feed.jsonl"
    feed.write_text("\n".join(json.dumps(line) for line in lines))
    return feed


@pytest.fixture(params=[None, 1, 7, 100], ids=lambda depth: f"depth {depth}")
def shelf(request: pytest.FixtureRequest, feed: Path) -> Iterator[Shelf]:
    reranker = None if request.param is None else Reversing(request.param)
    system = fake_system(halves=True, reranker=reranker)
    with Shelf.build(Catalog.open(feed), feed.parent / "shelf", system) as built:
        yield built


def key(product: Product) -> str:
    return ">".join(" ".join(name.split()).lower() for name in product.category)


def by_hand(whole: FoundItem, best: int, first: int) -> list[tuple[str, list[Match]]]:
    """Go through the ranking over everything; only categories within its start count."""
    names = list(dict.fromkeys(key(match.product) for match in whole.matches))
    groups = {name: [m for m in whole.matches if key(m.product) == name] for name in names}
    reach = {key(match.product) for match in whole.matches[:first]}
    return [(name, own[:best]) for name, own in groups.items() if name in reach]


def check_groups(
    item: FoundItem, expected: list[tuple[str, list[Match]]], *, searched_alone: bool = False
) -> None:
    assert item.by_category is not None
    assert [key(group.matches[0].product) for group in item.by_category] == [n for n, _ in expected]
    for group, (_, own) in zip(item.by_category, expected, strict=True):
        assert group.category == group.matches[0].product.category
        assert [m.rank for m in group.matches] == list(range(1, len(own) + 1))
        for match, wanted in zip(group.matches, own, strict=True):
            assert (match.product, match.image, match.box) == (
                wanted.product,
                wanted.image,
                wanted.box,
            )
            assert match.evidence == wanted.evidence
            # Comparing some rows only is rounded in another order.
            assert match.similarity == pytest.approx(
                wanted.similarity, abs=1e-6 if searched_alone else 0
            )


def test_a_group_is_the_whole_ranking_without_other_categories(shelf: Shelf) -> None:
    for seed, best, top in [(3, 1, 20), (77, 5, 1), (3, 8, 20), (78, 100, 3)]:
        whole = shelf.search(pixels(seed), top=10_000)
        found = shelf.search(pixels(seed), top=top, by_category=best)
        plain = shelf.search(pixels(seed), top=top)
        assert len(found.items) == 2
        for item, before, reference in zip(found.items, plain.items, whole.items, strict=True):
            assert item.matches == before.matches
            assert (before.by_category, reference.by_category) == (None, None)
            expected = by_hand(reference, best, COUNT)
            assert len(expected) == 5
            check_groups(item, expected)


def test_the_best_of_a_category_are_found_beyond_what_was_searched(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finding, "CATEGORIES_WITHIN", 6)
    depth = 6 if shelf.system.reranker is None else max(6, shelf.system.reranker.depth)
    left_out = beyond = 0
    with Shelf.open(shelf_folder(shelf), fake_system(halves=True)) as opened:
        for seed in range(200, 206):
            whole = shelf.search(pixels(seed), top=10_000)
            # The shortlist is by the embeddings; re-ranking reorders it and takes nothing in.
            embedded = opened.search(pixels(seed), top=depth)
            found = shelf.search(pixels(seed), top=2, by_category=4)
            for item, reference, shortlist in zip(
                found.items, whole.items, embedded.items, strict=True
            ):
                reached = {match.product.id for match in shortlist.matches}
                reach = {key(match.product) for match in shortlist.matches}
                expected = [(n, own) for n, own in by_hand(reference, 4, COUNT) if n in reach]
                check_groups(item, expected, searched_alone=True)
                left_out += len(expected) < 5
                beyond += sum(m.product.id not in reached for _, own in expected for m in own)
    if depth < COUNT:
        assert left_out
        assert beyond > 50


def shelf_folder(shelf: Shelf) -> Path:
    return Path(shelf.store.properties["root"]) / "shelf"


def test_confidences_go_on_where_the_ranking_ends(shelf: Shelf) -> None:
    (item, _) = shelf.search(pixels(5), top=3, by_category=2).items
    confidences = {match.product.id: match.confidence for match in item.matches}
    assert item.by_category is not None
    in_groups = {m.product.id: m.confidence for g in item.by_category for m in g.matches}
    shared = confidences.keys() & in_groups.keys()
    assert shared
    assert all(in_groups[name] == confidences[name] for name in shared)
    assert sum((confidences | in_groups).values()) <= 1 + 1e-9


def test_a_filter_holds_for_every_category(shelf: Shelf) -> None:
    (item, _) = shelf.search(pixels(5), top=3, by_category=50, filter="price>=30").items
    assert item.by_category is not None
    found = {match.product.id for group in item.by_category for match in group.matches}
    assert found == {f"P{number}" for number in range(30, COUNT)}
    (item, _) = shelf.search(pixels(5), by_category=5, filter="category=Apparel > Shirts").items
    assert [group.category for group in item.by_category] in (
        [("Apparel", "Shirts")],
        [("apparel", "SHIRTS")],
    )
    (item, _) = shelf.search(pixels(5), by_category=5, filter="brand=nobody").items
    assert (item.matches, item.by_category, item.in_catalogue) == ((), (), False)


def test_products_that_vanish_meanwhile_are_left_out(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finding, "CATEGORIES_WITHIN", 6)
    inside, gone = shelf.store.search, [f"P{number}" for number in range(0, COUNT, 4)]

    def search(*arguments):
        hits = inside(*arguments)
        with closing(EmbeddedStore(shelf_folder(shelf), write=True)) as writer:
            writer.delete(gone)
        return hits

    monkeypatch.setattr(shelf.store, "search", search)
    for item in shelf.search(pixels(8), by_category=100).items:
        for group in item.by_category:
            assert not {match.product.id for match in group.matches} & set(gone)
            assert {key(match.product) for match in group.matches} == {
                ">".join(name.lower() for name in group.category)
            }


def test_how_many_must_be_some(shelf: Shelf) -> None:
    for best in (0, -3):
        with pytest.raises(ValueError, match=f"by_category must be at least 1 or None, got {best}"):
            shelf.search(pixels(1), by_category=best)


def match(rank: int, *category: str) -> Match:
    return Match(rank, Product(id=f"p{rank}", category=category), "x.jpg", -rank / 10, 0.1)


def test_grouping_maps_one_item_to_another() -> None:
    found = FoundItem(
        Item((0, 0, 1, 1)),
        (match(1, "A"), match(2), match(3, "A", "B"), match(4, "a "), match(5, "A"), match(6)),
        in_catalogue=True,
    )
    grouped = group_by_category(found, 2)
    assert found.by_category is None
    assert (grouped.item, grouped.matches, grouped.in_catalogue) == (
        found.item,
        found.matches,
        True,
    )
    assert [
        (group.category, [(m.product.id, m.rank, m.similarity) for m in group.matches])
        for group in grouped.by_category
    ] == [
        (("A",), [("p1", 1, -0.1), ("p4", 2, -0.4)]),
        ((), [("p2", 1, -0.2), ("p6", 2, -0.6)]),
        (("A", "B"), [("p3", 1, -0.3)]),
    ]
    assert group_by_category(grouped, 1).by_category[0].matches == (found.matches[0],)
    assert group_by_category(FoundItem(found.item, (), in_catalogue=False), 3).by_category == ()
    with pytest.raises(ValueError, match="best must be at least 1, got 0"):
        group_by_category(found, 0)


def test_the_json_has_groups_only_where_they_were_asked_for() -> None:
    found = FoundItem(Item((0, 0, 1, 1)), (match(1, "A", "B"), match(2)), in_catalogue=True)
    assert list(item_json(found)) == ["item", "matches", "in_catalogue"]
    written = item_json(group_by_category(found, 1))
    assert list(written) == ["item", "matches", "in_catalogue", "by_category"]
    first, second = written["by_category"]
    assert first == {"category": "A > B", "matches": [written["matches"][0]]}
    assert second == {"category": None, "matches": [written["matches"][1] | {"rank": 1}]}


def test_an_empty_shelf_has_no_category(tmp_path: Path) -> None:
    system = fake_system()
    properties = {"system": "fake", "fingerprint": system.fingerprint}
    EmbeddedStore.create(tmp_path / "s", dimension=system.encoder.dimension, properties=properties)
    with Shelf.open(tmp_path / "s", system) as shelf:
        (item,) = shelf.search(np.zeros((1, 1, 3), np.uint8), by_category=5).items
    assert (item.matches, item.by_category) == ((), ())
