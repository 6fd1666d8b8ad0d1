"""Counts by category, brand and price, compared with counting by hand."""

from collections import Counter
from decimal import Decimal

import numpy as np
import pytest
from reference_store import picture, random_unit, record

from snapshelf.catalog import Price, Product
from snapshelf.errors import FilterError
from snapshelf.store import VectorStore, parse_filter
from snapshelf.store.filters import category_key

PATHS = [(), ("Shoes",), ("Shoes", "Boots"), ("SHOES", "boots"), ("Bags",), ("x > y",)]
BRANDS = ["", "Acme", "ACME", "Zenith", "Émile"]


def filled(store: VectorStore, number: int = 60) -> list[Product]:
    rng = np.random.default_rng(3)
    run = store.begin_run("feed")
    products = []
    for n in range(number):
        price = None
        if n % 4:
            price = Price(Decimal(int(rng.integers(0, 9000))) / 100, ("EUR", "", "USD")[n % 3])
        products.append(
            Product(
                id=f"P{n}",
                category=PATHS[rng.integers(len(PATHS))],
                brand=BRANDS[rng.integers(len(BRANDS))],
                price=price,
                images=(f"{n}.jpg",),
                attributes={"colour": "red" if n % 2 else "blue"},
            )
        )
    store.upsert(
        [record(each, picture(each.images[0], random_unit(rng, 1))) for each in products], run=run
    )
    store.end_run(run=run)
    return products


@pytest.mark.parametrize("where", [None, "colour=red", "price<40", "brand=acme", "category=shoes"])
def test_facets_are_what_counting_by_hand_gives(store: VectorStore, where: str | None) -> None:
    products = filled(store)
    chosen = None if where is None else parse_filter(where)
    if where == "colour=red":
        products = [each for each in products if each.attributes["colour"] == "red"]
    elif where == "price<40":
        products = [each for each in products if each.price and each.price.amount < 40]
    elif where == "brand=acme":
        products = [each for each in products if each.brand.casefold() == "acme"]
    elif where == "category=shoes":
        products = [each for each in products if each.category[:1] in (("Shoes",), ("SHOES",))]
    facets = store.facets(100, chosen)
    assert facets.products == len(products)
    assert {category_key(each.path): each.products for each in facets.categories} == Counter(
        category_key(each.category) for each in products if each.category
    )
    by_id = {each.id: each for each in products}
    assert all(by_id[each.example].category == each.path for each in facets.categories)
    assert {name.casefold(): size for name, size in facets.brands} == Counter(
        each.brand.casefold() for each in products if each.brand
    )
    for facet in facets.prices:
        amounts = [
            float(each.price.amount)
            for each in products
            if each.price and each.price.currency == facet.currency
        ]
        assert (facet.products, facet.least, facet.most) == (
            len(amounts),
            min(amounts),
            max(amounts),
        )
    assert sum(each.products for each in facets.prices) == sum(
        each.price is not None for each in products
    )
    for sizes in (
        [each.products for each in facets.categories],
        [size for _, size in facets.brands],
        [each.products for each in facets.prices],
    ):
        assert sizes == sorted(sizes, reverse=True)


def test_the_smallest_are_left_out(store: VectorStore) -> None:
    filled(store)
    whole, cut = store.facets(100), store.facets(2)
    assert (cut.categories, cut.brands) == (whole.categories[:2], whole.brands[:2])
    assert cut.prices == whole.prices[:2]


def test_an_empty_store_has_none(store: VectorStore) -> None:
    facets = store.facets(5)
    assert (facets.products, facets.categories, facets.brands, facets.prices) == (0, (), (), ())


def test_what_cannot_be_counted_is_an_error(store: VectorStore) -> None:
    filled(store, 3)
    with pytest.raises(ValueError, match="most must be at least 1, got 0"):
        store.facets(0)
    with pytest.raises(FilterError, match="no product has an attribute 'size'"):
        store.facets(5, parse_filter("size=3"))
