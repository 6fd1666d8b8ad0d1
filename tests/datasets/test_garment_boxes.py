"""The boxes of garments that locators are trained on: what is one garment, and the splits."""

from collections import Counter, deque

import numpy as np
import pytest
from PIL import Image

from snapshelf.datasets import BoxedData, BoxedPhoto, open_boxed_data, open_training_data
from snapshelf.datasets.ccp import ClothingCoParsing
from snapshelf.datasets.ccp_files import TWINS
from snapshelf.datasets.garment_areas import GarmentRules, garment_areas
from snapshelf.datasets.garments import garment
from snapshelf.errors import DatasetError, PictureError
from snapshelf.locating.region import Region

LABELS = ["null", "bag", "coat", "hair", "jeans", "shoes"]
VALUES = [garment(label) for label in LABELS]
BAG, COAT, JEANS, SHOES = 1, 2, 4, 5


def flooded(mask):
    """Part a mask into components by flooding, corners included."""
    left, parts = {tuple(place) for place in np.argwhere(mask)}, []
    while left:
        queue = deque([min(left)])
        left.remove(queue[0])
        part = []
        while queue:
            row, column = queue.popleft()
            part.append((row, column))
            for y in (-1, 0, 1):
                for x in (-1, 0, 1):
                    if (row + y, column + x) in left:
                        left.remove((row + y, column + x))
                        queue.append((row + y, column + x))
        parts.append(part)
    return parts


def box_of(places):
    rows, columns = zip(*places, strict=True)
    return (min(columns), min(rows), max(columns) + 1, max(rows) + 1)


def test_garments_are_what_flooding_finds():
    rng = np.random.default_rng(11)
    rules = GarmentRules(least_share=0.01, least_part=0.3)
    for _ in range(40):
        coarse = rng.choice(len(LABELS), (6, 5), p=[0.4, 0.2, 0.1, 0.1, 0.1, 0.1])
        labels = np.kron(coarse, np.ones((3, 3), int))
        expected = []
        for label, value in enumerate(VALUES):
            if value is None:
                continue
            parts = flooded(labels == label)
            if value[0] in rules.merged and parts:
                largest = max(map(len, parts))
                parts = [[place for part in parts if len(part) >= 0.3 * largest for place in part]]
            expected += [
                (value, box_of(part), len(part)) for part in parts if len(part) >= 0.01 * 270
            ]
        found = garment_areas(labels, VALUES, rules)
        assert Counter((area.value, area.box, int(area.mask.sum())) for area in found) == Counter(
            expected
        )
        for area in found:
            x0, y0, x1, y1 = map(int, area.box)
            assert area.mask.shape == (y1 - y0, x1 - x0)
            assert (labels[y0:y1, x0:x1][area.mask] == LABELS.index(area.value[1])).all()


@pytest.fixture
def labels():
    """Two shoes, two bags, jeans with a speck of error, and a coat too small to count."""
    labels = np.zeros((100, 100), np.uint8)
    labels[90:98, 20:30] = labels[90:98, 60:70] = SHOES
    labels[10:20, 0:10] = labels[10:20, 90:100] = BAG
    labels[30:80, 30:60] = JEANS
    labels[0, 99] = JEANS
    labels[50:54, 80:85] = COAT
    return labels


def test_shoes_are_a_pair_and_bags_are_two(labels):
    found = {(area.value[1], area.box) for area in garment_areas(labels, VALUES)}
    assert found == {
        ("shoes", (20, 90, 70, 98)),
        ("bag", (0, 10, 10, 20)),
        ("bag", (90, 10, 100, 20)),
        ("jeans", (30, 30, 60, 80)),
    }


def test_what_is_merged_and_what_is_tiny_can_be_chosen(labels):
    rules = GarmentRules(merged=frozenset({"bag"}), least_share=0.001, least_part=0)
    found = Counter(area.value[1] for area in garment_areas(labels, VALUES, rules))
    assert found == {"shoes": 2, "bag": 1, "jeans": 1, "coat": 1}


def test_a_map_of_nothing_has_no_garment():
    assert garment_areas(np.zeros((5, 5), int), VALUES) == ()
    assert len(garment_areas(np.full((1, 1), BAG), VALUES)) == 1
    with pytest.raises(ValueError, match=r"least_part must be in \[0, 1\], got 2"):
        GarmentRules(least_part=2)


@pytest.fixture
def ccp(tmp_path, labels):
    savemat = pytest.importorskip("scipy.io").savemat
    (tmp_path / "photos").mkdir()
    (tmp_path / "annotations/pixel-level").mkdir(parents=True)
    names = np.empty((1, len(LABELS)), object)
    names[0] = LABELS
    savemat(tmp_path / "label_list.mat", {"label_list": names})
    for number in (1, 2, 3, 5, 6, 594, 722):
        Image.new("RGB", (100, 100), (number % 256, 0, 0)).save(
            tmp_path / f"photos/{number:04}.jpg", quality=95
        )
        # One photo has no map, as in the published set.
        if number != 6:
            path = tmp_path / f"annotations/pixel-level/{number:04}.mat"
            savemat(path, {"groundtruth": labels * (number != 5)})
    return tmp_path


def test_photos_are_split_by_their_number(ccp):
    data = open_boxed_data(f"ccp:{ccp}")
    assert isinstance(data, BoxedData)
    stems = {
        split: [photo.picture.stem for photo in data.boxed_photos(split)]
        for split in ("train", "val", "test")
    }
    # 722 is no multiple of 3, but shows what 594 shows.
    assert stems == {
        "train": ["0002", "0005"],
        "val": ["0001"],
        "test": ["0003", "0594", "0722"],
    }
    with pytest.raises(ValueError, match="split must be one of train, val, test, got 'all'"):
        data.boxed_photos("all")


def test_a_boxed_photo_can_be_read(ccp):
    first, second = open_boxed_data(f"ccp:{ccp}").boxed_photos("train")
    assert Region((20.0, 90.0, 70.0, 98.0), "shoes") in first.regions
    assert first.boxes.shape == (4, 4)
    assert second.boxes.shape == (0, 4)
    pixels = first.read()
    assert pixels.shape == (100, 100, 3)
    first.picture.write_bytes(b"\xff\xd8\xff no more")
    with pytest.raises(PictureError, match=r"0002\.jpg: "):
        first.read()
    first.picture.unlink()
    with pytest.raises(PictureError, match=r"0002\.jpg cannot be read"):
        first.read()


def test_rules_of_garments_are_the_data_sets(ccp):
    data = ClothingCoParsing(ccp, GarmentRules(merged=frozenset()))
    photo = data.boxed_photos("train")[0]
    assert sum(region.label == "shoes" for region in photo.regions) == 2


def test_a_photo_without_a_number(ccp):
    (ccp / "photos/0001.jpg").rename(ccp / "photos/one.jpg")
    with pytest.raises(DatasetError, match=r"one\.jpg: expected a number as the photo's name"):
        open_boxed_data(f"ccp:{ccp}").boxed_photos("train")


def test_a_data_set_without_boxes_cannot_be_located_on(tmp_path):
    with pytest.raises(DatasetError, match="clothing has no boxes of items"):
        open_boxed_data(f"clothing:{tmp_path}")


def test_a_region_outside_of_its_photo_is_the_readers_to_clip():
    photo = BoxedPhoto(None, (Region((-5.0, 0.0, 3.0, 3.0)),))
    assert photo.boxes.tolist() == [[-5, 0, 3, 3]]


@pytest.mark.data
def test_the_real_garments(data_dir):
    pytest.importorskip("scipy")
    data = open_boxed_data(f"ccp:{data_dir / 'ccp'}")
    train, val, test = (data.boxed_photos(split) for split in ("train", "val", "test"))
    assert (len(train), len(val), len(test)) == (468, 97, 289)
    assert len({photo.picture for photo in (*train, *val, *test)}) == 854
    sides = {photo.picture.stem: photo for photo in (*train, *val)}
    assert all((copy in sides) == (first in sides) for copy, first in TWINS.items())
    assert sum(len(photo.regions) for photo in train) == 2109
    assert sum(len(photo.regions) for photo in val) == 434
    assert sum(len(photo.regions) for photo in test) == 1335
    for photo in test[:40]:
        height, width = photo.read().shape[:2]
        assert (photo.boxes >= 0).all()
        assert (photo.boxes <= [width, height, width, height]).all()
    assert len(open_training_data(f"ccp-photos:{data_dir / 'ccp'}").training_items()) == 854
