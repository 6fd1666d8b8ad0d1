"""Parts of a grid: where they lie, and grids that are none."""

import numpy as np
import pytest

from snapshelf.features.pipeline import crop
from snapshelf.locating import GridParts


def picture(height, width):
    return np.zeros((height, width, 3), np.uint8)


def test_parts_are_spread_evenly_and_flush_with_the_edges():
    parts = GridParts(2, 3, share=0.5)(picture(40, 60))
    assert len(parts) == GridParts(2, 3, share=0.5).count == 6
    assert parts[0] == (0, 0, 30, 20)
    assert parts[1] == (15, 0, 45, 20)
    assert parts[2] == (30, 0, 60, 20)
    assert parts[5] == (30, 20, 60, 40)


def test_one_part_lies_in_the_middle_and_a_whole_one_is_the_picture():
    assert GridParts(1, 1, share=0.5)(picture(40, 60)) == ((15, 10, 45, 30),)
    assert set(GridParts(2, 2, share=1)(picture(7, 5))) == {(0, 0, 5, 7)}


@pytest.mark.parametrize("size", [(1, 1), (1, 50), (3, 2)])
def test_tiny_pictures_have_parts_of_a_pixel_at_least(size):
    whole = picture(*size)
    for box in GridParts(3, 3, share=0.2)(whole):
        assert crop(whole, box).size


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ((0, 2, 0.5), "rows and columns must be at least 1"),
        ((2, 0, 0.5), "rows and columns must be at least 1"),
        ((1, 1, 0.0), "share must be in"),
        ((1, 1, 1.5), "share must be in"),
        ((1, 1, float("nan")), "share must be in"),
    ],
)
def test_no_grid(given, message):
    with pytest.raises(ValueError, match=message):
        GridParts(*given)


def test_the_fingerprint_tells_grids_apart():
    grids = [GridParts(), GridParts(3, 2), GridParts(2, 3), GridParts(share=0.5)]
    assert len({grid.fingerprint for grid in grids}) == 4
