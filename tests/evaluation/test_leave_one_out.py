"""Queries that are images of the gallery too, and queries that are a part of a picture."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from snapshelf.catalog.product import Product
from snapshelf.datasets.dataset import Query
from snapshelf.errors import DatasetError
from snapshelf.evaluation import evaluate
from snapshelf.evaluation.ranking import product_ranks


@st.composite
def galleries_with_hidden_rows(draw):
    # Small whole numbers: inner products are exact in float32, and ties are frequent.
    row = st.lists(st.integers(-2, 2), min_size=2, max_size=2)
    sizes = draw(st.lists(st.integers(1, 4), min_size=1, max_size=5))
    products = draw(st.permutations([p for p, size in enumerate(sizes) for _ in range(size)]))
    gallery = draw(st.lists(row, min_size=len(products), max_size=len(products)))
    queries = draw(st.integers(1, 5))
    row_queries = [q for q in range(queries) for _ in range(draw(st.integers(1, 3)))]
    query = draw(st.lists(row, min_size=len(row_queries), max_size=len(row_queries)))
    right = [[draw(st.integers(0, len(sizes) - 1))] for _ in range(queries)]
    hidden = {}
    for number in draw(st.sets(st.integers(0, queries - 1))):
        kept = {products.index(p) for p in set(products)}
        others = [image for image in range(len(products)) if image not in kept]
        hidden[number] = draw(st.lists(st.sampled_from(others))) if others else []
    return query, gallery, products, right, row_queries, hidden


@given(case=galleries_with_hidden_rows(), block=st.integers(1, 5))
@settings(max_examples=150, deadline=None)
def test_hidden_rows_are_compared_with_nothing(case, block):
    query, gallery, products, right, row_queries, hidden = case
    ranks = product_ranks(
        np.array(query, np.float32),
        np.array(gallery, np.float32),
        np.array(products),
        right,
        row_queries=np.array(row_queries),
        hidden=hidden,
        block=block,
        top=9,
    )
    for number, (answer,) in enumerate(right):
        best = {}
        for image, product in enumerate(products):
            if image in hidden.get(number, []):
                continue
            for row, owner in enumerate(row_queries):
                if owner == number:
                    similarity = sum(a * b for a, b in zip(query[row], gallery[image], strict=True))
                    best[product] = max(best.get(product, -99), similarity)
        order = sorted(best.items(), key=lambda item: (-item[1], item[0] == answer, item[0]))
        assert ranks.found[number].tolist() == [product for product, _ in order]
        assert ranks.similarities[number].tolist() == [similarity for _, similarity in order]
        assert ranks.best[number] == 1 + [product for product, _ in order].index(answer)


@pytest.mark.parametrize(
    ("hidden", "message"),
    [
        ({0: [2]}, "hidden must leave each product a row, query 0 has one without"),
        ({0: [0, 1, 0]}, "hidden must leave each product a row"),
        ({1: [0]}, r"hidden must name queries in \[0, 1\) and rows in \[0, 3\), got query 1"),
        ({0: [3]}, r"got query 0 and rows \[3\]"),
        ({0: [-1]}, r"got query 0 and rows \[-1\]"),
    ],
)
def test_what_cannot_be_hidden(hidden, message):
    rows = np.eye(3, dtype=np.float32)
    with pytest.raises(ValueError, match=message):
        product_ranks(rows[:1], rows, np.array([4, 4, 9]), [[4]], hidden=hidden)


@pytest.mark.parametrize("name", ["eye", "two_eyes"])
def test_a_query_is_not_found_by_its_own_picture(request, paints, name):
    system = request.getfixturevalue(name)
    white = paints.root / "shop" / "white.png"
    red = Query(paints.root / "street" / "reddish.png", frozenset({"red"}), "warm")
    paints.photos["own"] = [Query(white, frozenset({"white"}), "white"), red]
    first, second = evaluate(system, paints, split="own").outcomes
    other = np.array([250, 255, 255]) - 127.5  # the other image of white
    expected = float(other.sum() / np.linalg.norm(other) / np.sqrt(3))
    assert first.rank == 1
    assert first.found[0].similarity == pytest.approx(expected, abs=1e-6)
    assert expected < 0.9999
    (alone,) = evaluate(system, replace(paints, photos={"test": [red]})).outcomes
    assert [found.product for found in second.found] == [found.product for found in alone.found]
    assert second.found[0].similarity == pytest.approx(alone.found[0].similarity, abs=1e-6)


def test_an_image_that_is_listed_twice_is_left_out_twice(paints, eye):
    white = paints.gallery[3]
    paints.gallery[3] = replace(white, images=(*white.images, "shop/white.png"))
    photo = Query(paints.root / "shop" / "white.png", frozenset({"white"}), "white")
    paints.photos["own"] = [photo]
    assert evaluate(eye, paints, split="own").outcomes[0].found[0].similarity < 0.9999


@pytest.mark.parametrize("right", ["red", "white"])
def test_a_query_without_another_image_is_an_error(paints, eye, right):
    photo = paints.root / "shop" / "red.png"
    paints.photos["own"] = [Query(photo, frozenset({right}), "one")]
    with pytest.raises(DatasetError, match=r"red.png is a query and an image of the gallery: exp"):
        evaluate(eye, paints, split="own")


def test_a_query_is_cut_to_its_box(paints, eye):
    pixels = np.zeros((20, 30, 3), np.uint8)
    pixels[5:15, 10:20] = (255, 0, 0)
    pixels[:, 20:] = (0, 0, 255)
    path = paints.root / "street" / "both.png"
    Image.fromarray(pixels).save(path)
    paints.gallery.append(Product(id="night", images=("shop/black.png",)))
    paints.photos["boxes"] = [
        Query(path, frozenset({"red"}), "box", box=(10, 5, 20, 15)),
        Query(path, frozenset({"blue"}), "box", box=(20.5, 0, 99, 99)),
        Query(path, frozenset({"black"}), "whole"),
    ]
    red, blue, black = evaluate(eye, paints, split="boxes").outcomes
    assert red.rank == blue.rank == 1
    assert red.found[0].similarity == pytest.approx(1, abs=1e-6)
    assert blue.found[0].similarity == pytest.approx(1, abs=1e-6)
    assert {found.product for found in black.found[:2]} == {"black", "night"}
