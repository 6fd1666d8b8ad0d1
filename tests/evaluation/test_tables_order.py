"""Is a difference told from chance? Against loops, and against what chance really does."""

import numpy as np
import pytest

from snapshelf.evaluation import order
from snapshelf.evaluation.order import judge, mean_interval, resampled_means


def draw(shape, chance, seed=0):
    """Draw what queries count for: 1 with a chance, else 0."""
    return (np.random.default_rng(seed).random(shape) < chance).astype(np.float64)


@pytest.mark.parametrize("found", [draw((3, 11), 0.4), np.random.default_rng(2).random((3, 11))])
def test_resampling_is_that_of_slow_loops(found):
    fast = resampled_means(found, resamples=40, seed=5)
    rng = np.random.default_rng(5)
    for replicate in range(40):
        queries = [int(query) for query in rng.integers(11, size=11)]
        for system in range(3):
            total = sum(found[system, query] for query in queries)
            assert fast[system, replicate] == pytest.approx(total / 11, abs=1e-12)


def test_blocks_make_no_difference(monkeypatch):
    found = draw((2, 50), 0.5)
    whole = resampled_means(found, resamples=31)
    monkeypatch.setattr(order, "HELD", 120)
    np.testing.assert_array_equal(resampled_means(found, resamples=31), whole)


def test_all_systems_are_drawn_the_same_queries():
    found = np.repeat(draw((1, 80), 0.5), 2, axis=0)
    first, second = resampled_means(found, resamples=50)
    np.testing.assert_array_equal(first, second)
    assert first.std() > 0


def test_the_spread_is_that_of_a_share():
    found = draw((1, 400), 0.3)
    share = found.mean()
    (drawn,) = resampled_means(found, resamples=4000)
    assert drawn.mean() == pytest.approx(share, abs=0.003)
    assert drawn.std() == pytest.approx(np.sqrt(share * (1 - share) / 400), rel=0.05)


def test_the_interval_is_that_of_slow_loops():
    differences = np.random.default_rng(1).normal(size=(3, 200))
    low, high = mean_interval(differences, level=0.9, seed=4)
    chosen = np.random.default_rng(4).integers(3, size=(3, 200))
    means = [
        sum(differences[chosen[place, replicate], replicate] for place in range(3)) / 3
        for replicate in range(200)
    ]
    assert (low, high) == pytest.approx((np.quantile(means, 0.05), np.quantile(means, 0.95)))


def test_seeds_that_disagree_widen_the_interval():
    agreeing = np.full((3, 500), 0.1)
    disagreeing = np.repeat(np.array([[0.0], [0.1], [0.2]]), 500, axis=1)
    assert mean_interval(agreeing) == pytest.approx((0.1, 0.1))
    low, high = mean_interval(disagreeing)
    assert low < 0.04
    assert high > 0.16


def verdict(better, worse):
    """Compare (S, Q) with (S, Q), seed by seed, with the same queries drawn for both."""
    seeds = len(better)
    drawn = resampled_means(np.concatenate([better, worse]).astype(np.float64), resamples=300)
    values = better.mean(axis=1) - worse.mean(axis=1)
    interval = mean_interval(drawn[:seeds] - drawn[seeds:])
    return judge(tuple(float(value) for value in values), interval)


def test_chance_alone_seldom_gives_an_order():
    """Equal systems, with queries of unlike difficulty and seeds that differ: 5 % at the most."""
    told = 0
    for trial in range(100):
        rng = np.random.default_rng(trial)
        difficulty = rng.random(150)
        both = rng.random((6, 150)) < np.clip(difficulty + rng.normal(0, 0.02, size=(6, 1)), 0, 1)
        told += verdict(both[:3], both[3:]) in ("holds", "reversed")
    assert told <= 8


def test_a_clear_difference_is_found_both_ways():
    better, worse = draw((3, 400), 0.7), draw((3, 400), 0.4, seed=1)
    assert verdict(better, worse) == "holds"
    assert verdict(worse, better) == "reversed"
    assert verdict(better, better) == "not distinguishable"


@pytest.mark.parametrize(
    ("values", "interval", "seeded", "expected"),
    [
        ((0.1, 0.2, 0.3), (0.05, 0.35), True, "holds"),
        ((-0.1, 0.2, 0.3), (0.01, 0.35), True, "not distinguishable"),  # a seed disagrees
        ((0.1, 0.2, 0.3), (-0.01, 0.35), True, "not distinguishable"),  # the photos may
        ((0.1, 0.2, 0.3), (0.0, 0.35), True, "not distinguishable"),
        ((0.0, 0.2, 0.3), (0.05, 0.35), True, "not distinguishable"),
        ((-0.1, -0.2), (-0.3, -0.01), True, "reversed"),
        ((0.1,), (0.05, 0.2), True, "too few seeds"),
        ((0.1,), (0.05, 0.2), False, "holds"),
        ((-0.1,), (-0.2, -0.05), False, "reversed"),
    ],
)
def test_the_rule(values, interval, seeded, expected):
    assert judge(values, interval, seeded=seeded) == expected


def test_what_cannot_be_compared_is_refused():
    with pytest.raises(ValueError, match=r"values must be float64 of shape \(N, Q\)"):
        resampled_means(np.zeros((2, 3), np.bool_))
    with pytest.raises(ValueError, match="at least one query"):
        resampled_means(np.zeros((2, 0)))
    with pytest.raises(ValueError, match="values must be finite"):
        resampled_means(np.full((2, 3), np.nan))
    with pytest.raises(ValueError, match="resamples must be at least 1, got 0"):
        resampled_means(np.zeros((2, 3)), resamples=0)
    with pytest.raises(ValueError, match="at least one seed and draw"):
        mean_interval(np.zeros((0, 4)))
    with pytest.raises(ValueError, match=r"level must be in \(0, 1\), got 1"):
        mean_interval(np.zeros((1, 4)), level=1)
    with pytest.raises(ValueError, match="at least one seed"):
        judge((), (0.0, 0.0))
