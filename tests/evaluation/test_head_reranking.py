"""Re-ranked ranks against slow loops written from the rule, and against what a search gives."""

import math
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snapshelf.evaluation import ranking
from snapshelf.evaluation.head_reranking import HeadReranking
from snapshelf.evaluation.ranking import product_ranks


@st.composite
def cases(draw):
    """Galleries of small whole numbers, whose inner products are exact and often tied."""
    value = st.integers(-2, 2)
    row = st.lists(value, min_size=2, max_size=2)
    sizes = draw(st.lists(st.integers(1, 3), min_size=1, max_size=7))
    products = draw(st.permutations([p for p, size in enumerate(sizes) for _ in range(size)]))
    gallery = draw(st.lists(row, min_size=len(products), max_size=len(products)))
    queries = draw(st.integers(1, 4))
    row_queries = [q for q in range(queries) for _ in range(draw(st.integers(1, 3)))]
    query = draw(st.lists(row, min_size=len(row_queries), max_size=len(row_queries)))
    number = st.integers(0, len(sizes))  # one more than there are: a product without an image
    right = [draw(st.lists(number, min_size=1, max_size=3)) for _ in range(queries)]
    hidden = {}
    for number in draw(st.sets(st.integers(0, queries - 1))):
        kept = {products.index(p) for p in set(products)}
        others = [image for image in range(len(products)) if image not in kept]
        hidden[number] = draw(st.lists(st.sampled_from(others))) if others else []
    # What the re-ranker finds of each image, the same for every row but for a shift.
    judged = draw(st.lists(st.integers(-2, 2), min_size=len(products), max_size=len(products)))
    return query, gallery, products, right, row_queries, hidden, judged


def slow_order(query, gallery, products, answers, rows, hidden, judge, depth):
    """A query's products in order, as (product, similarity, added), by loops from the rule."""
    best = {}
    for row in rows:
        first = {}
        for image, product in enumerate(products):
            if image not in hidden:
                value = sum(a * b for a, b in zip(query[row], gallery[image], strict=True))
                if product not in first or value > first[product][0]:
                    first[product] = (value, image)
        shortlist = sorted(first, key=lambda p: (-first[p][0], p in answers, p))
        head, tail = shortlist[:depth], shortlist[depth:]
        found = {p: judge(row, first[p][0], first[p][1]) for p in head}
        lowest = min(found.values())
        keys = {p: (found[p], True, first[p][0]) for p in head}
        keys |= {p: (min(lowest, first[p][0]), False, first[p][0]) for p in tail}
        for product, key in keys.items():
            best[product] = max(best.get(product, key), key)
    order = sorted(best, key=lambda p: ([-part for part in best[p]], p in answers, p))
    return [(product, best[product][0], best[product][0] - best[product][2]) for product in order]


@given(case=cases(), depth=st.integers(1, 9), block=st.integers(1, 5), top=st.integers(0, 9))
@settings(max_examples=400, deadline=None)
def test_ranks_are_those_of_the_slow_loops(case, depth, block, top):
    query, gallery, products, right, row_queries, hidden, judged = case
    asked = {}

    def judge(row, similarities, images):
        assert (np.diff(similarities) <= 0).all()
        assert len({products[image] for image in images}) == len(images)
        asked[row] = len(images)
        return [slow_judge(row, s, i) for s, i in zip(similarities, images, strict=True)]

    def slow_judge(row, similarity, image):
        return judged[image] + row % 2 if judged[0] else float(similarity) * judged[image]

    ranks = product_ranks(
        np.array(query, np.float32),
        np.array(gallery, np.float32),
        np.array(products),
        right,
        row_queries=np.array(row_queries),
        hidden=hidden,
        rerank=HeadReranking(depth, judge),
        block=block,
        top=top,
    )

    assert asked == dict.fromkeys(range(len(query)), min(depth, len(set(products))))
    for number, answers in enumerate(right):
        rows = [row for row, owner in enumerate(row_queries) if owner == number]
        order = slow_order(
            query, gallery, products, set(answers), rows, hidden.get(number, ()), slow_judge, depth
        )
        places = {product: place for place, (product, *_) in enumerate(order, start=1)}
        own = sorted(places.get(answer, math.inf) for answer in set(answers))
        assert ranks.ranks[ranks.starts[number] : ranks.starts[number + 1]].tolist() == own
        assert ranks.found[number].tolist() == [product for product, *_ in order[:top]]
        assert ranks.similarities[number].tolist() == [value for _, value, _ in order[:top]]
        added = [gain for *_, gain in order]
        assert ranks.added[number].tolist() == np.float32(added[:top]).tolist()
        wrong = [(value, gain) for product, value, gain in order if product not in answers]
        given_wrong = ranks.wrong[number], ranks.wrong_added[number]
        assert given_wrong == tuple(np.float32(wrong[0])) if wrong else np.isnan(given_wrong).all()


@given(case=cases(), depth=st.integers(1, 9))
@settings(max_examples=150, deadline=None)
def test_a_reranker_that_changes_nothing_changes_nothing(case, depth):
    query, gallery, products, right, row_queries, hidden, _ = case
    arguments = (
        np.array(query, np.float32),
        np.array(gallery, np.float32),
        np.array(products),
        right,
    )
    given_rows = {"row_queries": np.array(row_queries), "hidden": hidden, "top": 9}
    plain = product_ranks(*arguments, **given_rows)
    same = HeadReranking(depth, lambda row, similarities, images: similarities)
    reranked = product_ranks(*arguments, **given_rows, rerank=same)
    single = np.bincount(row_queries) == 1
    for query_number in np.flatnonzero(single | (depth >= len(set(products)))):
        one = np.arange(len(right)) == query_number
        before, after = plain.select(one), reranked.select(one)
        for name in ("ranks", "found", "similarities", "added", "wrong"):
            np.testing.assert_array_equal(getattr(after, name), getattr(before, name), name)


def unit(rng, rows, depth):
    values = rng.standard_normal((rows, depth)).astype(np.float32)
    return values / np.linalg.norm(values, axis=1, keepdims=True)


def test_a_right_product_beyond_the_depth_stays_where_it_was():
    # All of the head are found equal, and lower than the tail: the tail is tied with the head
    # by its similarities, and among itself, but not by its order.
    gallery = np.linspace(0.9, 0.1, 40, dtype=np.float32)[:, np.newaxis]
    query = np.ones((40, 1), np.float32)
    nothing = HeadReranking(10, lambda row, similarities, images: np.zeros(len(images)) - 0.5)
    ranks = product_ranks(query, gallery, np.arange(40), [[p] for p in range(40)], rerank=nothing)
    assert ranks.best.tolist() == list(range(1, 41))
    assert ranks.similarities.tolist() == [[-0.5] * 5] * 40


@pytest.mark.parametrize("depth", [1, 5, 200])
def test_equal_pictures_tie_whatever_the_rounding(depth):
    rng = np.random.default_rng(depth)
    query = unit(rng, 7, 64)
    gallery = np.repeat(unit(rng, 1, 64), 200, axis=0)
    gallery[100:] = np.nextafter(gallery[100:], np.float32(2))
    right = [[int(number)] for number in rng.integers(0, 200, 7)]
    doubled = HeadReranking(depth, lambda row, similarities, images: 2 * similarities)
    ranks = product_ranks(query, gallery, np.arange(200), right, rerank=doubled)
    assert ranks.best.tolist() == [200.0] * 7


def test_memory_does_not_grow_with_the_queries(monkeypatch):
    monkeypatch.setattr(ranking, "HELD", 2**16)
    rng = np.random.default_rng(2)
    gallery, products = unit(rng, 8192, 8), np.arange(8192)
    flip = HeadReranking(10, lambda row, similarities, images: -similarities)
    peaks = []
    for queries in (32, 256):
        right = [[number] for number in range(queries)]
        tracemalloc.start()
        product_ranks(unit(rng, queries, 8), gallery, products, right, rerank=flip)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.5 * peaks[0]


@pytest.mark.parametrize(
    "judged", [[], [1.0], [1.0, 2.0, 3.0], [[1.0, 2.0]], [1.0, np.nan], [np.inf, 1.0]]
)
def test_what_is_no_similarity_is_refused(judged):
    rows = np.eye(3, dtype=np.float32)
    bad = HeadReranking(2, lambda row, similarities, images: judged)
    with pytest.raises(ValueError, match="rerank must give a finite similarity for each of 2"):
        product_ranks(rows[:1], rows, np.arange(3), [[0]], rerank=bad)


def test_a_depth_below_one_is_refused():
    with pytest.raises(ValueError, match="depth must be at least 1, got 0"):
        HeadReranking(0, lambda row, similarities, images: similarities)
