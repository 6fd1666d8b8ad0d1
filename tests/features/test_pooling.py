"""Pooling against slow references, one activation at a time."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch

from snapshelf.features.pooling import POOLINGS, gap, gem, mac  # noqa: E402


def slow(features, reduce):
    return np.array([[reduce(channel.ravel().tolist()) for channel in one] for one in features])


def slow_gem(values, p=3.0, floor=1e-6):
    return (sum(max(value, floor) ** p for value in values) / len(values)) ** (1 / p)


def slow_mean(values):
    return sum(values) / len(values)


REFERENCES = {"gap": slow_mean, "gem": slow_gem, "mac": max, "spoc": slow_mean}
REGIONAL = {"r-mac", "ra-mac"}
"""Compared in `test_regional_pooling`."""


def random_features(*shape):
    return np.random.default_rng(0).normal(size=shape)


def test_every_pooling_has_a_reference():
    assert POOLINGS.keys() == REFERENCES.keys() | REGIONAL


@pytest.mark.parametrize("name", sorted(REFERENCES))
@pytest.mark.parametrize("shape", [(2, 5, 3, 4), (1, 3, 1, 1), (2, 1, 1, 7)])
def test_against_the_slow_reference(name, shape):
    features = random_features(*shape)
    assert (features < 0).any()
    result = POOLINGS[name](torch.from_numpy(features)).numpy()
    np.testing.assert_allclose(result, slow(features, REFERENCES[name]), rtol=1e-9)


@pytest.mark.parametrize("name", sorted(POOLINGS))
def test_strided_maps_are_pooled_alike(name):
    features = torch.from_numpy(random_features(2, 5, 3, 4))
    strided = features.to(memory_format=torch.channels_last)
    torch.testing.assert_close(POOLINGS[name](features), POOLINGS[name](strided))


@pytest.mark.parametrize("name", sorted(POOLINGS))
@pytest.mark.parametrize("shape", [(2, 5, 3, 4), (1, 3, 1, 1), (2, 1, 1, 7)])
def test_one_number_for_each_channel(name, shape):
    for dtype in (torch.float32, torch.bfloat16):
        result = POOLINGS[name](torch.from_numpy(random_features(*shape)).to(dtype))
        assert result.shape == shape[:2]
        assert result.dtype == dtype


def test_gem_runs_from_gap_to_mac():
    features = torch.from_numpy(random_features(2, 5, 3, 4)).abs() + 0.01
    torch.testing.assert_close(gem(features, p=1), gap(features))
    torch.testing.assert_close(gem(features, p=200), mac(features), rtol=0.02, atol=0)


def test_a_map_of_negatives_keeps_its_sign_but_for_gem():
    features = torch.full((1, 2, 2, 2), -3.0)
    assert (gap(features) == -3).all()
    assert (mac(features) == -3).all()
    assert gem(features)[0].tolist() == pytest.approx([1e-6, 1e-6], rel=1e-3)


@pytest.mark.parametrize(("p", "floor"), [(0, 1e-6), (-1, 1e-6), (3, 0)])
def test_gem_refuses_what_has_no_mean(p, floor):
    with pytest.raises(ValueError, match="must be above 0"):
        gem(torch.ones(1, 1, 1, 1), p=p, floor=floor)
