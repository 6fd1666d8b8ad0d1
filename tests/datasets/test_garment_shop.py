"""Garments of labelled photos as a shop: their pictures, queries, and what training may see."""

import json
import subprocess
import sys
from collections import Counter

import cv2
import numpy as np
import pytest
from PIL import Image

from snapshelf.datasets import (
    Dataset,
    TrainingData,
    open_boxed_data,
    open_dataset,
    open_training_data,
)
from snapshelf.datasets.ccp import ClothingCoParsing
from snapshelf.datasets.dataset import ItemQueries
from snapshelf.datasets.derived_attributes import COLOURS, colour_names
from snapshelf.datasets.garment_areas import GarmentArea, GarmentRules
from snapshelf.datasets.garment_attributes import garment_attributes
from snapshelf.datasets.garment_pictures import garment_picture
from snapshelf.errors import DatasetError
from snapshelf.media.decode import decode_picture

LABELS = ["null", "dress", "shoes", "hair", "bag"]
RED, GREEN, BLUE, GROUND = (200, 20, 30), (20, 160, 40), (30, 40, 210), (120, 120, 90)


def labels_of(number):
    """A dress of 30 x 60 pixels and a pair of shoes; every other photo has a bag as well."""
    labels = np.zeros((120, 80), np.uint8)
    labels[20:80, 25:55] = 1
    labels[100:108, 20:32] = labels[100:108, 48:60] = 2
    labels[5:15, 30:45] = 3
    if number % 2:
        labels[50:65, 60:72] = 4
    return labels


@pytest.fixture
def ccp(tmp_path, monkeypatch):
    savemat = pytest.importorskip("scipy.io").savemat
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    root = tmp_path / "ccp"
    (root / "photos").mkdir(parents=True)
    (root / "annotations/pixel-level").mkdir(parents=True)
    names = np.empty((1, len(LABELS)), object)
    names[0] = LABELS
    savemat(root / "label_list.mat", {"label_list": names})
    colours = np.array([GROUND, RED, BLUE, (90, 60, 30), GREEN], np.uint8)
    for number in range(1, 13):
        labels = labels_of(number) * (number != 12)
        Image.fromarray(colours[labels]).save(root / f"photos/{number:04}.jpg", quality=95)
        savemat(root / f"annotations/pixel-level/{number:04}.mat", {"groundtruth": labels})
    return root


def pictures(data):
    return {file.name: file.read_bytes() for file in data.root.glob("*.jpg")}


def test_the_held_back_photos_are_queries_for_all_that_they_show(ccp):
    data = open_dataset(f"ccp:{ccp}")
    assert isinstance(data, Dataset)
    assert isinstance(data, TrainingData)
    # 3, 6 and 9 are test, 12 shows nothing, 1 and 10 are val.
    worn = {
        split: {query.picture.stem: sorted(query.products) for query in data.queries(split)}
        for split in data.splits
    }
    assert worn == {
        "val": {"0001": ["0001-0", "0001-1", "0001-2"], "0010": ["0010-0", "0010-1"]},
        "test": {
            "0003": ["0003-0", "0003-1", "0003-2"],
            "0006": ["0006-0", "0006-1"],
            "0009": ["0009-0", "0009-1", "0009-2"],
        },
    }
    assert {query.category for query in data.queries("test")} == {"whole body"}
    products = {product.id: product for product in data.products()}
    assert set(products) == {
        each for split in worn.values() for ids in split.values() for each in ids
    }
    assert products["0003-0"].category == ("whole body", "dress")
    assert all((data.root / product.images[0]).is_file() for product in products.values())
    assert not any(data.is_seen(product) for product in products)
    with pytest.raises(ValueError, match="split must be one of val, test, got 'train'"):
        data.queries("train")


def test_each_garment_of_a_held_back_photo_is_told_apart(ccp):
    data = open_dataset(f"ccp:{ccp}")
    assert isinstance(data, ItemQueries)
    items = data.item_queries("test")
    assert {query.picture for query in items} == {query.picture for query in data.queries("test")}
    right = [product_id for query in items for product_id in query.products]
    assert len(set(right)) == len(right) == len(items) == 8
    dress = items[0]
    assert (dress.picture.stem, dress.products) == ("0003", {"0003-0"})
    assert dress.box == (25.0, 20.0, 55.0, 80.0)
    assert dress.category == data.queries("test")[0].category
    with pytest.raises(ValueError, match="split must be one of val, test, got 'train'"):
        data.item_queries("train")


def test_training_sees_other_photos_only_each_garment_in_its_box(ccp):
    data = open_training_data(f"ccp:{ccp}")
    items = data.training_items()
    photos = {photo.stem for item in items for photo in item.street}
    assert photos == {"0002", "0004", "0005", "0007", "0008", "0011"}
    held_back = {query.picture for split in data.splits for query in data.queries(split)}
    assert not held_back & {photo for item in items for photo in item.street}
    shown = {product.images[0] for product in data.products()}
    assert not shown & {picture.name for item in items for picture in item.shop}
    dress = next(item for item in items if item.product_id == "0005-0")
    assert dress.boxes == {dress.street[0]: (25.0, 20.0, 55.0, 80.0)}
    assert dress.attributes == {
        "garment": ("whole body", "dress"),
        "colour": ("warm", "red"),
        "second colour": ("none", "none"),
        "pattern": ("plain", "plain"),
        "size": ("large", "large"),
    }
    assert [photo.picture.stem for photo in open_boxed_data(f"ccp:{ccp}").boxed_photos("val")] == [
        "0001",
        "0010",
    ]


def test_a_shop_picture_shows_the_garment_and_nothing_else(ccp):
    data = open_dataset(f"ccp:{ccp}")
    wanted = {"dress": "red", "shoes": "blue", "bag": "green"}
    for product in data.products():
        picture = decode_picture((data.root / product.images[0]).read_bytes())
        height, width = picture.shape[:2]
        border = np.concatenate([picture[0], picture[-1], picture[:, 0], picture[:, -1]])
        assert border.min() > 245
        # Whatever is neither white nor at an edge has the garment's colour.
        inner = cv2.erode((picture.min(2) < 200).astype(np.uint8), np.ones((9, 9))) > 0
        assert inner.any()
        names = Counter(colour_names(picture)[inner].tolist())
        assert names.most_common(1)[0][1] > 0.97 * inner.sum(), product
        found = garment_colour(names)
        assert found == wanted[product.title]
        if product.title == "dress":
            assert 1.5 < height / width < 2.3


def garment_colour(names):
    return COLOURS[names.most_common(1)[0][0]]


def test_pictures_are_the_same_every_time_and_another_for_each_garment(ccp, tmp_path):
    first = ClothingCoParsing(ccp, cache=tmp_path / "one")
    second = ClothingCoParsing(ccp, cache=tmp_path / "two")
    first.products()
    second.products()
    assert pictures(first) == pictures(second)
    assert len(set(pictures(first).values())) == len(pictures(first))


def test_what_was_cut_off_is_gone_on_with_and_what_is_done_is_not_done_again(ccp, monkeypatch):
    data = open_dataset(f"ccp:{ccp}")
    data.products()
    known = pictures(data)
    (data.root / "test.json").unlink()
    next(data.root.glob("0003-*.jpg")).unlink()
    open_dataset(f"ccp:{ccp}").products()
    assert pictures(data) == known
    again = open_dataset(f"ccp:{ccp}")
    before = {file: file.stat().st_mtime_ns for file in data.root.iterdir()}
    monkeypatch.setattr("snapshelf.datasets.garment_shop.garment_picture", None)
    assert again.products() == data.products()
    assert again.queries("test") == data.queries("test")
    assert {file: file.stat().st_mtime_ns for file in data.root.iterdir()} == before


def test_processes_that_begin_at_once_draw_one_shop(ccp):
    draw = "import sys; from snapshelf.datasets import open_dataset; "
    draw += "print(len(open_dataset(sys.argv[1]).products()))"
    command = [sys.executable, "-c", draw, f"ccp:{ccp}"]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    assert [each.communicate()[0].strip() for each in running] == ["13"] * 3
    assert [each.returncode for each in running] == [0] * 3
    assert not list(open_dataset(f"ccp:{ccp}").root.glob("*.partial"))


def test_other_rules_or_maps_are_another_folder(ccp):
    from scipy.io import savemat

    data = ClothingCoParsing(ccp)
    apart = ClothingCoParsing(ccp, GarmentRules(merged=frozenset()))
    assert data.root != apart.root
    assert len(apart.products()) == len(data.products()) + 5
    labels = np.zeros((120, 80), np.int32)
    savemat(ccp / "annotations/pixel-level/0003.mat", {"groundtruth": labels})
    assert ClothingCoParsing(ccp).root != data.root


def test_a_photo_that_cannot_be_read_or_is_another_is_named(ccp):
    (ccp / "photos/0003.jpg").write_bytes(b"\xff\xd8\xff no more")
    with pytest.raises(DatasetError, match=r"0003\.jpg: "):
        open_dataset(f"ccp:{ccp}").products()
    Image.new("RGB", (40, 40)).save(ccp / "photos/0003.jpg")
    with pytest.raises(DatasetError, match=r"0003\.jpg has 40 x 40 pixels, and its label map"):
        open_dataset(f"ccp:{ccp}").products()


def test_a_cache_that_cannot_be_used(ccp, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DatasetError, match=r"cannot be kept in .*XDG_CACHE_HOME"):
        ClothingCoParsing(ccp, cache=tmp_path / "file").products()


@pytest.mark.parametrize("content", ["", "[1]", "{}x", json.dumps([{"product_id": "a"}])])
def test_a_damaged_list_is_named(ccp, content):
    data = open_dataset(f"ccp:{ccp}")
    data.products()
    (data.root / "test.json").write_text(content)
    with pytest.raises(DatasetError, match=r"test\.json is damaged .*; remove the folder"):
        open_dataset(f"ccp:{ccp}").products()


# --- garments one by one --------------------------------------------------------------------


def area(mask, x=0, y=0):
    height, width = mask.shape
    return GarmentArea(("top", "shirt"), (x, y, x + width, y + height), mask)


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (300, 2), (900, 700)])
def test_garments_of_any_size(size):
    photo = np.full((*size, 3), 60, np.uint8)
    found = decode_picture(garment_picture(photo, area(np.ones(size, bool)), "a"))
    assert max(found.shape) <= 620
    assert found.min() < 230
    assert garment_attributes(photo, area(np.ones(size, bool)))["pattern"] == ("plain", "plain")


def test_the_second_colour_and_the_pattern():
    photo = np.zeros((60, 60, 3), np.uint8)
    photo[:] = RED
    photo[::4] = photo[1::4] = (235, 235, 235)
    striped = garment_attributes(photo, area(np.ones((60, 60), bool)))
    assert {striped["colour"][1], striped["second colour"][1]} == {"red", "white"}
    assert striped["pattern"] == ("patterned", "patterned")
    # What lies beside the garment does not count.
    mask = np.zeros((60, 60), bool)
    mask[:, 10:50] = True
    photo[:] = RED
    photo[:, :10] = photo[:, 50:] = (0, 0, 0)
    plain = garment_attributes(photo, area(mask))
    assert plain["pattern"] == ("plain", "plain")
    assert plain["second colour"] == ("none", "none")


@pytest.mark.data
def test_the_real_shop(data_dir, tmp_path):
    pytest.importorskip("scipy")
    data = ClothingCoParsing(data_dir / "ccp", cache=tmp_path)
    assert len(data.products()) == 434 + 1335
    queries = {split: data.queries(split) for split in data.splits}
    assert {split: len(own) for split, own in queries.items()} == {"val": 97, "test": 289}
    assert sum(len(query.products) for own in queries.values() for query in own) == 1769
