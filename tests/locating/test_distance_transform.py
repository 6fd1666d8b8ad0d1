"""The distance transform against every displacement tried, and filters against plain sums."""

import itertools

import numpy as np
import pytest

from snapshelf.locating.distance_transform import (
    best_displacement,
    deformation_cost,
    distance_transform,
)
from snapshelf.locating.filter_response import filter_responses


def tried(values, deformation, row, column):
    """Try every place: the best score, and where it is first reached."""
    across, along, across2, along2 = deformation
    best = -np.inf, (0, 0)
    for y, x in itertools.product(*map(range, values.shape)):
        dy, dx = y - row, x - column
        score = values[y, x] - (across * dx + along * dy + across2 * dx**2 + along2 * dy**2)
        if score > best[0] + 1e-9:
            best = score, (y, x)
    return best


def test_every_displacement_is_considered():
    rng = np.random.default_rng(3)
    for _ in range(80):
        shape = rng.integers(1, 13, 2)
        # Responses are often all negative; some spans are wide, some are nothing.
        values = rng.normal(-1, rng.choice([0, 0.1, 5]), shape).astype(np.float32)
        deformation = (*rng.normal(0, 0.5, 2), *rng.uniform(0.01, 1, 2))
        step = int(rng.integers(1, 4))
        start = tuple(int(rng.integers(0, side)) for side in shape)
        found = distance_transform(values, deformation, start=start, step=step)
        for y, row in enumerate(range(start[0], shape[0], step)):
            for x, column in enumerate(range(start[1], shape[1], step)):
                expected, _ = tried(values, deformation, row, column)
                assert found[y, x] == pytest.approx(expected, abs=1e-4)


def test_the_best_place_is_that_of_the_best_score():
    rng = np.random.default_rng(4)
    for _ in range(60):
        values = rng.normal(0, 1, rng.integers(1, 10, 2)).astype(np.float32)
        deformation = (*rng.normal(0, 0.3, 2), *rng.uniform(0.01, 0.5, 2))
        # An anchor may lie outside, where a root lies on the border.
        row, column = (int(rng.integers(-3, side + 3)) for side in values.shape)
        assert (
            best_displacement(values, deformation, row, column)
            == (tried(values, deformation, row, column)[1])
        )


def test_a_strong_answer_far_away_is_still_found():
    values = np.zeros((1, 200), np.float32)
    values[0, -1] = 1000
    found = distance_transform(values, (0, 0, 0.02, 1))
    assert found[0, 0] == pytest.approx(1000 - 0.02 * 199**2)


def test_a_part_of_it_is_what_the_whole_has_there():
    values = np.random.default_rng(2).normal(0, 1, (30, 20)).astype(np.float32)
    deformation = (0.1, -0.2, 0.05, 0.03)
    whole = distance_transform(values, deformation)
    part = distance_transform(values, deformation, start=(3, 1), step=2, size=(5, 7))
    assert np.array_equal(part, whole[3:13:2, 1:15:2])
    assert distance_transform(values, deformation, size=(0, 4)).shape == (0, 4)


@pytest.mark.parametrize(
    ("deformation", "options", "message"),
    [
        ((0, 0, 0, 1), {}, "weights of squares must be positive, got 0 and 1"),
        ((0, 0, 1, -1), {}, "weights of squares must be positive"),
        ((0, 0, 1, 1), {"start": (-1, 0)}, "must lie in"),
        ((0, 0, 1, 1), {"step": 0}, "must lie in|arg 3 must not be zero"),
        ((0, 0, 1, 1), {"size": (6, 1)}, "must lie in"),
        ((0, 0, 1, 1), {"start": (1, 1), "step": 2, "size": (3, 1)}, "must lie in"),
    ],
)
def test_what_cannot_be_transformed_is_named(deformation, options, message):
    with pytest.raises(ValueError, match=message):
        distance_transform(np.zeros((5, 5), np.float32), deformation, **options)


def test_the_cost_is_that_of_the_paper():
    right, down = np.array([-2.0, 3.0]), np.array([1.0, 0.0])
    expected = [0.5 * -2 + 0.25 * 1 + 2 * 4 + 3 * 1, 0.5 * 3 + 0 + 2 * 9 + 0]
    assert deformation_cost((0.5, 0.25, 2, 3), right, down).tolist() == expected


@pytest.mark.parametrize("size", [(1, 1), (3, 2), (6, 6), (9, 8)])
def test_filters_answer_with_the_sum_of_products(size):
    rng = np.random.default_rng(size[0])
    cells = rng.normal(0, 1, (9, 8, 32)).astype(np.float32)
    filters = rng.normal(0, 1, (3, *size, 32)).astype(np.float32)
    found = filter_responses(cells, filters)
    expected = np.array(
        [
            [
                [
                    (cells[y : y + size[0], x : x + size[1]] * weights).sum()
                    for x in range(9 - size[1])
                ]
                for y in range(10 - size[0])
            ]
            for weights in filters.astype(float)
        ]
    )
    assert np.allclose(found, expected, atol=1e-3)


def test_filters_that_do_not_fit_answer_nothing():
    cells = np.zeros((4, 5, 32), np.float32)
    assert filter_responses(cells, np.zeros((2, 5, 2, 32), np.float32)).shape == (2, 0, 4)
    assert filter_responses(cells, np.zeros((2, 2, 9, 32), np.float32)).shape == (2, 3, 0)
    assert filter_responses(cells, np.zeros((0, 2, 2, 32), np.float32)).shape == (0, 3, 4)
    with pytest.raises(ValueError, match="must have 32 values to a cell, as cells do, got 31"):
        filter_responses(cells, np.zeros((1, 2, 2, 31), np.float32))
