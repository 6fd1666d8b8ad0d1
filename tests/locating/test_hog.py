"""HOG against a loop over pixels written from the paper and its authors' code."""

import math

import numpy as np
import pytest

from snapshelf.locating.feature_pyramid import PyramidSettings, feature_pyramid
from snapshelf.locating.hog import FEATURES, hog, pad_cells


def slow_hog(picture, cell):
    """Follow features.cc of the published code pixel by pixel."""
    height, width = picture.shape[:2]
    rows, columns = (math.floor(side / cell + 0.5) for side in (height, width))
    histogram = np.zeros((rows, columns, 18))
    pixels = picture.astype(float)
    for y in range(1, rows * cell - 1):
        for x in range(1, columns * cell - 1):
            py, px = min(y, height - 2), min(x, width - 2)
            best, bx, by = -1.0, 0.0, 0.0
            for channel in range(3):
                dx = pixels[py, px + 1, channel] - pixels[py, px - 1, channel]
                dy = pixels[py + 1, px, channel] - pixels[py - 1, px, channel]
                if dx * dx + dy * dy > best:
                    best, bx, by = dx * dx + dy * dy, dx, dy
            dots = [
                math.cos(math.pi * o / 9) * bx + math.sin(math.pi * o / 9) * by for o in range(18)
            ]
            orientation = int(np.argmax(np.round(dots, 6)))  # the first of equal ones
            xp, yp = (x + 0.5) / cell - 0.5, (y + 0.5) / cell - 0.5
            for cy, wy in ((math.floor(yp), 1 - yp % 1), (math.floor(yp) + 1, yp % 1)):
                for cx, wx in ((math.floor(xp), 1 - xp % 1), (math.floor(xp) + 1, xp % 1)):
                    if 0 <= cy < rows and 0 <= cx < columns:
                        histogram[cy, cx, orientation] += wy * wx * math.sqrt(best)
    energy = ((histogram[..., :9] + histogram[..., 9:]) ** 2).sum(axis=2)
    features = np.zeros((max(rows - 2, 0), max(columns - 2, 0), 32))
    for r in range(features.shape[0]):
        for c in range(features.shape[1]):
            signed = histogram[r + 1, c + 1]
            for number, (y, x) in enumerate([(1, 1), (0, 1), (1, 0), (0, 0)]):
                block = energy[r + y : r + y + 2, c + x : c + x + 2].sum()
                norm = 1 / math.sqrt(block + 1e-4)
                cut = np.minimum(signed * norm, 0.2)
                features[r, c, :18] += cut / 2
                features[r, c, 18:27] += np.minimum((signed[:9] + signed[9:]) * norm, 0.2) / 2
                features[r, c, 27 + number] = 0.2357 * cut.sum()
    return features


# Sides that cells do not divide: the last cell is filled up, or pixels are left over.
@pytest.mark.parametrize("size", [(40, 32), (29, 27), (36, 44), (43, 38)])
@pytest.mark.parametrize("cell", [4, 8])
def test_hog_is_that_of_the_slow_loop(size, cell):
    rng = np.random.default_rng(size[0])
    # Smooth and noisy parts, and some of one colour.
    picture = rng.integers(0, 255, (*size, 3)).astype(np.uint8)
    picture[: size[0] // 2] = np.linspace(0, 250, size[1]).astype(np.uint8)[:, None]
    picture[:9, :9] = 80
    found = hog(picture, cell)
    assert found.dtype == np.float32
    assert np.allclose(found, slow_hog(picture, cell), atol=2e-4)


def test_a_grey_picture_and_its_copies_in_each_channel():
    ramp = np.add.outer(np.arange(40), 3 * np.arange(40)).astype(np.uint8)
    found = hog(np.dstack([ramp] * 3), 8)
    assert found.shape == (3, 3, FEATURES)
    # The gradient (3, 1) points 18 degrees down: the nearest of 18 orientations is 20 degrees.
    assert (found[1:-1, 1:-1, :18].argmax(axis=2) == 1).all()


def test_a_blank_picture_has_no_gradient():
    assert not hog(np.full((64, 64, 3), 9, np.uint8), 8).any()


@pytest.mark.parametrize("size", [(1, 1), (1, 400), (2, 2), (16, 100), (19, 19)])
def test_pictures_with_no_inner_cell(size):
    picture = np.zeros((*size, 3), np.uint8)
    assert 0 in hog(picture, 8).shape


@pytest.mark.parametrize(
    ("picture", "cell", "message"),
    [
        (np.zeros((40, 40), np.uint8), 8, r"must be \(H, W, 3\) uint8, got \(40, 40\)"),
        (np.zeros((40, 40, 3)), 8, "of float64"),
        (np.zeros((40, 40, 3), np.uint8), 1, "cell must be at least 2 pixels, got 1"),
    ],
)
def test_what_cannot_be_described_is_named(picture, cell, message):
    with pytest.raises(ValueError, match=message):
        hog(picture, cell)


def test_cells_around_a_picture_say_so():
    cells = np.ones((2, 3, FEATURES), np.float32)
    padded = pad_cells(cells, (4, 4), 1)
    assert (padded[1:3, 1:4] == 1).all()
    outside = np.ones((4, 4), bool)
    outside[1:3, 1:4] = False
    assert (padded[outside][:, -1] == 1).all()
    assert not padded[outside][:, :-1].any()
    # What is too much is cut off.
    assert pad_cells(cells, (2, 2), 1)[1, 1].all()


def test_parts_lie_twice_as_fine_under_their_roots():
    picture = np.zeros((200, 160, 3), np.uint8)
    picture[72:104, 56:96] = 255
    settings = PyramidSettings(levels=3, longest=640, pad=2)
    for level in feature_pyramid(picture, settings):
        rows, columns = level.cells.shape[:2]
        assert level.parts.shape == (2 * rows, 2 * columns, FEATURES)
        inside = level.cells[..., 27:31].sum(axis=2) > 0.1
        fine = level.parts[..., 27:31].sum(axis=2) > 0.1
        # Each finer cell that has an edge lies in a cell that has one, or beside it.
        for row, column in np.argwhere(fine):
            near = inside[
                max(row // 2 - 1, 0) : row // 2 + 2, max(column // 2 - 1, 0) : column // 2 + 2
            ]
            assert near.any()


def test_the_boxes_of_a_level_are_where_its_cells_are():
    picture = np.zeros((240, 320, 3), np.uint8)
    picture[80:160, 120:200] = 255
    for level in feature_pyramid(picture, PyramidSettings(levels=2, pad=3)):
        for cells, boxes in ((level.cells, level.boxes), (level.parts, level.part_boxes)):
            rows, columns = np.nonzero(cells[..., 27:31].sum(axis=2) > 0.1)
            found = boxes(rows, columns, (1, 1))
            low, high = found[:, :2].min(axis=0), found[:, 2:].max(axis=0)
            cell = max(found[0, 2:] - found[0, :2])
            # Normalised, the cells beside an edge tell of it as loudly, on both sides alike.
            assert np.abs((low + high) / 2 - [160, 120]).max() <= 0.6 * cell
            assert np.abs(high - low - [80, 80]).max() <= 4 * cell


def test_levels_shrink_by_their_share_of_an_octave():
    picture = np.zeros((480, 640, 3), np.uint8)
    levels = feature_pyramid(picture, PyramidSettings(levels=4))
    steps = np.array([level.step[0] for level in levels])
    assert np.allclose(steps[1:] / steps[:-1], 2**0.25, rtol=0.02)
    assert steps[0] == 8
    # It ends where the shorter side has no more than five cells.
    assert 480 * 8 / steps[-1] >= 40 > 480 * 8 / (steps[-1] * 2**0.25) - 2


@pytest.mark.parametrize("size", [(1, 1), (1, 5000), (3, 3), (20_000, 9)])
def test_every_picture_has_a_level(size):
    (level, *_) = feature_pyramid(np.zeros((*size, 3), np.uint8), PyramidSettings())
    assert level.cells.shape[0] >= 1 + 2 * 3
    assert level.cells.shape[1] >= 1 + 2 * 3
    assert max(level.cells.shape[:2]) <= 80 + 2 * 3


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"cell": 7}, "cell must be even"),
        ({"cell": 2}, "at least 4 pixels"),
        ({"levels": 0}, "levels must be at least 1"),
        ({"longest": 10}, "longest must be at least 3 cells"),
        ({"pad": 0}, "pad must be at least 1"),
    ],
)
def test_settings_that_make_no_pyramid_are_named(settings, message):
    with pytest.raises(ValueError, match=message):
        PyramidSettings(**settings)


def test_an_empty_picture_has_no_pyramid():
    with pytest.raises(ValueError, match="with pixels"):
        feature_pyramid(np.zeros((0, 5, 3), np.uint8), PyramidSettings())
