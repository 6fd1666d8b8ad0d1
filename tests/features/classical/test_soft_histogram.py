"""Soft binning against a slow reference, one sample and one corner at a time."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snapshelf.features.classical.histogram import soft_histogram


def slow(samples, weights, cells, bins, cell_count, periodic):
    """Samples (P, axes) of one picture."""
    result = np.zeros((cell_count, *bins))
    for sample, weight, cell in zip(samples, weights, cells, strict=True):
        shares = []
        for value, count in zip(sample, bins, strict=True):
            centre = math.floor(value - 0.5)
            fraction = value - 0.5 - centre
            pair = [(centre, 1 - fraction), (centre + 1, fraction)]
            if periodic:
                shares.append([(index % count, share) for index, share in pair])
            else:
                shares.append([(min(max(index, 0), count - 1), share) for index, share in pair])
        for corner in itertools.product(*shares):
            index = tuple(position for position, _ in corner)
            result[(cell, *index)] += weight * math.prod(share for _, share in corner)
    return result.reshape(cell_count, -1)


@given(
    st.lists(st.integers(1, 5), min_size=1, max_size=3),
    st.integers(1, 3),
    st.booleans(),
    st.integers(0, 2**32 - 1),
)
@settings(max_examples=80, deadline=None)
def test_against_the_slow_reference(bins, cell_count, periodic, seed):
    rng = np.random.default_rng(seed)
    coordinates = [rng.uniform(-2, count + 2, (3, 11)).astype(np.float32) for count in bins]
    weights = rng.random((3, 11)).astype(np.float32)
    cells = rng.integers(0, cell_count, (3, 11))
    result = soft_histogram(
        coordinates, bins, weights, cells=cells, cell_count=cell_count, periodic=periodic
    )
    assert result.dtype == np.float32
    for row in range(3):
        samples = np.stack([axis[row] for axis in coordinates], 1).astype(float)
        expected = slow(samples, weights[row], cells[row], bins, cell_count, periodic)
        np.testing.assert_allclose(result[row], expected, atol=2e-5)


@pytest.mark.parametrize("periodic", [True, False])
def test_sums_to_the_weights(periodic):
    rng = np.random.default_rng(0)
    coordinates = [rng.uniform(-9, 9, (2, 50)).astype(np.float32) for _ in range(2)]
    weights = rng.random((2, 50)).astype(np.float32)
    result = soft_histogram(coordinates, (4, 3), weights, periodic=periodic)
    np.testing.assert_allclose(result.sum((1, 2)), weights.sum(1), rtol=1e-5)


def test_a_sample_on_a_centre_counts_for_one_bin_only():
    result = soft_histogram([np.array([[2.5]], np.float32)], (4,), np.ones((1, 1), np.float32))
    assert result.tolist() == [[[0, 0, 1, 0]]]


def test_periodic_axes_close_upon_themselves():
    result = soft_histogram(
        [np.array([[3.75]], np.float32)], (4,), np.ones((1, 1), np.float32), periodic=True
    )
    assert result.tolist() == [[[0.25, 0, 0, 0.75]]]


def test_a_small_change_makes_a_small_change():
    ones = np.ones((1, 1), np.float32)
    steps = [
        soft_histogram([np.array([[value]], np.float32)], (4,), ones)
        for value in np.arange(0, 4, 0.01)
    ]
    assert abs(np.diff(np.concatenate(steps)[:, 0], axis=0)).max() < 0.011
