"""Attribute distances and weights against Eq. 8 and 9, one pair at a time."""

import math

import numpy as np
import pytest

from snapshelf.training.attribute_distance import attribute_distances, attribute_weight

GROUPS = [np.array([0, 0, 1, 1, 1]), np.array([0, 1]), np.array([2, 0, 2])]


def slow(i, j, groups, w1, w2, w3):
    """Eq. 9 for one attribute of one pair, and w3 where a label is missing."""
    if -1 in (i, j):
        return w3
    if groups[i] == groups[j] and i == j:
        return 0
    return w1 if groups[i] == groups[j] else w2


def labels(*shape, seed=0):
    rng = np.random.default_rng(seed)
    return np.stack([rng.integers(-1, len(groups), shape) for groups in GROUPS], axis=-1)


@pytest.mark.parametrize("constants", [(0.7, 1.5, 0.4), (0.0, 0.0, 3.0), (1.0, 1.0, 0.0)])
def test_against_the_equations(constants):
    w1, w2, w3 = constants
    i, j = labels(6, 1), labels(6, 50, seed=1)
    distances = attribute_distances(i, j, GROUPS, w1=w1, w2=w2, w3=w3)
    weights = attribute_weight(i, j, GROUPS, w1=w1, w2=w2, w3=w3)
    assert distances.dtype == weights.dtype == np.float32
    assert distances.shape == (6, 50, 3)
    for row, column in np.ndindex(6, 50):
        expected = [
            slow(int(i[row, 0, m]), int(j[row, column, m]), GROUPS[m].tolist(), *constants)
            for m in range(3)
        ]
        np.testing.assert_allclose(distances[row, column], expected, rtol=1e-6)
        assert weights[row, column] == pytest.approx(sum(expected), rel=1e-6)


def test_each_case_of_the_tree():
    i = np.array([0, 0, 0])
    others = {
        (0, 0, 0): 0.0,
        (1, 0, 0): 0.7,
        (2, 0, 0): 1.5,
        (1, 1, 2): 0.7 + 1.5 + 0.7,
        (-1, 0, 0): 0.4,
        (-1, -1, -1): 1.2,
    }
    for j, expected in others.items():
        assert attribute_weight(i, np.array(j), GROUPS) == pytest.approx(expected)


def test_symmetric_and_zero_for_a_labelled_item_and_itself():
    i, j = labels(40), labels(40, seed=1)
    np.testing.assert_array_equal(attribute_weight(i, j, GROUPS), attribute_weight(j, i, GROUPS))
    known = np.where(i < 0, 0, i)
    assert (attribute_weight(known, known, GROUPS) == 0).all()


def test_without_attributes_every_weight_is_zero():
    nothing = np.empty((4, 0), np.int64)
    assert attribute_weight(nothing, nothing, []).tolist() == [0.0] * 4


def test_no_pairs():
    assert attribute_weight(labels(0), labels(0), GROUPS).shape == (0,)


@pytest.mark.parametrize(
    ("w1", "w2", "w3"),
    [
        (-0.1, 1.5, 0.4),
        (1.6, 1.5, 0.4),
        (0.7, 1.5, -1.0),
        (math.nan, 1.5, 0.4),
        (0.7, math.nan, 0.4),
        (0.7, 1.5, math.nan),
        (0.7, math.inf, 0.4),
        (0.7, 1.5, math.inf),
    ],
)
def test_refuses_constants_out_of_order(w1, w2, w3):
    with pytest.raises(ValueError, match="0 <= w1 <= w2"):
        attribute_weight(labels(2), labels(2), GROUPS, w1=w1, w2=w2, w3=w3)


@pytest.mark.parametrize(
    ("i", "message"),
    [
        (np.array([5, 0, 0]), r"labels_i must be in \[-1, G\)"),
        (np.array([0, 2, 0]), r"labels_i must be in \[-1, G\)"),
        (np.array([-2, 0, 0]), r"labels_i must be in \[-1, G\)"),
        (np.array([0, 0]), r"labels_i must be \(\.\.\., 3\) integers"),
        (np.array([0.0, 0.0, 0.0]), r"labels_i must be \(\.\.\., 3\) integers"),
        (np.array(0), r"labels_i must be \(\.\.\., 3\) integers"),
        (np.zeros((3, 3), np.int64), "broadcast"),
    ],
)
def test_refuses_labels_that_are_none(i, message):
    with pytest.raises(ValueError, match=message):
        attribute_distances(i, labels(2), GROUPS)


def test_refuses_the_second_items_labels_too():
    with pytest.raises(ValueError, match="labels_j must be in"):
        attribute_distances(labels(2), np.array([0, 0, 3]), GROUPS)


@pytest.mark.parametrize(
    "groups", [np.empty(0, np.int64), np.array([0.0, 1.0]), np.zeros((2, 2), np.int64)]
)
def test_refuses_groups_that_are_none(groups):
    with pytest.raises(ValueError, match=r"level1\[1\] must be"):
        attribute_distances(labels(2), labels(2), [GROUPS[0], groups, GROUPS[2]])
