"""Grocery photos with weak boxes: only those of seen products, only when looked at."""

import numpy as np
import pytest
from PIL import Image

from snapshelf.datasets import BoxedData, open_boxed_data, weakly_boxed
from snapshelf.datasets.weak_boxes import WeakBox
from snapshelf.datasets.weakly_boxed import WeaklyBoxed, WeakPhoto
from snapshelf.errors import DatasetError, UnboxedSplitError
from snapshelf.locating.region import Region


@pytest.fixture
def photos(tmp_path):
    """Three photos, the last of one colour, and a shop picture."""
    rng = np.random.default_rng(1)
    for name in ("a", "b", "shop"):
        Image.fromarray(rng.integers(0, 255, (40, 40, 3), np.uint8)).save(tmp_path / f"{name}.png")
    Image.new("RGB", (40, 40)).save(tmp_path / "blank.png")
    return [
        WeakPhoto(tmp_path / f"{name}.png", tmp_path / "shop.png", "Fruit")
        for name in ("a", "b", "blank")
    ]


def test_a_box_is_made_once_and_only_when_looked_at(photos, monkeypatch):
    made = []

    def counted(photo, shop):
        made.append((photo.shape, shop.shape))
        return WeakBox((1.0, 2.0, 30.0, 31.0), "saliency", 0.5)

    monkeypatch.setattr(weakly_boxed, "weak_box", counted)
    data = WeaklyBoxed(photos)
    part = data[::2]
    assert (len(data), len(part), made) == (3, 2, [])
    assert part[0] is data[0]
    assert len(made) == 1
    assert part[-1].picture.stem == "blank"
    assert data[0].regions == (Region((1.0, 2.0, 30.0, 31.0), "Fruit", 0.5),)
    assert [photo.picture.stem for photo in data] == ["a", "b", "blank"]
    assert len(made) == 3
    with pytest.raises(IndexError):
        data[3]


def test_a_blank_photo_has_no_regions(photos):
    assert WeaklyBoxed(photos)[2].regions == ()


@pytest.mark.parametrize("name", ["shop.png", "a.png"])
def test_a_missing_or_damaged_picture_is_named(photos, name):
    path = photos[0].photo.with_name(name)
    path.write_bytes(b"\x89PNG no more")
    with pytest.raises(DatasetError, match=name):
        WeaklyBoxed(photos)[0]
    path.unlink()
    with pytest.raises(DatasetError, match=f"{name}.*get the whole data set again"):
        WeaklyBoxed(photos)[0]


@pytest.mark.data
def test_real_photos_of_seen_products_only(data_dir):
    data = open_boxed_data(f"grocery:{data_dir / 'grocery'}")
    assert isinstance(data, BoxedData)
    train = data.boxed_photos("train")
    assert len(train) == 1749
    assert [photo.picture for photo in train[:6]] == [
        photo.picture for photo in data.boxed_photos("train")[:6]
    ]
    products = {query.picture: query.products for query in data.queries("train")}
    labels = set()
    for photo in train[:12]:
        height, width = photo.read().shape[:2]
        (region,) = photo.regions
        assert (photo.boxes >= 0).all()
        assert (photo.boxes <= [width, height, width, height]).all()
        assert all(data.is_seen(product) for product in products[photo.picture])
        labels.add(region.label)
    assert labels == {"Fruit", "Packages", "Vegetables"}


@pytest.mark.data
def test_other_splits_are_not_boxed(data_dir):
    data = open_boxed_data(f"grocery:{data_dir / 'grocery'}")
    for split in ("val", "test"):
        with pytest.raises(UnboxedSplitError, match=rf"{split} split .* for training only"):
            data.boxed_photos(split)
    with pytest.raises(ValueError, match="split must be one of train, val, test, got 'all'"):
        data.boxed_photos("all")
