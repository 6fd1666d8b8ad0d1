"""Products like one of the shelf's own, and changing single products."""

import pytest
from shelf_parts import Bench, product

from snapshelf.catalog import Entry, Problem
from snapshelf.errors import ShelfLockedError
from snapshelf.shelf.changing import put_products, remove_products
from snapshelf.shelf.similar import find_similar
from snapshelf.store import EmbeddedStore, parse_filter


@pytest.fixture
def five(bench: Bench) -> Bench:
    for seed in range(5):
        bench.write(f"{seed}.png", seed)
    bench.update([product(f"p{seed}", f"{seed}.png", brand=f"b{seed % 2}") for seed in range(5)])
    return bench


def test_a_product_is_no_match_of_its_own_and_the_rest_is_in_order(five: Bench) -> None:
    found = find_similar(five.store, "p1", top=10)
    expected = [(name, image, s) for name, image, s in five.nearest(1, 5) if name != "p1"]
    assert [(m.product.id, m.image, round(m.similarity, 3)) for m in found] == expected
    assert [m.rank for m in found] == [1, 2, 3, 4]
    assert find_similar(five.store, "p1", top=2) == found[:2]


def test_a_filter_need_not_hold_for_the_product_itself(five: Bench) -> None:
    found = find_similar(five.store, "p1", top=10, where=parse_filter("brand=b0"))
    assert {m.product.id for m in found} == {"p0", "p2", "p4"}


def test_an_unknown_product_is_told_from_one_without_matches(five: Bench) -> None:
    assert find_similar(five.store, "P1", top=3) is None
    assert find_similar(five.store, "p1", top=3, where=parse_filter("id=p1")) == ()
    with pytest.raises(ValueError, match="top must be at least 1, got 0"):
        find_similar(five.store, "p1", top=0)


def test_single_products_are_put_and_removed_while_the_rest_stays(five: Bench) -> None:
    five.store.note("root", str(five.root))
    five.write("new.png", 9)
    five.store.close()
    problems: list[Problem] = []
    entries = [Entry(product("new", "new.png"), 1), Entry(product("no", "missing.png"), 2)]
    report = put_products(five.path, five.system, entries, feed="test", on_problem=problems.append)
    assert (report.changed, report.skipped) == (1, 1)
    assert {problem.product_id for problem in problems} == {"no"}
    assert remove_products(five.path, ["p0", "gone"]) == {"p0"}
    five.store = EmbeddedStore(five.path, write=True)
    assert five.store.count().products == 5
    assert five.nearest(9)[0][0] == "new"
    with pytest.raises(ShelfLockedError):
        remove_products(five.path, ["p1"])
