"""Ranks and metrics against slow loops over every query and product."""

import math
import tracemalloc
from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snapshelf.evaluation import ranking
from snapshelf.evaluation.metrics import (
    average_precision_at,
    mean_rank,
    median_rank,
    top_k,
    top_percent,
)
from snapshelf.evaluation.ranking import product_ranks
from snapshelf.matching import Distance


def slow_ranking(query, gallery, gallery_products, right, row_queries):
    """Every query's products, first to last, as (product, similarity); exact arithmetic."""
    rankings = []
    for number, answers in enumerate(right):
        rows = [row for row, owner in enumerate(row_queries) if owner == number]
        best = {}
        for image, product in enumerate(gallery_products):
            for row in rows:
                similarity = sum(
                    int(a) * int(b) for a, b in zip(query[row], gallery[image], strict=True)
                )
                best[int(product)] = max(best.get(int(product), -(10**9)), similarity)
        rankings.append(
            sorted(best.items(), key=lambda item: (-item[1], item[0] in set(answers), item[0]))
        )
    return rankings


def slow_average_precision(ranking, answers, k):
    seen, total = 0, 0.0
    for place, (product, _) in enumerate(ranking[:k], start=1):
        if product in answers:
            seen += 1
            total += seen / place
    return total / len(answers)


@st.composite
def small_galleries(draw):
    # Small whole numbers: inner products are exact in float32, and ties are frequent.
    value = st.integers(-2, 2)
    depth = draw(st.integers(1, 3))
    row = st.lists(value, min_size=depth, max_size=depth)
    images = draw(st.integers(1, 9))
    gallery = draw(st.lists(row, min_size=images, max_size=images))
    numbers = st.sampled_from([0, 1, 2, 3, 7, 2**62, -5])
    products = draw(st.lists(numbers, min_size=images, max_size=images))
    right = draw(st.lists(st.lists(numbers, min_size=1, max_size=5), min_size=1, max_size=6))
    row_queries = [q for q in range(len(right)) for _ in range(draw(st.integers(1, 3)))]
    query = draw(st.lists(row, min_size=len(row_queries), max_size=len(row_queries)))
    return (
        np.array(query, np.float32),
        np.array(gallery, np.float32),
        np.array(products, np.int64),
        right,
        np.array(row_queries),
    )


@given(case=small_galleries(), block=st.integers(1, 5), k=st.integers(1, 12), top=st.integers(0, 9))
@settings(max_examples=300, deadline=None)
def test_ranks_and_metrics_are_those_of_the_slow_loops(case, block, k, top):
    query, gallery, products, right, row_queries = case
    expected = slow_ranking(query, gallery, products, right, row_queries)

    ranks = product_ranks(
        query, gallery, products, right, row_queries=row_queries, block=block, top=top
    )

    best, precisions = [], []
    for number, (answers, order) in enumerate(zip(right, expected, strict=True)):
        places = {product: place for place, (product, _) in enumerate(order, start=1)}
        own = sorted(places.get(answer, math.inf) for answer in set(answers))
        assert ranks.ranks[ranks.starts[number] : ranks.starts[number + 1]].tolist() == own
        best.append(own[0])
        precisions.append(slow_average_precision(order, set(answers), k))
        assert ranks.found[number].tolist() == [product for product, _ in order[:top]]
        assert ranks.similarities[number].tolist() == [value for _, value in order[:top]]
        wrong = [value for product, value in order if product not in answers]
        assert (ranks.wrong[number] == wrong[0]) if wrong else np.isnan(ranks.wrong[number])
    assert ranks.products == len(set(products.tolist()))
    assert top_k(ranks, k) == sum(rank <= k for rank in best) / len(best)
    one_percent = math.ceil(len(set(products.tolist())) / 100)
    assert top_percent(ranks) == sum(rank <= one_percent for rank in best) / len(best)
    assert average_precision_at(ranks, k) == pytest.approx(sum(precisions) / len(precisions))
    assert mean_rank(ranks) == pytest.approx(sum(best) / len(best))
    middle = sorted(best)[(len(best) - 1) // 2 : len(best) // 2 + 1]
    assert median_rank(ranks) == sum(middle) / len(middle)


def unit(rng, rows, depth):
    values = rng.standard_normal((rows, depth)).astype(np.float32)
    return values / np.linalg.norm(values, axis=1, keepdims=True)


def test_random_embeddings_rank_as_sorting_ranks_them():
    rng = np.random.default_rng(0)
    query, gallery = unit(rng, 300, 32), unit(rng, 500, 32)
    products = rng.integers(0, 120, 500)
    right = [rng.choice(130, size=rng.integers(1, 9), replace=False).tolist() for _ in range(300)]
    ranks = product_ranks(query, gallery, products, right, block=64)

    exact = query.astype(np.float64) @ gallery.T.astype(np.float64)
    present = np.unique(products)
    for number, answers in enumerate(right):
        best = {int(p): exact[number, products == p].max() for p in present}
        order = sorted(best, key=best.__getitem__, reverse=True)
        expected = sorted(order.index(a) + 1 if a in best else math.inf for a in answers)
        assert ranks.ranks[ranks.starts[number] : ranks.starts[number + 1]].tolist() == expected
        assert ranks.found[number].tolist() == order[:5]


def slow_similarities(query, gallery, distance):
    query, gallery = query.astype(np.float64), gallery.astype(np.float64)
    if distance == "l1":
        apart = np.stack([np.abs(gallery - one).sum(axis=1) for one in query])
        return 1 - apart / math.sqrt(query.shape[1])
    if distance == "l2":
        return 1 - np.stack([((gallery - one) ** 2).sum(axis=1) for one in query]) / 2
    return query @ gallery.T


@pytest.mark.parametrize("distance", get_args(Distance))
@pytest.mark.parametrize("block", [7, 256])
def test_each_distance_ranks_as_brute_force_does(distance, block):
    rng = np.random.default_rng(4)
    query, gallery = unit(rng, 90, 24), unit(rng, 300, 24)
    products = rng.integers(0, 80, 300)
    row_queries = np.repeat(np.arange(45), 2)
    right = [rng.choice(80, size=rng.integers(1, 4), replace=False).tolist() for _ in range(45)]
    hidden = {3: [0, 5], 7: [9]}
    ranks = product_ranks(
        query, gallery, products, right,
        row_queries=row_queries, hidden=hidden, distance=distance, block=block, top=80,
    )  # fmt: skip
    exact = slow_similarities(query, gallery, distance)
    for number, answers in enumerate(right):
        own = exact[2 * number : 2 * number + 2].max(axis=0)
        own[hidden.get(number, [])] = -9
        best = {int(p): own[products == p].max() for p in np.unique(products)}
        order = sorted(best, key=best.__getitem__, reverse=True)
        expected = sorted(order.index(a) + 1 if a in best else math.inf for a in set(answers))
        assert ranks.ranks[ranks.starts[number] : ranks.starts[number + 1]].tolist() == expected
        assert ranks.found[number].tolist() == order
        np.testing.assert_allclose(
            ranks.similarities[number], [best[p] for p in order], rtol=0, atol=2e-6
        )


def test_l1_orders_otherwise_than_cosine():
    query = np.array([[1, 0, 0, 0]], np.float32)
    gallery = np.array([[0.9, 0.436, 0, 0], [0.95, 0.18, 0.18, 0.18]], np.float32)
    for distance, expected in (("cosine", [1, 0]), ("l2", [1, 0]), ("l1", [0, 1])):
        ranks = product_ranks(query, gallery, np.arange(2), [[0]], distance=distance)
        assert ranks.found.tolist() == [expected]


@pytest.mark.parametrize("distance", get_args(Distance))
@pytest.mark.parametrize("block", [1, 3, 256])
@pytest.mark.parametrize("depth", [3, 64, 1280])
def test_equal_pictures_tie_whatever_the_rounding(depth, block, distance):
    # The same picture in 200 products, at every position of the matrix product's kernels, one
    # of them off in its last bits as another batch would give it.
    rng = np.random.default_rng(depth)
    query = unit(rng, 7, depth)
    gallery = np.repeat(unit(rng, 1, depth), 200, axis=0)
    gallery[100:] = np.nextafter(gallery[100:], np.float32(2))
    right = [[int(number)] for number in rng.integers(0, 200, 7)]
    ranks = product_ranks(query, gallery, np.arange(200), right, block=block, distance=distance)
    assert ranks.best.tolist() == [200.0] * 7
    assert mean_rank(ranks) == 200


def test_a_difference_beyond_rounding_is_no_tie():
    query = np.array([[1, 0]], np.float32)
    gallery = np.array([[0.9, 0], [0.9 - 2e-6, 0]], np.float32)
    for distance in get_args(Distance):
        ranks = product_ranks(query, gallery, np.array([4, 5]), [[4]], distance=distance)
        assert ranks.best.tolist() == [1.0]


def test_equal_relevant_products_take_one_place_each_behind_the_tied_irrelevant_one():
    query = np.ones((1, 2), np.float32)
    gallery = np.ones((4, 2), np.float32)
    ranks = product_ranks(query, gallery, np.array([8, 6, 9, 7]), [[9, 6, 9]], top=4)
    assert ranks.ranks.tolist() == [3.0, 4.0]
    assert ranks.found.tolist() == [[7, 8, 6, 9]]


def test_one_image_is_found_and_a_product_without_image_never():
    query = np.array([[-1.0], [-1.0]], np.float32)
    ranks = product_ranks(query, np.ones((1, 1), np.float32), np.array([2**60]), [[2**60], [3]])
    assert ranks.best.tolist() == [1.0, math.inf]
    assert ranks.similarities.tolist() == [[-1.0], [-1.0]]
    assert top_k(ranks, 1000) == 0.5
    assert average_precision_at(ranks, 7) == 0.5
    assert mean_rank(ranks) == math.inf


def test_more_than_k_right_products_cannot_reach_one():
    query = np.ones((1, 1), np.float32)
    gallery = np.ones((9, 1), np.float32)
    ranks = product_ranks(query, gallery, np.arange(9), [list(range(9))])
    assert average_precision_at(ranks, 7) == pytest.approx(7 / 9)


@pytest.mark.parametrize(
    ("products", "k"), [(1, 1), (99, 1), (100, 1), (101, 2), (700, 7), (701, 8)]
)
def test_one_percent_rounds_up_exactly(products, k):
    gallery = np.linspace(1, 0.5, products, dtype=np.float32)[:, np.newaxis]
    query = np.ones((products, 1), np.float32)
    ranks = product_ranks(query, gallery, np.arange(products), [[p] for p in range(products)])
    assert top_percent(ranks) == pytest.approx(k / products)


def test_selecting_queries_keeps_their_ranks():
    rng = np.random.default_rng(1)
    right = [[0], [1, 2], [3], [4, 5, 6]]
    arguments = (unit(rng, 20, 4), np.arange(20))
    query = unit(rng, 4, 4)
    keep = np.array([False, True, False, True])
    selected = product_ranks(query, *arguments, right).select(keep)
    alone = product_ranks(query[keep], *arguments, [right[1], right[3]])
    assert not selected.added.any()
    for name in (
        "ranks", "starts", "found", "similarities", "added", "wrong", "wrong_added", "products"
    ):  # fmt: skip
        assert np.array_equal(getattr(selected, name), getattr(alone, name)), name
    with pytest.raises(ValueError, match=r"bool of shape \(2,\), got int64"):
        selected.select(np.array([0, 1]))


def test_memory_does_not_grow_with_the_queries(monkeypatch):
    monkeypatch.setattr(ranking, "HELD", 2**16)
    rng = np.random.default_rng(2)
    gallery, products = unit(rng, 8192, 8), np.arange(8192)
    peaks = []
    for queries in (64, 512):
        query = unit(rng, queries, 8)
        right = [[number] for number in range(queries)]
        tracemalloc.start()
        product_ranks(query, gallery, products, right)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.5 * peaks[0]
    assert peaks[1] < 512 * 8192 * 4 / 4


@pytest.mark.parametrize("distance", get_args(Distance))
def test_a_gallery_in_order_is_not_held_twice(distance):
    rng = np.random.default_rng(5)
    gallery = rng.standard_normal((4_000, 1_024)).astype(np.float32)
    query = rng.standard_normal((2, 1_024)).astype(np.float32)
    products = np.arange(4_000) // 2
    order = rng.permutation(4_000)
    product_ranks(query, gallery[:2], products[:2], [[0], [0]], distance=distance)
    tracemalloc.start()
    found = product_ranks(query, gallery, products, [[7], [1_999]], distance=distance)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < gallery.nbytes / 2
    mixed = product_ranks(query, gallery[order], products[order], [[7], [1_999]], distance=distance)
    np.testing.assert_array_equal(found.ranks, mixed.ranks)
    np.testing.assert_array_equal(found.found, mixed.found)


ROWS = np.ones((2, 3), np.float32)
BAD = [
    ({"query_embeddings": np.ones((2, 4), np.float32)}, "same length D, got 4 and 3"),
    ({"query_embeddings": np.ones((0, 3), np.float32)}, "query_embeddings must be float32"),
    ({"query_embeddings": np.ones((2, 3))}, r"got float64 of shape \(2, 3\)"),
    ({"gallery_embeddings": np.ones((0, 3), np.float32)}, r"float32 of shape \(rows, D\) with at"),
    (
        {"query_embeddings": np.array([[1, 1, 1], [1, np.nan, 1]], np.float32)},
        "query_embeddings must be finite, row 1",
    ),
    (
        {"gallery_embeddings": np.array([[np.inf, 1, 1], [1, 1, 1]], np.float32)},
        "gallery_embeddings must be finite, row 0",
    ),
    ({"gallery_products": np.array([0])}, r"gallery_products must have shape \(2,\), got \(1,\)"),
    ({"relevant": [[0], []]}, "query 1 has no relevant product"),
    ({"relevant": [[0]]}, "each of the 2 queries, got 1"),
    ({"row_queries": np.array([1, 0])}, "row_queries must be ascending"),
    ({"row_queries": np.array([0])}, r"row_queries must be ascending with shape \(2,\)"),
    ({"row_queries": np.array([0, 2])}, r"row_queries must be in \[0, 2\), got 0 to 2"),
    ({"row_queries": np.array([1, 1])}, "query 0 has no row"),
    ({"top": -1}, "top must be at least 0"),
    ({"block": 0}, "block at least 1"),
]


@pytest.mark.parametrize(("changed", "message"), BAD)
def test_bad_arguments_are_named(changed, message):
    arguments = {
        "query_embeddings": ROWS,
        "gallery_embeddings": ROWS,
        "gallery_products": np.array([0, 1]),
        "relevant": [[0], [1]],
    }
    with pytest.raises(ValueError, match=message):
        product_ranks(**(arguments | changed))


def test_metrics_refuse_no_query_and_a_bad_k():
    ranks = product_ranks(ROWS, ROWS, np.array([0, 1]), [[0], [1]])
    none = ranks.select(np.array([False, False]))
    for metric in (mean_rank, median_rank, top_percent):
        with pytest.raises(ValueError, match="at least one query"):
            metric(none)
    for metric in (top_k, average_precision_at):
        with pytest.raises(ValueError, match="k must be at least 1, got 0"):
            metric(ranks, 0)
    for percent in (0, 101):
        with pytest.raises(ValueError, match=f"percent must be from 1 to 100, got {percent}"):
            top_percent(ranks, percent)
