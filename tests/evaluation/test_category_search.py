"""A search within the query's category, against counting."""

from pathlib import Path

import numpy as np
import pytest

from snapshelf.catalog.product import Product
from snapshelf.datasets.dataset import Query
from snapshelf.errors import DatasetError
from snapshelf.evaluation.category_search import search_within_categories

KINDS = ("cup", "mug", "cup", "plate", "cup", "mug", "cup")
GALLERY = tuple(
    Product(id=f"p{number}", category=("Kitchen", kind), images=(f"{number}.png",))
    for number, kind in enumerate(KINDS)
)
IMAGES = np.array([0, 0, 1, 2, 3, 4, 4, 4, 5, 6])


def query(number, category, *right):
    return Query(Path(f"clip-{number}"), frozenset(f"p{own}" for own in right), category)


def test_ranks_are_counted_among_the_products_of_the_category():
    rng = np.random.default_rng(0)
    asked = [("cup", 0), ("mug", 1), ("cup", 2, 4), ("cup", 6, 1), ("mug", 5, 1), ("Kitchen", 3)]
    queries = [query(number, *asked[number % len(asked)]) for number in range(60)]
    similarities = rng.integers(-3, 4, (60, len(IMAGES))).astype(np.float32)
    compared = []

    def compare(some, images):
        compared.append((some.tolist(), images.tolist()))
        return similarities[np.ix_(some, images)]

    found = search_within_categories(compare, IMAGES, queries, GALLERY)
    assert found.queries is queries
    assert [product.id for product in found.gallery] == [product.id for product in GALLERY]
    assert found.ranks.products == len(GALLERY)
    assert sorted(number for some, _ in compared for number in some) == list(range(60))
    for number, one in enumerate(queries):
        own = [at for at, each in enumerate(GALLERY) if one.category in each.category]
        best = {at: similarities[number][at == IMAGES].max() for at in own}
        right = [at for at in own if GALLERY[at].id in one.products]
        wrong = [best[at] for at in own if at not in right]
        values = sorted((best[at] for at in right), reverse=True)
        expected = [
            1 + place + sum(each >= value for each in wrong) for place, value in enumerate(values)
        ]
        starts = found.ranks.starts[number : number + 2]
        assert found.ranks.ranks[slice(*starts)].tolist() == expected
        # As many first places as the smallest category has products: of mugs there are two.
        first = found.ranks.found[number].tolist()
        assert len(first) == 2
        shown = [GALLERY[at] for at in first]
        assert all(one.category in each.category for each in shown)
        assert [best[at] for at in first] == found.ranks.similarities[number].tolist()
        assert found.ranks.similarities[number, 0] == max(best.values())


def test_the_gallery_is_what_is_searched():
    queries = [query(0, "mug", 1), query(1, "mug", 5)]
    rows = np.array([[0.5, 0.9], [0.5, 0.9]], np.float32)
    found = search_within_categories(lambda some, images: rows, IMAGES, queries, GALLERY)
    assert [product.id for product in found.gallery] == ["p1", "p5"]
    assert (found.ranks.products, found.ranks.ranks.tolist()) == (2, [2, 1])
    assert found.ranks.found.tolist() == [[1, 0], [1, 0]]


def test_a_product_without_an_image_is_not_searched():
    gallery = (*GALLERY[:5], Product(id="p5", category=("Kitchen", "mug")), GALLERY[6])
    images = IMAGES[IMAGES != 5]
    found = search_within_categories(
        lambda some, images: np.ones((len(some), len(images)), np.float32),
        images,
        [query(0, "mug", 1)],
        gallery,
    )
    assert [product.id for product in found.gallery] == ["p1"]
    assert found.ranks.ranks.tolist() == [1]


MISTAKES = [
    (
        query(7, "fork", 1),
        "clip-7 is of the category 'fork', .* of Kitchen, cup, mug",
    ),
    (query(7, "", 1), "clip-7 has no category, .* narrowed = 'none'"),
    (query(7, "plate", 1), "clip-7 is of the category 'plate', and none of its right products is"),
    (query(7, "mug", 9), "the right product 'p9' is not in the gallery"),
]


@pytest.mark.parametrize(("bad", "message"), MISTAKES)
def test_a_query_that_cannot_be_searched_for_within_its_category(bad, message):
    def compare(some, images):
        return np.zeros((len(some), len(images)), np.float32)

    with pytest.raises(DatasetError, match=message):
        search_within_categories(compare, IMAGES, [query(0, "mug", 1), bad], GALLERY)


def test_a_gallery_without_categories_says_so():
    gallery = [Product(id=f"p{n}", images=("a.png",)) for n in range(len(KINDS))]
    with pytest.raises(DatasetError, match=r"'mug', .* gallery is, which knows none"):
        search_within_categories(
            lambda some, images: np.zeros((1, 1), np.float32),
            IMAGES,
            [query(0, "mug", 1)],
            gallery,
        )
