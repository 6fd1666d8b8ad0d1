"""GIST against slow references: its filters, the answers by sums over frequencies, the cells."""

import cmath
import math

import numpy as np
import pytest

from snapshelf.features.classical.gist import LENGTH, gabor_filters, gist, prefilter
from snapshelf.features.classical.gist_encoder import GistEncoder
from snapshelf.features.encoder import Domain
from snapshelf.features.preprocessing import Preprocessing
from snapshelf.systems import System


def slow_filter(side, border, scale, number):
    """One transfer function, frequency by frequency."""
    length = side + 2 * border
    made = np.zeros((length, length))
    for row in range(length):
        for column in range(length):
            down = row if row < length / 2 else row - length
            across = column if column < length / 2 else column - length
            turned = cmath.phase(complex(across, down)) + math.pi / 8 * number
            if turned > math.pi:
                turned -= 2 * math.pi
            radial = (math.hypot(across, down) / length / (0.3 / 1.85**scale) - 1) ** 2
            made[row, column] = math.exp(
                -10 * 0.35 * radial - 2 * (16 * 8**2 / 32**2) * math.pi * turned**2
            )
    return made


def dft(length):
    grid = np.outer(np.arange(length), np.arange(length))
    return np.exp(-2j * math.pi * grid / length)


def test_the_filters_are_the_published_ones():
    made = gabor_filters(8, 4)
    assert made.shape == (32, 16, 16)
    for scale, number in [(0, 0), (1, 3), (2, 7), (3, 5)]:
        np.testing.assert_allclose(
            made[8 * scale + number], slow_filter(8, 4, scale, number), atol=1e-12
        )


def test_a_descriptor_is_the_mean_answer_of_each_cell():
    grey = np.random.default_rng(1).uniform(0, 255, (8, 8))
    found = gist(grey).reshape(32, 4, 4)
    continued = np.pad(prefilter(grey), 8, mode="symmetric")
    transform = dft(24)
    spectrum = transform @ continued @ transform.T
    inverse = transform.conj() / 24
    for number in (0, 9, 31):
        own = slow_filter(8, 8, number // 8, number % 8)
        answer = np.abs(inverse @ (spectrum * own) @ inverse.T)[8:16, 8:16]
        for row in range(4):
            for column in range(4):
                cell = answer[2 * row : 2 * row + 2, 2 * column : 2 * column + 2]
                assert found[number, row, column] == pytest.approx(cell.mean(), abs=1e-9)


def test_the_prefilter_takes_slow_changes_out_and_evens_contrast():
    rng = np.random.default_rng(2)
    texture = rng.uniform(-1, 1, (64, 64))
    ramp = np.linspace(40, 200, 64)
    weak, strong = (np.clip(ramp + a * texture, 0, 255) for a in (10, 40))
    # The slope is hardly left, and four times the contrast hardly shows.
    assert abs(prefilter(weak)[:, :20].mean() - prefilter(weak)[:, -20:].mean()) < 0.1
    deviations = [prefilter(each)[16:-16, 16:-16].std() for each in (weak, strong)]
    assert 1 < deviations[1] / deviations[0] < 3


def test_stripes_answer_most_to_the_filter_across_them():
    x = np.arange(128)
    upright = np.tile(127 + 100 * np.sin(2 * math.pi * x * 0.3 / 1.85), (128, 1))
    by_filter = gist(upright).reshape(4, 8, 16).sum(2)
    assert np.unravel_index(by_filter.argmax(), by_filter.shape) == (1, 0)
    turned = gist(upright.T).reshape(4, 8, 16).sum(2)
    assert np.unravel_index(turned.argmax(), turned.shape) == (1, 4)


@pytest.mark.parametrize("shape", [(8, 12), (6, 6), (4, 4), (8,), (8, 8, 3)])
def test_pictures_of_another_shape_are_refused(shape):
    with pytest.raises(ValueError, match="grey must be"):
        gist(np.zeros(shape))


def test_the_encoder():
    encoder = GistEncoder()
    rng = np.random.default_rng(3)
    pictures = [rng.integers(0, 256, (60, 90, 3), np.uint8) for _ in range(2)]
    inputs = np.stack([encoder.prepare(each, Domain.SHOP) for each in pictures])
    found = encoder.encode(inputs, Domain.STREET)
    assert found.shape == (2, LENGTH) == (2, 512)
    assert found.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)
    assert np.array_equal(found, encoder.encode(inputs, Domain.SHOP))
    assert System.load("gist").encoder.fingerprint == encoder.fingerprint
    other = GistEncoder(Preprocessing(size=(64, 64), mean=(0, 0, 0), std=(1, 1, 1)))
    assert other.fingerprint != encoder.fingerprint


@pytest.mark.parametrize("size", [(1, 1), (1, 200), (300, 2)])
@pytest.mark.parametrize("level", [0, 128, 255])
def test_plain_pictures_are_finite(size, level):
    encoder = GistEncoder()
    inputs = encoder.prepare(np.full((*size, 3), level, np.uint8), Domain.SHOP)
    found = encoder.encode(inputs[None], Domain.STREET)
    assert np.isfinite(found).all()
    if level == 255:  # the padding is white too: nothing is there
        assert not found.any()


@pytest.mark.parametrize("size", [(64, 32), (30, 30), (4, 4)])
def test_inputs_of_another_shape_are_refused(size):
    with pytest.raises(ValueError, match="size must be square"):
        GistEncoder(Preprocessing(size=size, mean=(0, 0, 0), std=(1, 1, 1)))
