"""Negatives: who is drawn, how often, with which weight, and what it takes to hold them."""

import pickle
import tracemalloc

import numpy as np
import pytest

from snapshelf.training import affinity, negatives
from snapshelf.training.attribute_distance import attribute_weight
from snapshelf.training.negatives import HardNegativePool, RandomNegatives

GROUPS = [np.array([0, 0, 1]), np.array([0, 1, 1, 2])]


def data(items=300, dimension=6, seed=0):
    rng = np.random.default_rng(seed)
    embeddings = rng.normal(size=(items, dimension)).astype(np.float32)
    labels = np.stack([rng.integers(-1, len(groups), items) for groups in GROUPS], axis=1)
    return embeddings, labels


def refresh(items=300, seed=1, **options):
    return HardNegativePool.refresh(
        *data(items), GROUPS, rng=np.random.default_rng(seed), **options
    )


def true_pools(embeddings, count):
    """Brute force: the nearest others of each item."""
    distances = np.linalg.norm(embeddings[:, None] - embeddings[None], axis=2)
    np.fill_diagonal(distances, np.inf)
    return [set(row.tolist()) for row in np.argsort(distances, axis=1)[:, :count]]


def test_random_negatives_are_all_the_others_alike():
    rng = np.random.default_rng(0)
    pool = RandomNegatives(np.zeros(5, np.int64))
    for item in range(5):
        draws = [pool.draw(item, rng) for _ in range(2000)]
        assert {weight for _, weight in draws} == {1.0}
        numbers, counts = np.unique([number for number, _ in draws], return_counts=True)
        assert numbers.tolist() == [other for other in range(5) if other != item]
        assert (abs(counts - 500) < 100).all()


def test_random_negatives_are_of_the_anchors_group():
    groups = np.array([7, 3, 7, 3, 3, 7, 7])
    pool = RandomNegatives(groups)
    rng = np.random.default_rng(0)
    for item in range(7):
        drawn = {pool.draw(item, rng)[0] for _ in range(200)}
        assert drawn == set(np.flatnonzero(groups == groups[item]).tolist()) - {item}


def test_hard_negatives_are_the_nearest_of_the_anchors_group():
    embeddings, labels = data(90)
    groups = np.arange(90) % 3 * (np.arange(90) % 7 > 0)
    pool = HardNegativePool.refresh(
        embeddings, labels, GROUPS, rng=np.random.default_rng(0), groups=groups, share=0.2,
        draws_per_item=300,
    )  # fmt: skip
    for group in np.unique(groups):
        members = np.flatnonzero(groups == group)
        count = round(0.2 * (len(members) - 1))
        nearest = true_pools(embeddings[members], count)
        for place, item in enumerate(members):
            assert set(pool.negatives[item].tolist()) == {int(members[n]) for n in nearest[place]}


def test_a_group_of_one_has_no_negative():
    groups = np.array([0, 0, 1])
    with pytest.raises(ValueError, match="at least two products are needed in each, got 1"):
        RandomNegatives(groups)
    embeddings, labels = data(3)
    with pytest.raises(ValueError, match="at least two products are needed in each, got 1"):
        HardNegativePool.refresh(
            embeddings, labels, GROUPS, rng=np.random.default_rng(0), groups=groups
        )
    with pytest.raises(ValueError, match=r"groups must be \(3,\), got \(2,\)"):
        HardNegativePool.refresh(
            embeddings, labels, GROUPS, rng=np.random.default_rng(0), groups=groups[:2]
        )


@pytest.mark.parametrize("share", [0.4, 0.1, 1.0])
def test_hard_negatives_lie_in_the_true_nearest_share(share):
    pool = refresh(share=share, draws_per_item=200)
    count = round(share * 299)
    assert pool.negatives.shape == pool.weights.shape == (300, 200)
    assert pool.negatives.dtype == np.int32
    assert pool.weights.dtype == np.float32
    for drawn, nearest in zip(pool.negatives.tolist(), true_pools(data()[0], count), strict=True):
        assert set(drawn) <= nearest


def test_hard_negatives_are_drawn_from_the_whole_pool_alike():
    embeddings, labels = data(41)
    pool = HardNegativePool.refresh(
        embeddings, labels, GROUPS, rng=np.random.default_rng(0), draws_per_item=1600
    )
    for drawn, nearest in zip(pool.negatives, true_pools(embeddings, 16), strict=True):
        numbers, counts = np.unique(drawn, return_counts=True)
        assert set(numbers.tolist()) == nearest
        assert (abs(counts - 100) < 55).all()


def test_weights_are_those_of_the_attributes():
    _, labels = data()
    pool = refresh(w1=0.5, w2=2.0, w3=0.25)
    for item in (0, 17, 299):
        for other, weight in zip(pool.negatives[item], pool.weights[item], strict=True):
            expected = attribute_weight(
                labels[item], labels[other], GROUPS, w1=0.5, w2=2.0, w3=0.25
            )
            assert weight == expected
    assert (pool.weights == 0).any()


def test_draw_gives_pairs_of_the_pool_and_all_of_them():
    pool = refresh(draws_per_item=4)
    rng = np.random.default_rng(0)
    for item in (0, 123, 299):
        drawn = {pool.draw(item, rng) for _ in range(100)}
        held = zip(pool.negatives[item].tolist(), pool.weights[item].tolist(), strict=True)
        assert drawn == set(held)
        assert item not in {number for number, _ in drawn}
    number, weight = pool.draw(5, rng)
    assert (type(number), type(weight)) == (int, float)


@pytest.mark.parametrize("make", [lambda: RandomNegatives(np.zeros(300, np.int64)), refresh])
def test_the_generator_alone_decides_a_draw(make):
    first, again = (
        [make().draw(item, np.random.default_rng([7, item])) for item in range(20)]
        for _ in range(2)
    )
    other = [make().draw(item, np.random.default_rng([8, item])) for item in range(20)]
    assert first == again
    assert first != other


def test_a_pool_is_made_again_from_the_same_embeddings_whatever_the_blocks(monkeypatch):
    pool = refresh()
    monkeypatch.setattr(affinity, "HELD", 5000)
    monkeypatch.setattr(negatives, "WEIGHED", 1000)
    again = refresh()
    np.testing.assert_array_equal(pool.negatives, again.negatives)
    np.testing.assert_array_equal(pool.weights, again.weights)
    assert (refresh(seed=2).negatives != pool.negatives).any()


def test_a_pool_goes_to_worker_processes():
    pool = pickle.loads(pickle.dumps(refresh()))
    assert pool.draw(3, np.random.default_rng(0)) == refresh().draw(3, np.random.default_rng(0))


def test_a_minimum_weight_raises_the_small_ones_only():
    plain, floored = refresh(), refresh(minimum_weight=0.5)
    np.testing.assert_array_equal(floored.weights, np.maximum(plain.weights, np.float32(0.5)))
    assert (plain.weights < 0.5).any()


def test_normalised_weights_have_the_mean_one_and_keep_their_ratios():
    plain, normalised = (refresh(minimum_weight=0.3, normalise=each) for each in (False, True))
    assert normalised.weights.mean() == pytest.approx(1, rel=1e-5)
    np.testing.assert_allclose(normalised.weights, plain.weights / plain.weights.mean(), rtol=1e-5)


def test_two_products_are_each_others_negatives():
    embeddings, labels = np.zeros((2, 3), np.float32), np.array([[0, 0], [2, 0]])
    pool = HardNegativePool.refresh(
        embeddings, labels, GROUPS, rng=np.random.default_rng(0), draws_per_item=1
    )
    assert pool.negatives.tolist() == [[1], [0]]
    assert pool.weights.tolist() == [[1.5], [1.5]]


def test_weights_that_are_all_zero_are_refused_unless_raised():
    embeddings, _ = data()
    for labels, groups in ((np.zeros((300, 2), np.int64), GROUPS), (np.zeros((300, 0), int), [])):
        with pytest.raises(ValueError, match="every weight is 0"):
            HardNegativePool.refresh(embeddings, labels, groups, rng=np.random.default_rng(0))
        pool = HardNegativePool.refresh(
            embeddings, labels, groups, rng=np.random.default_rng(0), minimum_weight=1.0
        )
        assert (pool.weights == 1).all()


def test_memory_stays_far_below_a_matrix_of_all_distances():
    items = 20_000
    embeddings, labels = data(items, 8)
    rng = np.random.default_rng(0)
    tracemalloc.start()
    try:
        pool = HardNegativePool.refresh(embeddings, labels, GROUPS, rng=rng, draws_per_item=32)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert pool.negatives.shape == (items, 32)
    assert peak < 100 * 2**20 < items * items * 4 / 10


@pytest.mark.parametrize("items", [0, 1])
def test_one_product_has_no_negative(items):
    with pytest.raises(ValueError, match="at least two products are needed"):
        RandomNegatives(np.zeros(items, np.int64))
    with pytest.raises(ValueError, match="at least two products are needed"):
        refresh(items)


@pytest.mark.parametrize(
    ("shape", "other"), [((3,), (3,)), ((3, 0), (3, 0)), ((3, 2), (3, 1)), ((3, 2), (2, 2))]
)
def test_refuses_a_pool_that_cannot_be_drawn_from(shape, other):
    with pytest.raises(ValueError, match=r"(negatives must be \(N, s\)|weights must be of)"):
        HardNegativePool(np.zeros(shape, np.int32), np.zeros(other, np.float32))


@pytest.mark.parametrize("item", [-1, 300])
def test_refuses_an_item_that_is_not_there(item):
    for pool in (RandomNegatives(np.zeros(300, np.int64)), refresh()):
        with pytest.raises(ValueError, match=r"item must be in \[0, 300\)"):
            pool.draw(item, np.random.default_rng(0))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"share": 0.0}, "share must be"),
        ({"share": 1.1}, "share must be"),
        ({"share": float("nan")}, "share must be"),
        ({"draws_per_item": 0}, "draws_per_item must be"),
        ({"minimum_weight": -0.1}, "minimum_weight must be"),
        ({"minimum_weight": float("nan")}, "minimum_weight must be"),
        ({"w1": 2.0}, "0 <= w1 <= w2"),
    ],
)
def test_refuses_options_out_of_range(options, message):
    with pytest.raises(ValueError, match=message):
        refresh(**options)


def test_refuses_data_that_do_not_fit():
    embeddings, labels = data()

    def refused(message, embeddings, labels, groups=GROUPS):
        with pytest.raises(ValueError, match=message):
            HardNegativePool.refresh(embeddings, labels, groups, rng=np.random.default_rng(0))

    refused(r"labels must be \(300, M\)", embeddings, labels[:10])
    refused(r"labels must be \(300, M\)", embeddings, labels[:, 0])
    refused(r"integers", embeddings, labels, GROUPS[:1])
    refused(r"integers", embeddings, labels.astype(float))
    refused(r"must be in \[-1, G\)", embeddings, labels + 2)
    refused(r"must be \(N, D\) floating", embeddings[:, 0], labels)
    embeddings[3, 3] = np.nan
    refused("must be finite", embeddings, labels)
