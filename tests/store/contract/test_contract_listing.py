"""Products listed page by page, as every store must."""

import numpy as np
import pytest
from reference_store import picture, random_unit, record

from snapshelf.catalog import Product
from snapshelf.errors import FilterError
from snapshelf.store import VectorStore, parse_filter
from snapshelf.store.words import fold_words, holds_words

TITLES = {
    "b/2": "Red boot",
    "B/2": "red BOOT, wide",
    "a": "Straße",
    "ä": 'A "quoted" \\ title',
    "🥿": "line\nbreak",
    "z" * 256: "Bag",
    "": "",
}


def fill(store: VectorStore, titles: dict[str, str], run: int = 0) -> None:
    run = run or store.begin_run("test")
    rng = np.random.default_rng(3)
    records = [
        record(
            Product(
                id=name,
                title=title,
                brand="Acme" if number % 2 else "Zenith",
                category=("Shoes", "Flat"),
                description="hidden",
                images=("x.png",),
            ),
            picture("x.png", random_unit(rng, 1)),
        )
        for number, (name, title) in enumerate(titles.items())
        if name
    ]
    store.upsert(records, run=run)


def walk(store: VectorStore, limit: int, **options: object) -> list[str]:
    seen: list[str] = []
    while page := store.listed(after=seen[-1] if seen else "", limit=limit, **options):
        assert len(page) <= limit
        seen += [product.id for product in page]
    return seen


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
def test_every_product_is_listed_once_in_order(store: VectorStore, limit: int) -> None:
    assert walk(store, limit) == []
    fill(store, TITLES)
    assert walk(store, limit) == sorted(name for name in TITLES if name)
    assert store.listed(limit=1)[0] == store.products(["B/2"])["B/2"]


def test_a_listing_that_is_under_way_stands_changes(store: VectorStore) -> None:
    fill(store, {f"{n:03}": "x" for n in range(0, 20, 2)})
    first = [product.id for product in store.listed(limit=4)]
    store.delete([first[-1], first[0]])
    fill(store, {"001": "new", "013": "new", "014": "changed"})
    rest = [product.id for product in store.listed(after=first[-1], limit=100)]
    assert rest == ["008", "010", "012", "013", "014", "016", "018"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("boot", ["B/2", "b/2"]),
        ("WIDE red", ["B/2"]),
        ("strasse", ["a"]),
        ('"QUOTED"', ["ä"]),
        ("\\", ["ä"]),
        ("b/", ["B/2", "b/2"]),
        ("line break", ["🥿"]),
        ("hidden", []),
        ("title:", []),
        ('title":"', []),
        ("acme flat shoes", ["B/2", "z" * 256, "ä"]),
        ("%", []),
        ("'; --", []),
    ],
)
def test_words_are_looked_for_in_what_a_product_is_called(store, text, expected) -> None:
    fill(store, TITLES)
    words = fold_words(text)
    assert walk(store, 2, words=words) == expected
    every = store.listed(limit=100)
    assert [p.id for p in every if holds_words(p, words)] == expected


def test_a_filter_and_words_both_hold(store: VectorStore) -> None:
    fill(store, TITLES)
    acme = walk(store, 1, where=parse_filter("brand=acme"))
    assert acme == [p.id for p in store.listed(limit=100) if p.brand == "Acme"]
    both = walk(store, 1, where=parse_filter("brand=acme"), words=("boot",))
    assert both == [name for name in acme if "boot" in TITLES[name].casefold()] == ["B/2"]
    with pytest.raises(FilterError, match="colour"):
        store.listed(limit=1, where=parse_filter("colour=red"))


@pytest.mark.parametrize("limit", [0, -1])
def test_a_page_of_nothing_is_refused(store: VectorStore, limit: int) -> None:
    with pytest.raises(ValueError, match="limit must be at least 1"):
        store.listed(limit=limit)
