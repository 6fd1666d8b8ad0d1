"""The nearest items against a whole matrix of distances in float64."""

import numpy as np
import pytest

from snapshelf.training import affinity
from snapshelf.training.affinity import nearest_items, pool_size


def gather(embeddings, count, block=None):
    parts = list(nearest_items(embeddings, count, block=block))
    starts = [start for start, _ in parts]
    sizes = [len(nearest) for _, nearest in parts]
    assert starts == np.cumsum([0, *sizes[:-1]]).tolist()
    assert all(nearest.dtype == np.int64 for _, nearest in parts)
    return np.concatenate([nearest for _, nearest in parts])


def slow(embeddings, count):
    """Each item's nearest others, those of lower number first where distances are equal."""
    embeddings = embeddings.astype(np.float64)
    found = []
    for number, point in enumerate(embeddings):
        distances = np.sqrt(((embeddings - point) ** 2).sum(axis=1))
        others = [other for other in range(len(embeddings)) if other != number]
        others.sort(key=lambda other, distances=distances: (distances[other], other))
        found.append(sorted(others[:count]))
    return found


def points(items=120, dimension=5, seed=0):
    return np.random.default_rng(seed).normal(size=(items, dimension)).astype(np.float32)


@pytest.mark.parametrize("count", [1, 48, 118, 119])
@pytest.mark.parametrize("block", [1, 7, 120, 1000, None])
def test_against_the_whole_matrix(count, block):
    assert gather(points(), count, block).tolist() == slow(points(), count)


@pytest.mark.parametrize("dtype", [np.float16, np.float64])
def test_other_precisions(dtype):
    embeddings = points().astype(dtype)
    assert gather(embeddings, 30).tolist() == slow(embeddings, 30)


def test_the_default_block_holds_a_bounded_number_of_distances(monkeypatch):
    monkeypatch.setattr(affinity, "HELD", 1000)
    sizes = [len(nearest) for _, nearest in nearest_items(points(), 3)]
    assert sizes == [8] * 15
    monkeypatch.setattr(affinity, "HELD", 7)
    assert len(list(nearest_items(points(), 3))) == 120


@pytest.mark.parametrize("count", [1, 3, 20, 47])
def test_ties_go_to_the_lower_number(count):
    grid = np.stack(np.meshgrid([-3.0, -1.0, 1.0, 3.0], [-1.0, 1.0]), axis=-1).reshape(8, 2)
    grid = np.tile(grid, (6, 1)).astype(np.float32)
    assert gather(grid, count, block=5).tolist() == slow(grid, count)


def test_a_collapsed_embedding_still_gives_each_item_others():
    nearest = gather(np.full((50, 4), 0.1, np.float32), 10)
    for number, row in enumerate(nearest.tolist()):
        assert row == [other for other in range(11) if other != number][:10]


def test_an_offset_far_larger_than_the_spread():
    embeddings = (np.round(points() * 64) / 64).astype(np.float32)
    assert gather(embeddings + 4096, 30).tolist() == slow(embeddings + 4096, 30)


def test_two_items_have_each_other():
    assert gather(points(2), 1).tolist() == [[1], [0]]


def test_the_embeddings_are_left_as_they_were():
    embeddings = points()
    gather(embeddings, 5)
    np.testing.assert_array_equal(embeddings, points())


@pytest.mark.parametrize(
    ("items", "share", "expected"),
    [(2, 0.4, 1), (11, 0.4, 4), (101, 0.4, 40), (1000, 1.0, 999), (50, 1e-9, 1), (81, 0.4, 32)],
)
def test_pool_size(items, share, expected):
    assert pool_size(items, share) == expected


@pytest.mark.parametrize("share", [0.0, -0.4, 1.0001, float("nan"), float("inf")])
def test_pool_size_refuses_a_share_out_of_range(share):
    with pytest.raises(ValueError, match=r"share must be in \(0, 1\]"):
        pool_size(10, share)


@pytest.mark.parametrize("items", [0, 1])
def test_one_product_has_no_negative(items):
    with pytest.raises(ValueError, match="at least two products are needed"):
        pool_size(items, 0.4)
    with pytest.raises(ValueError, match="at least two products are needed"):
        nearest_items(points(items), 1)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_refuses_embeddings_that_are_not_finite_at_once(value):
    embeddings = points()
    embeddings[[7, 9], 2] = value
    with pytest.raises(ValueError, match="in 2 of 120 rows, the first is row 7"):
        nearest_items(embeddings, 3)


@pytest.mark.parametrize(
    ("embeddings", "message"),
    [
        (np.zeros(5, np.float32), r"must be \(N, D\) floating"),
        (np.zeros((5, 0), np.float32), r"must be \(N, D\) floating"),
        (np.zeros((5, 2), np.int64), r"must be \(N, D\) floating"),
        (np.full((5, 2), 1e30), "too large"),
        (np.full((5, 2), -1e19, np.float32), "too large"),
    ],
)
def test_refuses_what_are_no_embeddings(embeddings, message):
    with pytest.raises(ValueError, match=message):
        nearest_items(embeddings, 1)


def test_the_largest_embeddings_allowed_do_not_overflow():
    signs = np.where(points(40, 16) > 0, 1.0, -1.0)
    embeddings = (signs * affinity.LARGEST / 4).astype(np.float32)
    assert gather(embeddings, 39).tolist() == slow(embeddings, 39)
    assert gather(embeddings * 1e-12, 10).shape == (40, 10)


@pytest.mark.parametrize(("count", "block"), [(0, None), (120, None), (-1, None), (5, 0), (5, -3)])
def test_refuses_a_count_or_block_out_of_range(count, block):
    with pytest.raises(ValueError, match=r"(count must be in|block must be)"):
        nearest_items(points(), count, block=block)
