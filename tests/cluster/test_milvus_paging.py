"""Products are listed and counted from parts of a shelf in Milvus, never from all of it at once."""

from decimal import Decimal

import numpy as np
import pytest
from reference_store import DIMENSION, passes, picture, record

from snapshelf.catalog import Price, Product
from snapshelf.errors import ShelfError
from snapshelf.store import Counts, parse_filter
from snapshelf.store.milvus import faceting, listing, runs
from snapshelf.store.milvus.connection import Connection
from snapshelf.store.milvus.hashes import own_number

pytestmark = pytest.mark.cluster

VECTOR = np.eye(DIMENSION, dtype=np.float32)[0]


def product(name: str, number: int) -> Product:
    return Product(
        id=name,
        title="a boot" if number % 7 == 0 else "a bag",
        brand=f"brand {number % 50}",
        category=("Shoes", f"kind {number % 3}"),
        price=Price(Decimal(number), "EUR"),
        images=("x",),
    )


def stored(writer, names: list[str]) -> list[Product]:
    """Store products of these IDs, in this order; gives them in the order of a listing."""
    products = [product(name, number) for number, name in enumerate(names)]
    writer.upsert([record(each, picture("x", VECTOR)) for each in products], run=1)
    return sorted(products, key=lambda each: each.id)


def walked(store, limit: int, **options: object) -> list[Product]:
    seen: list[Product] = []
    while page := store.listed(after=seen[-1].id if seen else "", limit=limit, **options):
        assert len(page) <= limit
        seen += page
        if len(page) < limit:
            break
    return seen


def odd_ids(count: int) -> list[str]:
    """IDs whose numbers are all odd, so that no sample by an even stride finds one."""
    names = (f"n{number}" for number in range(10 * count))
    return [name for name in names if own_number("id", name) % 2][:count]


ORDERS = {
    "rising": [f"{n:04}" for n in range(150)],
    "falling": [f"{n:04}" for n in reversed(range(150))],
    "mixed": [str(n * 7919 % 1_000) for n in range(150)],
    "odd": odd_ids(150),
    "letters": [("ä", "A", "🥿", "a", "z" * 256)[n % 5] + f"/{n}" for n in range(150)],
}


@pytest.mark.parametrize("order", ORDERS)
def test_a_page_is_found_by_its_upper_end(place, order: str, monkeypatch) -> None:
    monkeypatch.setattr(listing, "ANSWER_ROWS", 16)
    monkeypatch.setattr(listing, "PAGE", 4)
    writer = place.open(write=True)
    products = stored(writer, ORDERS[order])
    assert walked(writer, 4) == products
    assert list(writer.listed(limit=11)) == products[:11]
    assert list(writer.listed(limit=1_000)) == products
    where = parse_filter("brand=brand 1|brand 2|brand 3|brand 4|brand 5")
    assert walked(writer, 3, where=where) == [each for each in products if passes(each, where)]
    boots = [each for each in products if each.title == "a boot"]
    assert walked(writer, 5, words=("boot",)) == boots
    assert list(writer.listed(limit=9, words=("boot",), where=where)) == [
        each for each in boots if passes(each, where)
    ]


def test_a_page_of_a_large_shelf_takes_few_answers(place, monkeypatch) -> None:
    writer = place.open(write=True)
    products = stored(writer, [f"{n:05}" for n in reversed(range(3_000))])
    monkeypatch.setattr(listing, "ANSWER_ROWS", 256)
    read: list[int] = []
    inside = Connection.query

    def counted(self, *given, **named):
        rows = inside(self, *given, **named)
        read.append(len(rows))
        return rows

    monkeypatch.setattr(Connection, "query", counted)
    for start in (0, 1_500, 2_990):
        read.clear()
        after = products[start - 1].id if start else ""
        assert list(writer.listed(after=after, limit=20)) == products[start : start + 20]
        assert len(read) <= 6
        assert sum(read) <= 3 * 256
    read.clear()
    assert writer.count(parse_filter("brand=brand 1")) == Counts(60, 60, 60)
    assert read == []


def test_facets_are_named_by_the_products_first_stored(place, monkeypatch) -> None:
    monkeypatch.setattr(faceting, "NUMBERS_A_QUERY", 7)
    writer = place.open(write=True)
    dear = Product(id="dear", brand="BRAND 3", price=Price(Decimal("1e999"), "eur"), images=("x",))
    stored(writer, [f"{n}" for n in range(120)])
    writer.upsert([record(dear, picture("x", VECTOR))], run=1)
    facets = writer.facets(4)
    assert facets.products == 121
    # Of brands of one size those stand first whose names do.
    assert facets.brands == (("brand 3", 4), ("brand 0", 3), ("brand 1", 3), ("brand 10", 3))
    assert [(each.path[1], each.products, each.example) for each in facets.categories] == [
        ("kind 0", 40, "0"), ("kind 1", 40, "1"), ("kind 2", 40, "2")
    ]  # fmt: skip
    (price,) = facets.prices
    assert (price.currency, price.products, price.least, price.most) == ("EUR", 121, 0, np.inf)


def test_pictures_without_a_region_are_counted(place) -> None:
    writer = place.open(write=True)
    nothing = np.empty((0, DIMENSION), np.float32)
    three = [picture(f"n{n}", nothing) for n in range(3)]
    shown = picture("a", np.stack([VECTOR, -VECTOR]))
    writer.upsert(
        [
            record(Product(id="a", brand="Acme", images=("a",)), shown, *three),
            record(Product(id="b", brand="Acme", images=("n0",)), three[0]),
            record(Product(id="c", brand="Other", images=("n0",)), three[0]),
        ],
        run=1,
    )
    assert writer.count() == Counts(3, 6, 2)
    assert writer.count(parse_filter("brand=acme")) == Counts(2, 5, 2)
    assert writer.count(parse_filter("brand=other")) == Counts(1, 1, 0)


def test_what_a_run_has_not_seen_is_told_from_parts_of_its_marks(place, monkeypatch) -> None:
    monkeypatch.setattr(runs, "MOST_ROWS", 3)
    writer = place.open(write=True)
    names = [f"p{n}" for n in range(40)]
    first = writer.begin_run("feed")
    writer.upsert([record(name, picture(name, VECTOR)) for name in names], run=first)
    second = writer.begin_run("feed")
    for _ in range(3):  # more marks of one product than an answer takes
        writer.touch(names[:20:2], run=second)
    writer.upsert([record(names[0], picture("new", VECTOR))], run=second)
    writer.upsert([record(names[1], picture("new", VECTOR))], run=second)
    run = writer.last_run()
    assert run is not None
    assert run.seen == 11
    assert writer.sweep(run=second) == 29
    assert [each.id for each in writer.listed(limit=99)] == sorted([names[1], *names[:20:2]])
    writer.end_run(run=second)
    assert writer.last_run().seen == 11


def test_an_id_that_is_too_long_for_a_row_is_refused(place) -> None:
    writer = place.open(write=True)
    longest = "ä" * 1_024
    writer.upsert([record(longest, picture("x", VECTOR))], run=1)
    with pytest.raises(ShelfError, match=r"its ID takes 2,049 bytes, and a shelf in Milvus takes"):
        writer.upsert([record("x" + longest, picture("x", VECTOR))], run=1)
    assert [each.id for each in writer.listed(limit=9)] == [longest]
