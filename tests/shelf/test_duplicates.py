"""Products of a shelf that look the same."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image
from shelf_parts import pixels, product

from snapshelf.errors import FilterError, PictureError
from snapshelf.shelf.duplicates import check_pictures, find_duplicates
from snapshelf.store import parse_filter


def near(seed, much=6):
    """The bytes of a picture that is nearly that of a seed."""
    noise = np.random.default_rng(99).integers(-much, much + 1, (16, 16, 3))
    picture = np.clip(pixels(seed).astype(int) + noise, 0, 255).astype(np.uint8)
    stream = BytesIO()
    Image.fromarray(picture).save(stream, "PNG")
    return stream.getvalue()


def names(groups):
    return [[one.product.id for one in group.duplicates] for group in groups]


@pytest.fixture
def shop(bench):
    """A and B show one file, C nearly D's picture, E alone; A and E share a second picture."""
    for name, seed in {"a": 1, "b": 1, "c": near(2), "d": 2, "e": 3, "sizes": 4}.items():
        bench.write(f"{name}.png", seed)
    bench.update(
        [
            product("C", "c.png", brand="Acme"),
            product("A", "a.png", "sizes.png"),
            product("B", "b.png"),
            product("D", "d.png", brand="Zenith"),
            product("E", "e.png", "sizes.png"),
        ]
    )
    return bench


def test_groups_of_what_looks_the_same(shop):
    steps = []
    groups = find_duplicates(shop.store, on_progress=lambda *done: steps.append(done))
    assert names(groups) == [["A", "B"], ["C", "D"]]
    assert steps == [(1, 1)]
    first, second = groups
    assert first.similarity == 1
    assert first.duplicates[0].image == "a.png"
    assert (first.duplicates[0].other_id, first.duplicates[0].other_image) == ("B", "b.png")
    assert [one.same_picture for one in first.duplicates] == [True, True]
    assert 0.95 < second.similarity < 1
    assert [one.same_picture for one in second.duplicates] == [None, None]
    assert {one.similarity for one in second.duplicates} == {second.similarity}


def test_all_pictures_join_what_shows_the_same_beside_it(shop):
    groups = find_duplicates(shop.store, main=False)
    assert names(groups)[0] == ["A", "B", "E"]
    by_id = {one.product.id: one for one in groups[0].duplicates}
    assert (by_id["E"].image, by_id["E"].other_image) == ("sizes.png", "sizes.png")


def test_the_bound(shop):
    assert names(find_duplicates(shop.store, least=1)) == [["A", "B"]]
    (everything,) = find_duplicates(shop.store, least=-1)
    assert len(everything.duplicates) == 5
    with pytest.raises(ValueError, match="least"):
        find_duplicates(shop.store, least=1.5)


def test_a_filter_leaves_both_of_a_pair(shop):
    assert names(find_duplicates(shop.store, where=parse_filter("brand=Acme|Zenith"))) == [
        ["C", "D"]
    ]
    assert find_duplicates(shop.store, where=parse_filter("brand=Acme")) == []
    with pytest.raises(FilterError, match="colour"):
        find_duplicates(shop.store, where=parse_filter("colour=red"))


def test_a_changed_and_a_removed_product(shop):
    shop.write("b.png", 7)
    shop.update([product(name, f"{name.lower()}.png") for name in "ABCE"])
    assert find_duplicates(shop.store) == []


def test_no_product_and_one(bench):
    assert find_duplicates(bench.store) == []
    bench.write("A.png", 1)
    bench.update([product("A")])
    assert find_duplicates(bench.store, least=-1) == []


def test_a_product_that_vanishes_meanwhile(shop, monkeypatch):
    products = type(shop.store).products
    monkeypatch.setattr(
        type(shop.store),
        "products",
        lambda self, ids: {k: v for k, v in products(self, ids).items() if k != "A"},
    )
    assert names(find_duplicates(shop.store)) == [["C", "D"]]


def test_pictures_are_looked_at(shop):
    problems, steps = [], []
    groups = check_pictures(
        find_duplicates(shop.store, least=-1),
        shop.source.read,
        on_problem=problems.append,
        on_progress=lambda *done: steps.append(done),
    )
    verdicts = {one.product.id: one.same_picture for one in groups[0].duplicates}
    assert verdicts == {"A": True, "B": True, "C": True, "D": True, "E": False}
    assert (problems, steps) == ([], [(1, 1)])


def test_pictures_that_cannot_be_looked_at_are_told(shop):
    (shop.root / "c.png").unlink()
    (shop.root / "a.png").write_bytes(b"no picture")
    problems = []
    shop.source.reads.clear()
    groups = check_pictures(
        find_duplicates(shop.store), shop.source.read, on_problem=problems.append
    )
    assert names(groups) == [["A", "B"], ["C", "D"]]
    assert [[one.same_picture for one in group.duplicates] for group in groups] == [
        [True, True],
        [None, None],
    ]
    assert len(problems) == 1
    assert "c.png" in problems[0]
    assert set(shop.source.reads) == {"c.png", "d.png"}, "one file need not be read to be told"


def test_any_reader_will_do(shop):
    def read(image):
        raise PictureError(f"{image}: away")

    problems = []
    check_pictures(find_duplicates(shop.store), read, on_problem=problems.append)
    assert sorted(problems) == ["c.png: away", "d.png: away"]


@pytest.mark.parametrize("name", ["item_group_id", "Item Group ID"])
def test_variants_of_one_item(bench, name):
    for picture, seed in {"a": 1, "b": 1, "c": 1, "d": 2, "e": 2}.items():
        bench.write(f"{picture}.png", seed)
    shirt, other = {name: "shirt"}, {name: "C"}
    bench.update(
        [
            product("A", "a.png", attributes=shirt),
            product("B", "b.png", attributes=shirt),
            product("C", "c.png"),  # its ID is the name of another's item
            product("D", "d.png", attributes=other),
            product("E", "e.png", attributes=other),
        ]
    )
    assert names(find_duplicates(bench.store)) == [["A", "C"]]
    assert names(find_duplicates(bench.store, variants=True)) == [["A", "B", "C"], ["D", "E"]]
