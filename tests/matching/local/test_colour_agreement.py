import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from snapshelf.errors import ModelError
from snapshelf.matching.local.colour_agreement import chroma_of, colour_agreement
from snapshelf.matching.local.keypoint_features import find_keypoints
from snapshelf.matching.local.local_description import LocalDescription

Picture = NDArray[np.uint8]

EVERYWHERE = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32)
SAME = np.eye(3)


def patches(seed: int, size: int = 240) -> Picture:
    """Draw a few large coloured fields."""
    cells = np.random.default_rng(seed).integers(0, 255, (4, 4, 3)).astype(np.uint8)
    return cv2.resize(cells, (size, size), interpolation=cv2.INTER_NEAREST)


def slow_agreement(one: Picture, other: Picture) -> float:
    """Correlate two pictures of one size, by the definition."""
    products = squares_one = squares_other = 0.0
    for channel in range(2):
        a, b = one[..., channel].astype(float), other[..., channel].astype(float)
        a, b = a - a.mean(), b - b.mean()
        products += float(sum(x * y for x, y in zip(a.flat, b.flat, strict=True)))
        squares_one += float(sum(x * x for x in a.flat))
        squares_other += float(sum(y * y for y in b.flat))
    return products / np.sqrt(squares_one * squares_other)


def test_chroma_is_small_and_without_lightness() -> None:
    picture = patches(0)
    chroma = chroma_of(picture, 64)
    assert chroma.shape == (64, 64, 2)
    assert chroma.dtype == np.uint8
    grey = np.repeat(np.arange(256, dtype=np.uint8).reshape(1, 256, 1), 3, axis=2)
    assert np.abs(chroma_of(grey, 64).astype(int) - 128).max() <= 1
    assert chroma_of(np.zeros((1, 1, 3), np.uint8), 64).shape == (64, 64, 2)
    assert chroma_of(np.zeros((900, 3, 3), np.uint8), 64).shape == (64, 1, 2)


def test_the_same_picture_agrees_with_itself() -> None:
    chroma = chroma_of(patches(1), 64)
    assert colour_agreement(chroma, chroma, SAME, EVERYWHERE) == pytest.approx(1)


@pytest.mark.parametrize("seed", range(4))
def test_against_the_definition(seed: int) -> None:
    one, other = chroma_of(patches(seed), 32), chroma_of(patches(seed + 10), 32)
    found = colour_agreement(one, other, SAME, EVERYWHERE)
    assert found == pytest.approx(slow_agreement(one, other), abs=1e-6)


def test_a_cast_of_the_light_makes_no_difference() -> None:
    picture = patches(2)
    chroma = chroma_of(picture, 64)
    cast = (chroma + np.array([9, -12])).clip(0, 255).astype(np.uint8)
    assert colour_agreement(cast, chroma, SAME, EVERYWHERE) == pytest.approx(1, abs=0.01)


def test_other_colours_in_the_same_print_disagree() -> None:
    red = np.full((200, 200, 3), 255, np.uint8)
    green = red.copy()
    red[60:140, 60:140] = (220, 40, 40)
    green[60:140, 60:140] = (40, 180, 40)
    own = chroma_of(red, 64)
    assert colour_agreement(own, chroma_of(green, 64), SAME, EVERYWHERE) < 0
    assert colour_agreement(own, own, SAME, EVERYWHERE) == pytest.approx(1)


def test_a_turned_photo_is_laid_upon_the_picture() -> None:
    label = cv2.resize(patches(3, 100), (160, 160))
    mapping = np.array([[0.5, 0.2, 0.2], [-0.2, 0.5, 0.4], [0, 0, 1]])  # label to photo, units
    pixels = np.diag([400.0, 400, 1]) @ mapping @ np.diag([1 / 160, 1 / 160, 1])
    photo = cv2.warpPerspective(label, pixels, (400, 400), borderValue=(90, 200, 30))
    own, other = chroma_of(photo, 192), chroma_of(label, 64)
    right = colour_agreement(own, other, np.linalg.inv(mapping), EVERYWHERE)
    wrong = colour_agreement(own, other, SAME, EVERYWHERE)
    assert right > 0.95
    assert wrong < 0.5


def test_only_what_lies_among_the_points_counts() -> None:
    one = chroma_of(patches(4), 64)
    other = one.copy()
    other[:, 40:] = 255 - other[:, 40:]
    left = np.array([[0.05, 0.1], [0.5, 0.1], [0.5, 0.9], [0.05, 0.9]], np.float32)
    assert colour_agreement(one, other, SAME, left) == pytest.approx(1)
    assert colour_agreement(one, other, SAME, EVERYWHERE) < 0.9


def test_without_colours_or_pixels_nothing_is_said() -> None:
    grey = np.full((64, 64, 2), 128, np.uint8)
    chroma = chroma_of(patches(5), 64)
    point = np.full((6, 2), 0.5, np.float32)
    beside = np.array([[1, 0, 5], [0, 1, 5], [0, 0, 1]], np.float64)
    assert colour_agreement(grey, chroma, SAME, EVERYWHERE) == 0
    assert colour_agreement(chroma, grey, SAME, EVERYWHERE) == 0
    assert colour_agreement(chroma, chroma, beside, EVERYWHERE) == 0
    tiny = chroma_of(patches(5), 3)
    assert colour_agreement(tiny, tiny, SAME, point) == 0


def test_a_side_out_of_range_is_named() -> None:
    with pytest.raises(ValueError, match="side must be at least 1, got 0"):
        chroma_of(patches(0), 0)


def test_a_description_comes_back_from_its_bytes() -> None:
    picture = np.random.default_rng(0).integers(0, 255, (90, 200, 3)).astype(np.uint8)
    keypoints = find_keypoints(picture, side=200, most=30)
    description = LocalDescription(keypoints, chroma_of(picture, 64))
    data = description.to_bytes()
    back = LocalDescription.from_bytes(data)
    np.testing.assert_array_equal(back.chroma, description.chroma)
    np.testing.assert_array_equal(back.keypoints.descriptors, keypoints.descriptors)
    assert back.to_bytes() == data


@pytest.mark.parametrize("cut", [0, 5, 8, 100, -1])
def test_a_description_that_is_cut_short_is_refused(cut: int) -> None:
    picture = patches(6)
    keypoints = find_keypoints(picture, side=240, most=30)
    data = LocalDescription(keypoints, chroma_of(picture, 64)).to_bytes()[:cut]
    with pytest.raises(ModelError, match="index the shelf again"):
        LocalDescription.from_bytes(data)
