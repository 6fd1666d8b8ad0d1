"""Clips told by two tables, and the frames that their rows mean."""

import os
from typing import NamedTuple

import numpy as np
import pytest

from snapshelf.datasets import open_dataset
from snapshelf.datasets.clips import ClipDataset, ClipTrainingData, open_clip_dataset
from snapshelf.datasets.clips.clip_pairs import ClipPairs
from snapshelf.datasets.clips.registry import open_clip_training_data
from snapshelf.errors import DatasetError


class Frame(NamedTuple):
    picture: np.ndarray
    time: float


class Video:
    """So many frames at so many a second; the number of each is its colour."""

    def __init__(self, count=50, rate=25.0, size=(40, 60)):
        self.count, self.rate, self.size = count, rate, size
        self.read = 0

    def __call__(self, path):
        for place in range(self.count):
            self.read += 1
            yield Frame(np.full((*self.size, 3), place, np.uint8), place / self.rate)


HEADER = "clip,time,x0,y0,x1,y1,product,split,track"
ROWS = (
    "videos/a.mp4,0.5,1,2,30,20,cup,test,",
    "videos/a.mp4,0.09,0,0,20,20,cup,test,",
    "",
    " videos/a.mp4 , 0.3 ,,,,, bowl ,,",
    "videos/b.mp4,0,5,5,10,10,plate,train,",
    "videos/b.mp4,0,5,5,9,9,cup,train,left",
    "videos/b.mp4,0,15,5,19,9,cup,train,right",
)
PRODUCTS = (
    "product,image,title,category",
    "cup,shop/cup.jpg,A cup,Drinking / Cups",
    "cup,shop/cup-2.jpg,,",
    "plate,shop/plate.jpg,,",
    "bowl,shop/bowl.jpg,,Eating",
)


@pytest.fixture
def folder(write, listed):
    listed("clips.csv", HEADER, *ROWS, end="\r\n", mark="\ufeff")
    listed("products.csv", *PRODUCTS)
    names = ("cup", "cup-2", "plate", "bowl")
    return write("videos/a.mp4", "videos/b.mp4", *(f"shop/{name}.jpg" for name in names))


def test_products_clips_and_training(folder):
    data = open_clip_training_data(f"clip-pairs:{folder}")
    assert isinstance(data, ClipDataset)
    assert isinstance(data, ClipTrainingData)
    cup, plate, bowl = data.products()
    assert (cup.title, cup.category) == ("A cup", ("Drinking", "Cups"))
    assert cup.images == ("shop/cup.jpg", "shop/cup-2.jpg")
    assert (plate.title, plate.category) == ("plate", ())
    found = [(clip.id, set(clip.products), clip.category) for clip in data.clips("test")]
    assert found == [
        ("videos/a.mp4#cup", {"cup"}, "Drinking"),
        ("videos/a.mp4#bowl", {"bowl"}, "Eating"),
    ]
    items = data.training_clips()
    assert [(item.product_id, [clip.id for clip in item.clips]) for item in items] == [
        ("cup", ["videos/b.mp4#cup#left", "videos/b.mp4#cup#right"]),
        ("plate", ["videos/b.mp4#plate"]),
    ]
    assert items[0].shop == ((folder / "shop/cup.jpg", None), (folder / "shop/cup-2.jpg", None))
    assert [data.is_seen(product.id) for product in (cup, plate, bowl)] == [True, True, False]
    with pytest.raises(ValueError, match="split must be test, the only one, got 'train'"):
        data.clips("train")
    with pytest.raises(ValueError, match="'fork' is no product"):
        data.is_seen("fork")


def test_a_row_is_the_frame_nearest_to_its_time(folder):
    video = Video()
    cup, bowl = ClipPairs(folder, video).clips("test")
    frames = list(cup.frames())
    assert [(frame.picture[0, 0, 0], frame.time, frame.box) for frame in frames] == [
        (2, 0.08, (0.0, 0.0, 20.0, 20.0)),
        (12, 0.48, (1.0, 2.0, 30.0, 20.0)),
    ]
    # One frame more tells that the one before is the nearest; the others are not read.
    assert video.read == 14
    (frame,) = bowl.frames()
    assert (frame.picture[0, 0, 0], frame.box) == (7, None)


def nearest(times, wanted):
    return [min(range(len(times)), key=lambda n: (abs(times[n] - at), n)) for at in wanted]


def test_nearest_frames_are_those_of_a_search_through_all(folder, listed):
    rng = np.random.default_rng(5)
    for _ in range(20):
        times = np.sort(rng.uniform(0, 3, 12)).round(3).tolist()
        wanted = np.sort(rng.uniform(times[0] - 0.5, times[-1] + 0.5, 15)).clip(0).round(3)
        wanted = sorted(set(wanted.tolist()))
        listed("clips.csv", HEADER, *(f"videos/a.mp4,{at},,,,,cup,," for at in wanted))

        def read(path, times=times):
            return (Frame(np.full((2, 2, 3), n, np.uint8), at) for n, at in enumerate(times))

        (clip,) = ClipPairs(folder, read).clips("test")
        try:
            found = [int(frame.picture[0, 0, 0]) for frame in clip.frames()]
        except DatasetError:
            gaps = [
                abs(times[n] - at) for n, at in zip(nearest(times, wanted), wanted, strict=True)
            ]
            assert max(gaps) > 1
        else:
            assert found == nearest(times, wanted)


@pytest.mark.parametrize(
    ("video", "row", "expected"),
    [
        (Video(count=0), "0,,,,", r"clips.csv:2: .*a.mp4 holds no frame, expected some"),
        (Video(), "9.5,,,,", r"clips.csv:2: expected a frame of .*a.mp4 at 9.5 s, the nearest"),
        (Video(), "0,70,0,90,9", r"clips.csv:2: expected a box in the frame of 60 x 40 pixels"),
        (Video(), "0,-20,-9,-1,-2", r"clips.csv:2: expected a box in the frame"),
    ],
)
def test_a_row_that_does_not_fit_its_video_is_named(folder, listed, video, row, expected):
    listed("clips.csv", HEADER, f"videos/a.mp4,{row},cup,,")
    (clip,) = ClipPairs(folder, video).clips("test")
    with pytest.raises(DatasetError, match=expected):
        list(clip.frames())


def test_a_box_is_cut_off_at_the_frame(folder, listed):
    listed("clips.csv", HEADER, "videos/a.mp4,0,-5,10,1e3,1000,cup,,")
    (clip,) = ClipPairs(folder, Video()).clips("test")
    assert next(clip.frames()).box == (0.0, 10.0, 60.0, 40.0)


BAD_CLIPS = [
    (
        ["clip,time,product"],
        r"clips.csv:1: expected the columns clip, time, x0, .* got 'clip, time",
    ),
    ([HEADER + ",extra"], r"clips.csv:1: expected the columns"),
    ([HEADER + ",clip"], r"clips.csv:1: expected the columns .*each once"),
    ([], r"clips.csv:1: expected the columns"),
    ([HEADER], r"clips.csv lists no clip, expected some"),
    ([HEADER, "videos/a.mp4,1"], r"clips.csv:2: expected 9 fields, got 2"),
    ([HEADER, "videos/a.mp4,x,,,,,cup,,"], r"clips.csv:2: expected time to be a number, got 'x'"),
    ([HEADER, "videos/a.mp4,nan,,,,,cup,,"], r"clips.csv:2: expected time to be a number"),
    ([HEADER, "videos/a.mp4,inf,,,,,cup,,"], r"clips.csv:2: expected time to be a number"),
    ([HEADER, "videos/a.mp4,1e12,,,,,cup,,"], r"clips.csv:2: expected time to be a number"),
    ([HEADER, "videos/a.mp4,,,,,,cup,,"], r"clips.csv:2: expected time to be a number, got ''"),
    ([HEADER, "videos/a.mp4,-1,,,,,cup,,"], r"clips.csv:2: expected time to be at least 0, got -1"),
    ([HEADER, "videos/a.mp4,1,5,5,,9,cup,,"], r"clips.csv:2: expected x1 to be a number, got ''"),
    ([HEADER, "videos/a.mp4,1,5,5,5,9,cup,,"], r"clips.csv:2: expected x0 < x1 and y0 < y1"),
    ([HEADER, "videos/a.mp4,1,5,nan,6,9,cup,,"], r"clips.csv:2: expected y0 to be a number"),
    ([HEADER, "videos/a.mp4,1,,,,,fork,,"], r"clips.csv:2: product 'fork' is not in products.csv"),
    ([HEADER, "videos/a.mp4,1,,,,,,,"], r"clips.csv:2: expected a clip and a product"),
    ([HEADER, ",1,,,,,cup,,"], r"clips.csv:2: expected a clip and a product"),
    ([HEADER, "videos/a.mp4,1,,,,,cup,dev,"], r"expected split to be train or test, got 'dev'"),
    ([HEADER, "../a.mp4,1,,,,,cup,,"], r"clips.csv:2: the path '../a.mp4' leaves the data set's"),
    ([HEADER, "videos/../../a.mp4,1,,,,,cup,,"], r"leaves the data set's folder"),
    ([HEADER, "/etc/hosts,1,,,,,cup,,"], r"clips.csv:2: there is no file .*/etc/hosts"),
    ([HEADER, "videos,1,,,,,cup,,"], r"clips.csv:2: there is no file"),
    ([HEADER, "videos/\x00.mp4,1,,,,,cup,,"], r"clips.csv:2: "),
    (
        [HEADER, "videos/a.mp4,1,,,,,cup,,", "videos/a.mp4,2,,,,,bowl,train,"],
        r"clips.csv:3: videos/a.mp4 is of the split train here and of test in .*clips.csv:2",
    ),
    (
        [HEADER, "videos/a.mp4,1,,,,,cup,,", "videos/a.mp4,1.0,,,,,cup,,"],
        r"clips.csv:3: time 1 is in .*clips.csv:2 as well, expected one row for each time",
    ),
    ([HEADER, '"videos/a.mp4,1,,,,,cup,,'], r"clips.csv:"),
    ([HEADER, "x" * 200_000], r"clips.csv:2: "),
]


@pytest.mark.parametrize(("lines", "expected"), BAD_CLIPS)
def test_a_bad_table_of_clips_is_refused_with_its_row(folder, listed, lines, expected):
    listed("clips.csv", *lines)
    with pytest.raises(DatasetError, match=expected):
        ClipPairs(folder)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["product"], r"products.csv:1: expected the columns product, image and perhaps title"),
        (["product,image"], r"products.csv lists no product, expected some"),
        (["product,image", "cup,"], r"products.csv:2: expected a product and an image"),
        (["product,image", "cup,shop/fork.jpg"], r"products.csv:2: there is no file"),
        (["product,image", "cup,../cup.jpg"], r"products.csv:2: the path '../cup.jpg' leaves"),
        (
            ["product,image", "cup,shop/cup.jpg", "cup,/shop/cup.jpg"],
            r"products.csv:3: shop/cup.jpg is in .*products.csv:2 as well, expected once",
        ),
    ],
)
def test_a_bad_table_of_products_is_refused_with_its_row(folder, listed, lines, expected):
    listed("products.csv", *lines)
    with pytest.raises(DatasetError, match=expected):
        ClipPairs(folder)


def test_tables_that_are_missing_or_no_text(folder):
    (folder / "clips.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DatasetError, match=r"clips.csv cannot be read .*expected UTF-8 text"):
        ClipPairs(folder)
    os.remove(folder / "clips.csv")
    with pytest.raises(DatasetError, match=r"clips.csv is missing: expected a folder with clips"):
        ClipPairs(folder)


def test_without_a_split_all_is_test(folder, listed):
    listed("clips.csv", "product,clip,time,x0,y0,x1,y1", "cup,videos/a.mp4,1,,,,")
    data = ClipPairs(folder)
    assert len(data.clips("test")) == 1
    with pytest.raises(DatasetError, match=r"clips.csv: no row is of the split train"):
        data.training_clips()


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        ("", r"expected clips:NAME:DIR with a data set of photos, or one of clip-pairs:DIR, mov"),
        ("clips", r"expected clips:NAME:DIR"),
        ("clips:", r"expected clips:NAME:DIR"),
        ("clips:nothing:.", r"there is no data set named 'nothing'"),
        ("clips:clothing:.", r"has no queries|images.csv"),
        ("films:.", r"there is no data set of clips named 'films': expected clips:NAME:DIR"),
        ("moving-fashion:/nowhere/at/all", r"/nowhere/at/all is no folder"),
    ],
)
def test_a_place_that_is_none_is_refused(place, expected):
    with pytest.raises(DatasetError, match=expected):
        open_clip_dataset(place)


def test_clips_are_no_data_set_of_photos(folder):
    with pytest.raises(DatasetError, match="there is no data set named 'clip-pairs'"):
        open_dataset(f"clip-pairs:{folder}")
