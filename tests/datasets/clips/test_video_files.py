"""Both layouts of videos, on files that were encoded."""

import json

import numpy as np
import pytest

from snapshelf.datasets.clips import open_clip_dataset, open_clip_training_data
from snapshelf.errors import DatasetError
from written_clip import written_clip

COLOURS = (30, 90, 150, 210)


@pytest.fixture
def film():
    """Frames longer than searches take them, a colour for each tenth of a second."""
    frames = [np.full((32, 1440, 3), colour, np.uint8) for colour in COLOURS]
    return written_clip(frames, rate=10)


def test_clip_pairs_are_read_from_files(write, listed, film):
    root = write("cup.jpg")
    (root / "film.mp4").write_bytes(film)
    listed(
        "clips.csv",
        "clip,time,x0,y0,x1,y1,product",
        "film.mp4,0.1,0,0,1400,30,cup",
        "film.mp4,0.3,,,,,cup",
    )
    listed("products.csv", "product,image", "cup,cup.jpg")
    (clip,) = open_clip_dataset(f"clip-pairs:{root}").clips("test")
    first, second = clip.frames()
    assert first.picture.shape == second.picture.shape == (32, 1440, 3)
    assert (first.box, second.box) == ((0.0, 0.0, 1400.0, 30.0), None)
    assert abs(float(first.picture.mean()) - COLOURS[1]) < 4
    assert abs(float(second.picture.mean()) - COLOURS[3]) < 4
    assert (first.time, second.time) == pytest.approx((0.1, 0.3), abs=0.02)


def test_moving_fashion_is_read_from_files(write, listed, film):
    root = write("imgs/1.png", "imgs/2.png", "videos/b.mp4")
    (root / "videos/a.mp4").write_bytes(film)
    entry = {"img_path": "imgs/1.png", "video_paths": ["videos/a.mp4"], "source": 1}
    listed("train.json", json.dumps({"1": entry}))
    other = {"img_path": "imgs/2.png", "video_paths": ["videos/b.mp4"], "source": 0}
    listed("test.json", json.dumps({"2": other}))
    (item,) = open_clip_training_data(f"moving-fashion:{root}").training_clips()
    frames = list(item.clips[0].frames())
    assert len(frames) == len(COLOURS)
    assert {frame.box for frame in frames} == {None}
    means = [float(frame.picture.mean()) for frame in frames]
    np.testing.assert_allclose(means, COLOURS, atol=4)
    (broken,) = open_clip_dataset(f"moving-fashion:{root}").clips("test")
    with pytest.raises(DatasetError, match=r"b\.mp4 cannot be read"):
        list(broken.frames())
