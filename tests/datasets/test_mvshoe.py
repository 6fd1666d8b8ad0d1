"""MVShoe, on a small folder in the layout that docs/datasets.md describes."""

import pytest

from snapshelf.datasets import TrainingData, TrainingItem, open_dataset
from snapshelf.errors import DatasetError


@pytest.fixture
def folder(write, listed):
    listed("train.txt", "jd-1", "jd-2")
    listed("test.txt", "6pm-1", end="\r\n", mark="\ufeff")
    listed(
        "attributes.csv",
        "item,toe shape,color",
        "jd-2,open/peep toe,red",
        "6pm-1,closed/round toe,black",
        "jd-1,closed/round toe,",
    )
    return write(
        "items/jd-1/street/b.jpg",
        "items/jd-1/street/a.JPG",
        "items/jd-1/street/notes.txt",
        "items/jd-1/shop/front.jpg",
        "items/jd-1/shop/side.png",
        "items/jd-2/shop/front.jpg",
        "items/6pm-1/street/0.jpg",
        "items/6pm-1/shop/front.jpg",
        "items/amazon-1/shop/front.jpg",
        "items/readme.txt",
    )


def test_gallery_and_queries(folder):
    data = open_dataset(f"mvshoe:{folder}")
    assert isinstance(data, TrainingData)
    assert [product.id for product in data.products()] == ["6pm-1", "amazon-1"]
    assert data.products()[0].images == ("items/6pm-1/shop/front.jpg",)
    (query,) = data.queries("test")
    assert query.picture == folder / "items/6pm-1/street/0.jpg"
    assert (query.products, query.category) == (frozenset({"6pm-1"}), "shoes")
    names = ("jd-1", "jd-2", "6pm-1", "amazon-1")
    assert [data.is_seen(name) for name in names] == [True, True, False, False]
    with pytest.raises(ValueError, match="split must be test, the only one, got 'train'"):
        data.queries("train")
    with pytest.raises(ValueError, match="'jd-9' is no product of the data set mvshoe"):
        data.is_seen("jd-9")


def test_training_items(folder):
    first, second = open_dataset(f"mvshoe:{folder}").training_items()
    shoe = folder / "items/jd-1"
    assert first == TrainingItem(
        product_id="jd-1",
        street=(shoe / "street/a.JPG", shoe / "street/b.jpg"),
        shop=(shoe / "shop/front.jpg", shoe / "shop/side.png"),
        attributes={"toe shape": ("closed", "round toe")},
    )
    assert second.street == ()
    assert second.attributes == {"toe shape": ("open", "peep toe"), "color": ("red", "red")}


def test_attributes_may_be_missing(folder):
    (folder / "attributes.csv").unlink()
    assert open_dataset(f"mvshoe:{folder}").training_items()[0].attributes == {}


BAD_SPLITS = [
    ("train.txt", (), r"train.txt lists no item"),
    ("train.txt", ("jd-1", "jd-1"), r"train.txt:2: item 'jd-1' is listed twice"),
    ("train.txt", ("jd-1", "jd-9"), r"train.txt:2: there is no folder items/jd-9"),
    ("train.txt", ("../items/jd-1",), r"train.txt:1: there is no folder items/../items/jd-1"),
    ("train.txt", ("jd-1", "6pm-1"), r"test.txt:1: item '6pm-1' is in train.txt as well"),
    ("test.txt", ("amazon-1",), r"test.txt:1: test item 'amazon-1' has no street picture"),
]


@pytest.mark.parametrize(("name", "lines", "message"), BAD_SPLITS)
def test_damaged_splits_are_named(folder, listed, name, lines, message):
    listed(name, *lines)
    with pytest.raises(DatasetError, match=message):
        open_dataset(f"mvshoe:{folder}")


def test_items_without_pictures_and_missing_parts_are_named(folder, listed):
    (folder / "items/empty").mkdir()
    listed("train.txt", "jd-1", "empty")
    with pytest.raises(DatasetError, match=r"train.txt:2: item 'empty' has no picture"):
        open_dataset(f"mvshoe:{folder}")
    listed("train.txt", "jd-1")
    (folder / "items/6pm-1/shop/front.jpg").unlink()
    with pytest.raises(DatasetError, match=r"test.txt:1: test item '6pm-1' has no shop picture"):
        open_dataset(f"mvshoe:{folder}")
    (folder / "test.txt").unlink()
    with pytest.raises(DatasetError, match=r"test.txt is missing: expected the MVShoe folder"):
        open_dataset(f"mvshoe:{folder}")
    (folder / "items").rename(folder / "shoes")
    with pytest.raises(DatasetError, match=r"items is missing: expected the MVShoe folder"):
        open_dataset(f"mvshoe:{folder}")


BAD_ATTRIBUTES = [
    ((), r"attributes.csv:1: expected the columns item, got an empty file"),
    (("shoe,color",), r"attributes.csv:1: expected the columns item and any others, each once"),
    (("item,color,color",), r"attributes.csv:1: expected the columns item and any others"),
    (("item,color", "jd-1"), r"attributes.csv:2: expected 2 fields, got 1"),
    (("item,color", "jd-9,red"), r"attributes.csv:2: there is no folder items/jd-9"),
    (("item,color", "jd-1,red", "jd-1,red"), r"attributes.csv:3: item 'jd-1' is listed twice"),
    (
        ("item,color", "jd-1,red/"),
        r"attributes.csv:2: expected 'group/value' or 'value', got 'red/'",
    ),
    (("item,color", f"jd-1,{'x' * 140_000}"), r"attributes.csv:2: is no CSV"),
]


@pytest.mark.parametrize(("lines", "message"), BAD_ATTRIBUTES)
def test_damaged_attributes_are_named(folder, listed, lines, message):
    listed("attributes.csv", *lines)
    data = open_dataset(f"mvshoe:{folder}")
    with pytest.raises(DatasetError, match=message):
        data.training_items()
