"""The demo shop as a data set."""

import shutil
from pathlib import Path

import pytest

from snapshelf.datasets import Dataset, open_dataset
from snapshelf.datasets.demo import DemoShop, write_demo_shop
from snapshelf.errors import DatasetError


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("demo")
    write_demo_shop(made, products=4, workers=1)
    return made


def test_it_is_a_data_set(folder: Path) -> None:
    shop: Dataset = open_dataset(f"demo:{folder}")
    assert isinstance(shop, DemoShop)
    assert (shop.name, shop.root, shop.splits) == ("demo", folder, ("val", "test"))
    assert [product.id for product in shop.products()] == [f"SKU-000{n}" for n in range(4)]


def test_splits_share_the_photos_of_what_is_sold(folder: Path) -> None:
    shop = DemoShop(folder)
    sold = {product.id: product for product in shop.products()}
    val, test = shop.queries("val"), shop.queries("test")
    pictures = [query.picture for query in (*val, *test)]
    assert len(set(pictures)) == len(pictures) == 2 * len(sold)
    assert set(pictures) == {photo.picture for photo in shop.photos() if photo.in_catalogue}
    assert 0 < len(val) < len(test)
    for query in (*val, *test):
        assert query.picture.is_file()
        assert query.products <= set(sold)
        assert query.category in {sold[product].category[0] for product in query.products}


def test_unknown_split(folder: Path) -> None:
    with pytest.raises(ValueError, match="split must be one of val, test, got 'train'"):
        DemoShop(folder).queries("train")


@pytest.mark.parametrize(
    ("product_id", "seen"),
    [("SKU-0000", False), ("SKU-0001", True), ("SKU-0003", False), ("SKU-12345", False)],
)
def test_seen_products(folder: Path, product_id: str, seen: bool) -> None:
    assert DemoShop(folder).is_seen(product_id) is seen


def test_a_folder_that_is_no_demo_shop(tmp_path: Path) -> None:
    for place in (tmp_path, tmp_path / "missing"):
        with pytest.raises(DatasetError, match=r"is not a demo shop.*make one there with"):
            DemoShop(place)


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("feed.csv", None, r"feed\.csv cannot be read"),
        ("feed.csv", "", r"feed\.csv cannot be read"),
        ("feed.csv", "id,title\nSKU-0000,A mug\n", r"feed\.csv cannot be read"),
        ("feed.csv", "id,image_link,price\nSKU-0000,a.jpg,cheap\n", r"line 2: .*delete the folder"),
        ("street.jsonl", None, r"street\.jsonl cannot be read"),
        ("street.jsonl", "[1]\n", r"street\.jsonl cannot be read"),
        ("street.jsonl", '{"picture": "a.jpg"}\n', "KeyError.*delete the folder"),
        (
            "street.jsonl",
            '{"picture": "a.jpg", "items": [{"product_id": "x", "box": [1]}]}\n',
            "ValueError",
        ),
        ("street.jsonl", "{", "JSONDecodeError"),
    ],
)
def test_a_damaged_shop(
    folder: Path, tmp_path: Path, name: str, text: str | None, reason: str
) -> None:
    damaged = tmp_path / "demo"
    shutil.copytree(folder, damaged)
    if text is None:
        (damaged / name).unlink()
    else:
        (damaged / name).write_text(text)
    with pytest.raises(DatasetError, match=reason):
        DemoShop(damaged)
