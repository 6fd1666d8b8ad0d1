"""Layers and sources: what is cut out can be put back, without a rim of its old background."""

import cv2
import numpy as np
import pytest
from augmentation_pictures import mug, photo

from snapshelf.features.encoder import Domain
from snapshelf.training.augmentation import Source
from snapshelf.training.augmentation.fields import multiply, screen
from snapshelf.training.augmentation.layers import Placed, as_layer, coverage, opaque, paint
from snapshelf.training.augmentation.source import (
    can_be_cut_out,
    cut_out,
    shows_plain_background,
)


def soft_disc(colour, background, size=61):
    big = np.zeros((size * 8, size * 8), np.float32)
    cv2.circle(big, (size * 4, size * 4), size * 3, 1.0, -1)
    matte = cv2.resize(big, (size, size), interpolation=cv2.INTER_AREA)
    picture = matte[..., None] * np.array(colour) + (1 - matte[..., None]) * np.array(background)
    return Source(np.rint(picture).astype(np.uint8), matte, Domain.SHOP)


def over(picture, layer, top, left):
    """Paint in float, pixel by pixel."""
    result = picture.astype(float)
    for y in range(layer.shape[0]):
        for x in range(layer.shape[1]):
            alpha = layer[y, x, 3] / 255
            result[top + y, left + x] = layer[y, x, :3] + (1 - alpha) * picture[top + y, left + x]
    return np.clip(result, 0, 255)


def test_painting_agrees_with_the_equation_in_float():
    rng = np.random.default_rng(0)
    picture = rng.integers(0, 256, (20, 24, 3), np.uint8)
    colour = rng.integers(0, 256, (7, 9, 3), np.uint8)
    alpha = rng.integers(0, 256, (7, 9), np.uint8)
    layer = as_layer(colour, alpha)
    expected_colour = colour * (alpha[..., None] / 255)
    assert np.abs(layer[..., :3] - expected_colour).max() <= 0.5
    expected = over(picture, layer, 5, 3)
    paint(picture, Placed(layer, 5, 3))
    assert np.abs(picture - expected).max() <= 1


def test_nothing_is_painted_where_nothing_is():
    picture = np.full((4, 4, 3), 9, np.uint8)
    paint(picture, Placed(np.zeros((0, 0, 4), np.uint8), 0, 0))
    assert (picture == 9).all()


def test_coverage_lies_where_the_layer_lies():
    layer = opaque(np.zeros((2, 3, 3), np.uint8))
    found = coverage(Placed(layer, 4, 1), (8, 6))
    assert found.sum() == 6 * 255
    assert (found[4:6, 1:4] == 255).all()


def test_screen_follows_its_equation():
    rng = np.random.default_rng(1)
    picture, light = rng.integers(0, 256, (2, 30, 30, 3), np.uint8)
    expected = 255 - (255 - picture.astype(float)) * (255 - light.astype(float)) / 255
    assert np.abs(screen(picture, light) - expected).max() <= 0.5
    assert np.array_equal(screen(picture, np.zeros_like(picture)), picture)


def test_multiply_brightens_up_to_alpha():
    layer = np.full((3, 3, 4), 100, np.uint8)
    layer[..., 3] = 120
    brighter = multiply(layer, np.full((1, 1), 2.0, np.float32))
    assert (brighter == (120, 120, 120, 120)).all()


@pytest.mark.parametrize("background", [(255, 255, 255), (128, 128, 128), (20, 30, 90)])
def test_no_rim_of_the_old_background_comes_along(background):
    colour, new = (200, 40, 60), np.full((80, 80, 3), (30, 200, 120), np.uint8)
    source = soft_disc(colour, background)
    layer = cut_out(source)
    y, x = (np.flatnonzero((source.matte > 0.02).any(axis=axis)) for axis in (1, 0))
    assert layer.shape == (len(y), len(x), 4)
    matte = source.matte[y[0] : y[-1] + 1, x[0] : x[-1] + 1, None]
    expected = matte * np.array(colour) + (1 - matte) * (30, 200, 120)
    paint(new, Placed(layer, 5, 5))
    found = new[5 : 5 + len(y), 5 : 5 + len(x)]
    assert np.abs(found - expected).max() <= 4


def test_onto_its_own_background_it_is_the_picture_again():
    source = mug()
    paper = np.full_like(source.picture, 255)
    y, x = (np.flatnonzero(source.matte.any(axis=axis))[0] for axis in (1, 0))
    paint(paper, Placed(cut_out(source), int(y), int(x)))
    assert np.abs(paper.astype(int) - source.picture).max() <= 1


def test_a_layer_is_premultiplied_whatever_the_matte():
    rng = np.random.default_rng(2)
    picture = rng.integers(0, 256, (30, 40, 3), np.uint8)
    matte = rng.random((30, 40), np.float32)
    matte[:5] = 0
    for domain in Domain:
        layer = cut_out(Source(picture, matte, domain))
        assert (layer[..., :3] <= layer[..., 3:]).all()


def test_without_a_matte_or_an_item():
    assert (cut_out(photo())[..., 3] == 255).all()
    empty = Source(np.zeros((5, 6, 3), np.uint8), np.zeros((5, 6), np.float32), Domain.SHOP)
    assert not cut_out(empty).any()


@pytest.mark.parametrize(
    ("share", "plain", "expected"),
    [
        (0.5, True, (True, True)),
        (0.5, False, (True, False)),
        (0.01, True, (False, False)),
        (1.0, True, (False, False)),
    ],
)
def test_which_sources_can_be_cut_out(share, plain, expected):
    picture = np.full((40, 100, 3), 240, np.uint8)
    if not plain:
        picture[:] = np.random.default_rng(0).integers(0, 256, picture.shape)
    matte = np.zeros((40, 100), np.float32)
    matte[:, : round(share * 100)] = 1
    source = Source(picture, matte, Domain.STREET)
    assert (can_be_cut_out(source), shows_plain_background(source)) == expected
    unknown = Source(picture, None, Domain.STREET)
    assert not can_be_cut_out(unknown)
    assert not shows_plain_background(unknown)


WRONG = {
    "grey": (np.zeros((4, 4), np.uint8), None, r"picture must be \(H, W, 3\) uint8, got \(4, 4\)"),
    "float": (np.zeros((4, 4, 3)), None, "picture must be .* float64"),
    "with alpha": (np.zeros((4, 4, 4), np.uint8), None, "picture must be"),
    "empty": (np.zeros((0, 4, 3), np.uint8), None, "picture must have pixels"),
    "matte of another": (
        np.zeros((4, 5, 3), np.uint8),
        np.zeros((5, 4), np.float32),
        r"matte must be \(4, 5\) float32 as its picture, got \(5, 4\)",
    ),
    "matte in bytes": (
        np.zeros((4, 5, 3), np.uint8),
        np.zeros((4, 5), np.uint8),
        "matte must be .* uint8",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_no_source_is_refused(case):
    picture, matte, message = WRONG[case]
    with pytest.raises(ValueError, match=message):
        Source(picture, matte, Domain.SHOP)
