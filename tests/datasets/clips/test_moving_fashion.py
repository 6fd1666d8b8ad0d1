"""MovingFashion, on a small folder in its published layout."""

import json
from typing import NamedTuple

import numpy as np
import pytest

from snapshelf.datasets import Incomplete
from snapshelf.datasets.clips import ClipDataset, ClipTrainingData, open_clip_dataset
from snapshelf.datasets.clips.moving_fashion import MovingFashion
from snapshelf.errors import DatasetError


class Frame(NamedTuple):
    picture: np.ndarray
    time: float


def entry(picture, *videos, source=1):
    return {"img_path": f"imgs/{picture}", "video_paths": [f"videos/{v}" for v in videos]} | {
        "source": source
    }


TRAIN = {
    "11": entry("11.png", "a.mp4", "b.mp4", source=0),
    "12": entry("12.png", "gone.mp4"),
    "13": entry("13.png", "c.mp4"),
}
TEST = {
    "21": entry("21.png", "x.mp4", source=0),
    "22": entry("22.png", "x.mp4", "y.mp4", source=1),
    "23": entry("gone.png", "z.mp4"),
    "24": entry("24.png", "gone-as-well.mp4"),
}


@pytest.fixture
def folder(write, listed):
    listed("train.json", json.dumps(TRAIN), mark="\ufeff")
    listed("test.json", json.dumps(TEST))
    pictures = [f"imgs/{name}.png" for name in (11, 12, 13, 21, 22, 24)]
    return write(*pictures, *(f"videos/{name}.mp4" for name in "abcxyz"))


def test_gallery_clips_and_training(folder):
    data = open_clip_dataset(f"moving-fashion:{folder}")
    assert isinstance(data, ClipDataset)
    assert isinstance(data, ClipTrainingData)
    assert isinstance(data, Incomplete)
    assert data.missing == 3
    assert [product.id for product in data.products()] == ["21", "22", "24", "11", "12", "13"]
    assert data.products()[0].images == ("imgs/21.png",)
    found = [(clip.id, set(clip.products), clip.category) for clip in data.clips("test")]
    assert found == [
        ("videos/x.mp4", {"21", "22"}, "hard"),
        ("videos/y.mp4", {"22"}, "regular"),
    ]
    first, second = data.training_clips()
    assert (first.product_id, first.category) == ("11", "hard")
    assert first.shop == ((folder / "imgs/11.png", None),)
    assert [clip.id for clip in first.clips] == ["videos/a.mp4", "videos/b.mp4"]
    assert second.product_id == "13"
    assert [data.is_seen(name) for name in ("11", "24")] == [True, False]
    with pytest.raises(ValueError, match="split must be test, the only one, got 'train'"):
        data.clips("train")
    with pytest.raises(ValueError, match="'99' is no product of the data set moving-fashion"):
        data.is_seen("99")


def test_videos_are_read_by_whoever_is_given(folder):
    asked = []

    def read(path):
        asked.append(path)
        return (Frame(np.full((4, 6, 3), place, np.uint8), place / 25) for place in range(3))

    clip = open_clip_dataset(f"moving-fashion:{folder}", read_video=read).clips("test")[1]
    assert asked == []
    frames = list(clip.frames())
    assert asked == [folder / "videos/y.mp4"]
    assert [(frame.time, frame.box, frame.picture[0, 0, 0]) for frame in frames] == [
        (0.0, None, 0),
        (0.04, None, 1),
        (0.08, None, 2),
    ]
    assert clip.stacked().boxes.tolist() == [[0, 0, 6, 4]] * 3
    unread = open_clip_dataset(f"moving-fashion:{folder}").clips("test")[1]
    with pytest.raises(DatasetError, match=r"y.mp4 cannot be read: "):
        list(unread.frames())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{", r"test.json: is no JSON as published"),
        ("[" * 100_000, r"test.json: is no JSON as published"),
        ("[]", r"test.json: expected an object with an entry for each product, got \[\]"),
        ("{}", r"expected an object with an entry for each product"),
        ('{"1": {}, "1": {}}', r"'1' is there twice, expected once"),
        ('{"": {}}', r"expected a product ID, got an empty one"),
        ('{"1": 5}', r"product '1': expected img_path, video_paths and source, got 5"),
        (
            {"video_paths": [], "source": 1},
            r"product '1': expected img_path to be a path, got None",
        ),
        ({"img_path": 7}, r"expected img_path to be a path, got 7"),
        ({"img_path": "a", "video_paths": "b"}, r"expected video_paths to be paths, got 'b'"),
        ({"img_path": "a", "video_paths": [None]}, r"expected video_paths to be paths, got .None"),
        ({"img_path": "a", "video_paths": [""]}, r"expected video_paths to be paths"),
        ({"img_path": "a", "video_paths": []}, r"expected source to be 0 or 1, got None"),
        ({"img_path": "a", "video_paths": [], "source": 2}, r"source to be 0 or 1, got 2"),
        ({"img_path": "a", "video_paths": [], "source": True}, r"source to be 0 or 1, got True"),
        ({"img_path": "a", "video_paths": [], "source": []}, r"source to be 0 or 1, got \[\]"),
        (
            {"img_path": "imgs/../../a.png", "video_paths": [], "source": 1},
            r"product '1': the path 'imgs/../../a.png' leaves the data set's folder",
        ),
        (
            {"img_path": "a", "video_paths": ["/../b.mp4"], "source": 1},
            r"the path '/../b.mp4' leaves the data set's folder",
        ),
        ({"11": 1}, None),
    ],
)
def test_a_bad_list_is_refused_with_its_file_and_product(folder, listed, text, expected):
    if expected is None:
        text, expected = (
            json.dumps({"11": entry("11.png")}),
            r"product '11' is in train.json as well",
        )
    listed("test.json", text if isinstance(text, str) else json.dumps({"1": text}))
    with pytest.raises(DatasetError, match=expected):
        MovingFashion(folder)


def test_an_absolute_path_is_taken_below_the_folder(folder, listed):
    listed(
        "test.json",
        json.dumps({"1": {"img_path": "/etc/passwd", "video_paths": []}}).replace(
            "[]", '[], "source": 1'
        ),
    )
    assert "1" not in [product.id for product in MovingFashion(folder).products()]


def test_a_list_that_is_missing_and_a_folder_without_media(folder, listed, tmp_path):
    for video in (folder / "videos").iterdir():
        video.unlink()
    data = MovingFashion(folder)
    assert data.clips("test") == ()
    with pytest.raises(DatasetError, match="of no product the picture and a video are there"):
        data.training_clips()
    (folder / "train.json").unlink()
    with pytest.raises(DatasetError, match=r"train.json is missing: expected the MovingFashion"):
        MovingFashion(folder)
