"""Whether one system is better than another, over seeds and over queries.

The same queries are searched by every system, and trainings of one seed start from the same
weights and see the same triplets, so differences are paired both ways. Chance comes in twice: other
seeds, and other photos. Both are resampled at once (a crossed bootstrap): each time as many queries
are drawn with replacement as there are, the same for every system, and as many seeds.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from snapshelf.evaluation.tables import Verdict

__all__ = ["LEVEL", "judge", "mean_interval", "resampled_means"]

LEVEL = 0.95
"""Of the intervals."""

HELD = 2**22
"""Most draws of queries held at a time (32 MiB of int64)."""


def resampled_means(
    values: NDArray[np.float64], *, resamples: int = 2000, seed: int = 0
) -> NDArray[np.float64]:
    """Draw the queries again and again, and give each system's mean every time.

    ``a[n, b] = 1/Q * sum_q m[b, q] * values[n, q]``, where ``m[b, q]`` is how often query q was
    drawn in the b-th draw of Q queries: the same draws for all systems.

    Args:
        values: (N, Q) float64, Q >= 1, finite: what each query counts for with each of N systems,
            see `snapshelf.evaluation.query_values`.
        resamples: Number of draws B, at least 1.
        seed: Decides the draws.

    Returns:
        (N, B) float64.

    Raises:
        ValueError: If `values` is not (N, Q) finite float64 with a query, or `resamples` is below
            1.
    """
    if values.ndim != 2 or values.dtype != np.float64 or not values.shape[1]:
        raise ValueError(
            "values must be float64 of shape (N, Q) with at least one query, "
            f"got {values.dtype} of shape {values.shape}"
        )
    if not np.isfinite(values).all():
        raise ValueError("values must be finite")
    if resamples < 1:
        raise ValueError(f"resamples must be at least 1, got {resamples}")
    queries = values.shape[1]
    rng = np.random.default_rng(seed)
    means = np.empty((len(values), resamples))
    at_once = max(1, HELD // queries)
    for first in range(0, resamples, at_once):
        count = min(at_once, resamples - first)
        drawn = rng.integers(queries, size=(count, queries))
        drawn += np.arange(count)[:, np.newaxis] * queries
        times = np.bincount(drawn.ravel(), minlength=count * queries).reshape(count, queries)
        means[:, first : first + count] = values @ times.T.astype(np.float64)
    means /= queries
    return means


def mean_interval(
    differences: NDArray[np.float64], *, level: float = LEVEL, seed: int = 0
) -> tuple[float, float]:
    """Give the interval of a mean over seeds, the queries having been drawn again and again.

    With every draw of the queries the seeds are drawn with replacement as well. The interval is
    between the percentiles ``(1 - level) / 2`` and ``(1 + level) / 2`` of the means.

    Args:
        differences: (S, B) float, for each of S >= 1 seeds and each draw of the queries the
            difference of two systems' `resampled_means`.
        level: In (0, 1).
        seed: Decides the draws of the seeds.

    Returns:
        The lower and the upper end.

    Raises:
        ValueError: If `differences` is not (S, B) with at least one of each, or `level` is out
            of range.
    """
    if differences.ndim != 2 or not differences.size:
        raise ValueError(
            "differences must be of shape (S, B) with at least one seed and draw, "
            f"got {differences.shape}"
        )
    if not 0 < level < 1:
        raise ValueError(f"level must be in (0, 1), got {level}")
    seeds, draws = differences.shape
    chosen = np.random.default_rng(seed).integers(seeds, size=(seeds, draws))
    means = np.take_along_axis(differences, chosen, axis=0).mean(axis=0)
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def judge(
    values: Sequence[float], interval: tuple[float, float], *, seeded: bool = True
) -> Verdict:
    """Say whether a difference is told from chance.

    It is if the interval lies on one side of 0 and every seed's difference on the same. The
    second condition is there because resampling a few seeds says too little of what others would
    give: three seeds that agree may still do so by chance one time in four, so that an order is
    only as sure as the number of its seeds.

    Args:
        values: The difference for each seed, above 0 where the order is as expected.
        interval: As `mean_interval` gives it.
        seeded: Whether anything about the two systems is random.

    Returns:
        ``too few seeds`` if one of the systems is random and there are fewer than two seeds.

    Raises:
        ValueError: If there is no value.
    """
    if not values:
        raise ValueError("values must hold the difference of at least one seed, got none")
    if seeded and len(values) < 2:
        return "too few seeds"
    low, high = interval
    if low > 0 and min(values) > 0:
        return "holds"
    if high < 0 and max(values) < 0:
        return "reversed"
    return "not distinguishable"
