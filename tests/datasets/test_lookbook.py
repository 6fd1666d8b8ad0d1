"""LookBook, on a small folder in its layout."""

import pytest

from snapshelf.datasets import Dataset, TrainingData, open_dataset, open_training_data
from snapshelf.datasets.hashed_split import hashed_split
from snapshelf.errors import DatasetError

PRODUCTS = [f"PID{number:06d}" for number in range(40)]


@pytest.fixture
def folder(write, listed):
    listed("readme.txt", "notes")
    listed("data/Thumbs.db", "no picture")
    listed("data/._PID000001_CLEAN1_IID000001.jpg", "no picture")
    return write(
        *(f"data/{name}_CLEAN1_IID{100 + number:06d}.jpg" for number, name in enumerate(PRODUCTS)),
        *(f"data/{name}_CLEAN0_IID{number:06d}.jpg" for number, name in enumerate(PRODUCTS)),
        "data/PID000000_CLEAN0_IID000999.jpg",
    )


def test_products_are_split_by_their_id(folder):
    data = open_dataset(f"lookbook:{folder}")
    assert isinstance(data, TrainingData)
    assert (data.root, data.splits) == (folder / "data", ("val", "test"))
    splits = {name: hashed_split(name) for name in PRODUCTS}
    assert set(splits.values()) == {"train", "val", "test"}
    assert [product.id for product in data.products()] == [
        name for name, split in splits.items() if split != "train"
    ]
    for split in data.splits:
        assert [next(iter(query.products)) for query in data.queries(split)] == [
            name for name, own in splits.items() if own == split
        ]
    assert [item.product_id for item in data.training_items()] == [
        name for name, split in splits.items() if split == "train"
    ]
    assert all(data.is_seen(name) == (split == "train") for name, split in splits.items())


def test_pictures_are_on_their_side(folder):
    items = {
        item.product_id: item for item in open_training_data(f"lookbook:{folder}").training_items()
    }
    number = next(n for n, name in enumerate(PRODUCTS) if n and name in items)
    name, data = PRODUCTS[number], folder / "data"
    assert items[name].street == (data / f"{name}_CLEAN0_IID{number:06d}.jpg",)
    assert items[name].shop == (data / f"{name}_CLEAN1_IID{100 + number:06d}.jpg",)


def test_the_whole_of_it_is_searched_and_not_trained_on(folder):
    data = open_dataset(f"lookbook-all:{folder}")
    assert isinstance(data, Dataset)
    assert [product.id for product in data.products()] == PRODUCTS
    assert data.products()[3].images == ("PID000003_CLEAN1_IID000103.jpg",)
    queries = data.queries("test")
    assert len(queries) == 41
    assert queries[1].picture == folder / "data/PID000000_CLEAN0_IID000999.jpg"
    assert (queries[1].products, queries[1].category) == (frozenset({"PID000000"}), "clothing")
    assert not data.is_seen("PID000007")
    with pytest.raises(ValueError, match="split must be one of test, got 'val'"):
        data.queries("val")
    with pytest.raises(ValueError, match="'PID7' is no product of the data set lookbook-all"):
        data.is_seen("PID7")
    with pytest.raises(DatasetError, match="lookbook-all has no training pictures"):
        open_training_data(f"lookbook-all:{folder}")


def test_the_pictures_folder_itself_will_do(folder):
    data = open_dataset(f"lookbook-all:{folder / 'data'}")
    assert (data.root, len(data.products())) == (folder / "data", 40)


def test_a_product_without_photos_is_there_to_be_confused_with(folder):
    (folder / "data/PID000001_CLEAN0_IID000001.jpg").unlink()
    data = open_dataset(f"lookbook-all:{folder}")
    assert (len(data.products()), len(data.queries("test"))) == (40, 40)


@pytest.mark.parametrize(
    "name",
    [
        "PID000001_CLEAN2_IID000001.jpg",
        "PID000001_CLEAN1.jpg",
        "PID_CLEAN1_IID1.jpg",
        "PID٣_CLEAN1_IID1.jpg",
        "xPID000001_CLEAN1_IID000001.jpg",
        "PID000001_CLEAN1_IID000001 (copy).JPG",
    ],
)
def test_other_names_are_refused(folder, write, name):
    write(f"data/{name}")
    with pytest.raises(DatasetError, match=r"expected a name such as PID000000_CLEAN0_IID000000"):
        open_dataset(f"lookbook:{folder}")


def test_a_missing_product_picture_and_an_empty_folder_are_named(folder, tmp_path):
    (folder / "data/PID000002_CLEAN1_IID000102.jpg").unlink()
    with pytest.raises(DatasetError, match="PID000002 has 1 photos and no product picture"):
        open_dataset(f"lookbook:{folder}")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DatasetError, match=r"empty holds no .jpg files: expected the LookBook"):
        open_dataset(f"lookbook:{tmp_path / 'empty'}")
