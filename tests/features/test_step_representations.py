"""The representations of a trajectory that AsymNet's LSTM is compared with."""

import math

import numpy as np
import pytest

from snapshelf.features.classical.descriptors import power_normalise
from snapshelf.features.step_representations import (
    COMPONENTS,
    STEP_POOLINGS,
    encode_steps,
    learn_step_codebook,
)


def test_poolings_over_the_steps():
    steps = np.random.default_rng(0).normal(size=(2, 4, 3)).astype(np.float32)
    for name, pick in {"average": np.mean, "max": max}.items():
        found = STEP_POOLINGS[name](steps)
        assert found.dtype == np.float32
        for place in np.ndindex(2, 3):
            expected = pick([steps[place[0], t, place[1]] for t in range(4)])
            assert found[place] == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(("kind", "length"), [("fisher", 2 * 4 * 2), ("vlad", 4 * 2)])
def test_codebooks_of_regions(kind, length):
    if kind == "fisher":
        pytest.importorskip("sklearn")
    rng = np.random.default_rng(0)
    regions = rng.normal(size=(60, 5)).astype(np.float32)
    codebook = learn_step_codebook(kind, regions, dimension=2, components=4)
    trajectories = rng.normal(size=(3, 6, 5)).astype(np.float32)
    found = encode_steps(trajectories, codebook)
    assert found.shape == (3, length)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, rtol=1e-5)
    # The order of the steps tells nothing, and a picture is a trajectory of one step.
    np.testing.assert_allclose(encode_steps(trajectories[:, ::-1], codebook), found, atol=1e-5)
    pictures = encode_steps(regions[:4, None], codebook)
    assert len({tuple(row.round(4)) for row in pictures}) == 4
    if kind == "vlad":
        own = codebook.projection.project(trajectories[0])
        expected = np.zeros((4, 2))
        for each in own:
            nearest = min(range(4), key=lambda k: math.dist(each, codebook.words[k]))
            expected[nearest] += each - codebook.words[nearest]
        np.testing.assert_allclose(found[0], power_normalise(expected.ravel()), atol=1e-5)
    assert encode_steps(trajectories[:0], codebook).shape == (0, length)
    with pytest.raises(ValueError, match=r"steps must be finite, of shape \(Q, T, 5\)"):
        encode_steps(trajectories[:, :, :4], codebook)
    broken = trajectories.copy()
    broken[0, 0, 0] = np.nan
    with pytest.raises(ValueError, match="steps must be finite"):
        encode_steps(broken, codebook)


def test_codebooks_that_cannot_be():
    assert COMPONENTS == 256
    regions = np.zeros((10, 5), np.float32)
    with pytest.raises(ValueError, match="kind must be one of fisher, vlad, got 'bow'"):
        learn_step_codebook("bow", regions, dimension=2)
    with pytest.raises(ValueError, match=r"components must be in \[1, 10\]"):
        learn_step_codebook("vlad", regions, dimension=2)
