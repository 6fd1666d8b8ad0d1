"""Distances against loops over every number, and the similarities that they are taken for."""

import math
import tracemalloc
from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from snapshelf.matching import distances as module
from snapshelf.matching.distances import (
    DISTANCES,
    Distance,
    check_distance,
    compare_embeddings,
    cosine_distances,
    distances_to_similarities,
    l1_distances,
    l2_distances,
)

NAMES = get_args(Distance)


def slow(query, item, name):
    """Equations 6 to 8, number by number."""
    query, item = [float(value) for value in query], [float(value) for value in item]
    if name == "l1":
        return math.fsum(abs(u - v) for u, v in zip(query, item, strict=True))
    if name == "l2":
        return math.sqrt(math.fsum((u - v) ** 2 for u, v in zip(query, item, strict=True)))
    lengths = math.hypot(*query) * math.hypot(*item)
    if not lengths:
        return 1.0
    return 1 - math.fsum(u * v for u, v in zip(query, item, strict=True)) / lengths


def slow_table(queries, gallery, name):
    table = [[slow(query, item, name) for item in gallery] for query in queries]
    return np.array(table).reshape(len(queries), len(gallery))


def unit(rng, rows, dimension):
    values = rng.standard_normal((rows, dimension))
    return (values / np.linalg.norm(values, axis=1, keepdims=True)).astype(np.float32)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("shape", [(1, 1, 1), (3, 5, 2), (7, 1, 33), (1, 9, 200), (20, 30, 7)])
def test_is_the_equation(name, shape):
    queries, items, dimension = shape
    rng = np.random.default_rng(dimension)
    some = rng.standard_normal((queries, dimension)).astype(np.float32) * 5
    others = rng.standard_normal((items, dimension)).astype(np.float32) - 2
    found = DISTANCES[name](some, others)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, slow_table(some, others, name), rtol=2e-6, atol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_blocks_are_put_together(name, monkeypatch):
    monkeypatch.setattr(module, "HELD", 40)
    rng = np.random.default_rng(0)
    some, others = unit(rng, 23, 5), unit(rng, 31, 5)
    np.testing.assert_allclose(
        DISTANCES[name](some, others), slow_table(some, others, name), atol=1e-6
    )


@pytest.mark.parametrize("held", [1, 7, 60, 2**20])
@pytest.mark.parametrize("cached", [1, 7, 21, 2**20])
def test_l1_is_the_same_in_blocks_of_any_size(held, cached, monkeypatch):
    rng = np.random.default_rng(4)
    some, others = unit(rng, 5, 7), unit(rng, 31, 7)
    expected = l1_distances(some, others)
    monkeypatch.setattr(module, "HELD", held)
    monkeypatch.setattr(module, "CACHED", cached)
    np.testing.assert_array_equal(l1_distances(some, others), expected)
    np.testing.assert_array_equal(l1_distances(others, some), expected.T)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("shape", [(0, 3, 4), (3, 0, 4), (0, 0, 4), (2, 3, 0)])
def test_nothing_to_compare(name, shape):
    queries, items, dimension = shape
    some, others = np.zeros((queries, dimension), np.float32), np.zeros((items, dimension))
    found = DISTANCES[name](some, others.astype(np.float32))
    assert found.shape == (queries, items)
    assert found.dtype == np.float32
    assert (found == (1 if name == "cosine" else 0)).all()


@pytest.mark.parametrize("name", NAMES)
def test_equal_vectors_are_at_no_distance(name):
    vectors = unit(np.random.default_rng(1), 40, 300)
    same = np.diagonal(DISTANCES[name](vectors, vectors))
    assert (same >= 0).all()
    assert same.max() <= (1e-7 if name == "cosine" else 0 if name == "l1" else 1e-7)


@pytest.mark.parametrize("order", ["F", "strided", "float64"])
def test_any_layout_is_taken(order):
    rng = np.random.default_rng(2)
    some, others = unit(rng, 6, 8), unit(rng, 9, 8)
    given_ = {
        "F": np.asfortranarray(others),
        "strided": np.repeat(others, 2, axis=0)[::2],
        "float64": others.astype(np.float64),
    }[order]
    for name in NAMES:
        expected = slow_table(some, others, name)
        np.testing.assert_allclose(DISTANCES[name](some, given_), expected, atol=1e-6)


@pytest.mark.parametrize("compare", [l1_distances, l2_distances, cosine_distances])
@pytest.mark.parametrize("shapes", [((3, 4), (3, 5)), ((4,), (3, 4)), ((3, 4), (2, 3, 4))])
def test_shapes_that_do_not_fit_are_named(compare, shapes):
    some, others = (np.zeros(shape, np.float32) for shape in shapes)
    with pytest.raises(ValueError, match=r"must have shapes \(Q, D\) and \(G, D\), got \("):
        compare(some, others)


def test_names():
    assert tuple(DISTANCES) == NAMES == ("cosine", "l1", "l2")
    assert [check_distance(name) for name in NAMES] == list(NAMES)
    for name in ("L1", "euclidean", ""):
        with pytest.raises(ValueError, match=f"must be one of cosine, l1, l2, got {name!r}"):
            check_distance(name)


@pytest.mark.parametrize("name", NAMES)
def test_memory_is_that_of_the_result(name):
    rng = np.random.default_rng(3)
    some, others = unit(rng, 64, 256), unit(rng, 16_384, 256)
    DISTANCES[name](some[:1], others[:1])
    tracemalloc.start()
    DISTANCES[name](some, others)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # The differences of all, which is what a single expression would hold, are 1 GiB.
    assert peak < 64 * 16_384 * 4 + 6 * 8 * module.HELD


# --- similarities -------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dimension", [1, 2, 48, 2048])
def test_similarities_are_those_that_the_distances_stand_for(name, dimension):
    rng = np.random.default_rng(dimension)
    some, others = unit(rng, 9, dimension), unit(rng, 14, dimension)
    others[0], others[1] = some[0], -some[1]
    found = compare_embeddings(some, others, name)
    stated = distances_to_similarities(DISTANCES[name](some, others), name, dimension)
    assert found.dtype == stated.dtype == np.float32
    np.testing.assert_allclose(found, stated, atol=2e-6)
    assert found.min() >= -1 - 1e-6
    assert found.max() <= 1 + 1e-6
    assert found[0, 0] == pytest.approx(1, abs=1e-6)
    if name != "l1":
        np.testing.assert_allclose(found, some @ others.T, atol=1e-6)


def test_the_furthest_apart_have_similarity_minus_one():
    level = np.full((1, 100), 0.1, np.float32)
    for name in NAMES:
        found = compare_embeddings(level, np.stack([-level[0], level[0]]), name)
        assert found.tolist() == [[pytest.approx(-1, abs=1e-6), pytest.approx(1, abs=1e-6)]]


SMALL = arrays(np.float32, (5, 3), elements=st.floats(-1, 1, width=16))


@given(SMALL, st.sampled_from(NAMES))
def test_larger_is_nearer(vectors, name):
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    vectors = np.where(lengths > 1e-3, vectors / np.maximum(lengths, 1e-3), np.float32([1, 0, 0]))
    found = compare_embeddings(vectors[:1], vectors[1:], name)[0]
    exact = [slow(vectors[0], other, name) for other in vectors[1:]]
    for one, near in zip(found, exact, strict=True):
        for other, far in zip(found, exact, strict=True):
            if near < far - 1e-3:
                assert one > other


def test_cosine_and_l2_rank_alike_and_l1_does_not():
    rng = np.random.default_rng(4)
    some, others = unit(rng, 10, 16), unit(rng, 200, 16)
    orders = {
        name: np.argsort(-compare_embeddings(some, others, name), axis=1, kind="stable")
        for name in NAMES
    }
    assert np.array_equal(orders["cosine"], orders["l2"])
    assert not np.array_equal(orders["cosine"], orders["l1"])
