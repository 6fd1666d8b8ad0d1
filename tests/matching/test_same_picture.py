"""Copies of a picture, and pictures that only resemble each other."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from snapshelf.matching.same_picture import is_same_picture, shrink_picture


def shot(colour=(180, 30, 40), size=(200, 160)):
    """Something with a pattern, on white."""
    picture = np.full((*size, 3), 255, np.uint8)
    picture[40:-30, 50:-50] = colour
    picture[60:90, 60:-70] = (20, 20, 20)
    picture[120:130, 55:-60] = (240, 220, 60)
    return picture


def jpeg(picture, quality):
    stream = BytesIO()
    Image.fromarray(picture).save(stream, "JPEG", quality=quality)
    return np.asarray(Image.open(stream))


def same(one, other):
    found = is_same_picture(shrink_picture(one), shrink_picture(other))
    assert found == is_same_picture(shrink_picture(other), shrink_picture(one))
    return found


COPIES = {
    "itself": lambda p: p,
    "compressed": lambda p: jpeg(p, 40),
    "half": lambda p: np.asarray(Image.fromarray(p).resize((80, 100))),
    "with more border": lambda p: np.pad(p, ((50, 10), (5, 60), (0, 0)), constant_values=255),
    "without border": lambda p: p[38:-28, 48:-48],
    "a little darker": lambda p: (p * 0.99).astype(np.uint8),
}


@pytest.mark.parametrize("name", COPIES)
def test_copies(name):
    assert same(shot(), COPIES[name](shot()))


def test_what_only_resembles_it():
    other_label = shot()
    other_label[95:115, 60:-70] = (0, 90, 200)
    for other in (shot((40, 60, 180)), shot()[:, ::-1], other_label):
        assert not same(shot(), other)


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (3, 2)])
def test_the_smallest_and_blank_pictures(size):
    blank = np.full((*size, 3), 200, np.uint8)
    assert same(blank, np.full((50, 50, 3), 200, np.uint8))
    assert not same(blank, np.full((50, 50, 3), 100, np.uint8))
    assert not same(blank, shot())
