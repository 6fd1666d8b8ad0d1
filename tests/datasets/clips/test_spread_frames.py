"""Steps of clips of any length."""

import numpy as np
import pytest

from snapshelf.datasets.clips.clip import Clip, ClipFrame
from snapshelf.datasets.clips.spread_frames import middle_frame, shown_steps, stretched
from snapshelf.errors import DatasetError


def clip_of(count, box=None):
    def frames():
        return (ClipFrame(np.full((6, 8, 3), n, np.uint8), n / 10, box) for n in range(count))

    return Clip("clip", frozenset({"cup"}), "", frames)


def test_places_are_even_and_ascending():
    for given in range(1, 40):
        for wanted in range(1, 40):
            places = stretched(given, wanted)
            assert len(places) == wanted
            assert places.min() >= 0
            assert places.max() < given
            counts = np.bincount(places, minlength=given)
            if wanted >= given:
                assert counts.max() - counts.min() <= 1
            else:
                assert counts.max() == 1
            assert (np.diff(places) >= 0).all()


@pytest.mark.parametrize("count", [1, 2, 3, 8, 31, 32, 200])
def test_the_frame_in_the_middle_is_shown_whole(count):
    shown = middle_frame(clip_of(count, box=(1, 1, 3, 3)))
    assert shown.shape == (6, 8, 3)
    assert abs(int(shown[0, 0, 0]) - (count - 1) / 2) <= 0.5 + count / 32
    with pytest.raises(DatasetError, match="no frame"):
        middle_frame(clip_of(0))


def test_a_clip_is_brought_to_its_steps():
    colours = [int(each[0, 0, 0]) for each in shown_steps(clip_of(3), 6)]
    assert colours == [0, 0, 1, 1, 2, 2]
    assert len(shown_steps(clip_of(3), 6, repeat=False)) == 3
    assert len(shown_steps(clip_of(100), 4)) == 4
    assert shown_steps(clip_of(2, (1.0, 2.0, 5.0, 4.0)), 2)[1].shape == (2, 4, 3)
    with pytest.raises(DatasetError, match="has no frame"):
        shown_steps(clip_of(0), 4)
