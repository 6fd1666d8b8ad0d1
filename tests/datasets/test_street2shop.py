"""Exact Street2Shop, on a small folder in its layout."""

import json

import pytest

from snapshelf.datasets import TrainingData, open_dataset
from snapshelf.datasets.street2shop import Street2Shop
from snapshelf.errors import DatasetError


def box(left, top, width, height):
    return {"left": left, "top": top, "width": width, "height": height}


HAT, TOTE = box(10, 20, 30, 40), box(0, 0, 99.5, 50)
LISTS = {
    "retrieval_bags": [
        {"photo": 501, "product": 7},
        {"photo": 502, "product": 7},
        {"photo": 503, "product": 8},
        {"photo": 999, "product": 9},  # no file
    ],
    "train_pairs_bags": [
        {"photo": 11, "product": 8, "bbox": TOTE},
        {"photo": 12, "product": 7, "bbox": TOTE},
    ],
    "test_pairs_bags": [
        {"photo": 21, "product": 7, "bbox": TOTE},
        {"photo": 22, "product": 9, "bbox": TOTE},  # the product has no shop photo left
        {"photo": 888, "product": 7, "bbox": TOTE},  # no file
    ],
    "retrieval_hats": [{"photo": 601, "product": 30}, {"photo": 602, "product": 31}],
    "train_pairs_hats": [
        {"photo": 21, "product": 32, "bbox": HAT},  # a query of the bags
        {"photo": 13, "product": 32, "bbox": HAT},
        {"photo": 13, "product": 32, "bbox": TOTE},
    ],
    "test_pairs_hats": [
        {"photo": 21, "product": 30, "bbox": HAT},
        {"photo": 21, "product": 31, "bbox": HAT},
        {"photo": 21, "product": 31, "bbox": HAT},
    ],
}
PHOTOS = [11, 12, 13, 21, 22, 501, 502, 503, 601, 602]


@pytest.fixture
def folder(tmp_path, write):
    (tmp_path / "meta/json").mkdir(parents=True)
    for name, entries in LISTS.items():
        (tmp_path / "meta/json" / f"{name}.json").write_text(json.dumps(entries))
    write("photos/photos.txt", "photos/notes.jpg")
    return write(*(f"photos/{number:09}.{'png' if number == 502 else 'jpg'}" for number in PHOTOS))


def photo(folder, number):
    return folder / "photos" / f"{number:09}.jpg"


def test_as_published(folder):
    data = open_dataset(f"street2shop:{folder}")
    assert isinstance(data, TrainingData)
    assert (data.root, data.splits) == (folder, ("test",))
    assert {product.id: (product.category, product.images) for product in data.products()} == {
        "7": (("bags",), ("photos/000000501.jpg", "photos/000000502.png")),
        "8": (("bags",), ("photos/000000503.jpg",)),
        "30": (("hats",), ("photos/000000601.jpg",)),
        "31": (("hats",), ("photos/000000602.jpg",)),
    }
    bag, hat = data.queries("test")
    assert (bag.picture, bag.products, bag.category) == (
        photo(folder, 21),
        frozenset({"7"}),
        "bags",
    )
    assert bag.box == (0.0, 0.0, 99.5, 50.0)
    # The same photo with another box is another query; two products are right.
    assert (hat.picture, hat.products) == (photo(folder, 21), frozenset({"30", "31"}))
    assert hat.box == (10.0, 20.0, 40.0, 60.0)
    assert data.missing == 2


def test_products_of_the_test_pairs_are_not_seen(folder):
    data = open_dataset(f"street2shop:{folder}")
    assert {name: data.is_seen(name) for name in ("7", "8", "30", "32")} == {
        "7": False,
        "8": True,
        "30": False,
        "32": True,
    }
    with pytest.raises(ValueError, match="'404' is no product of the data set street2shop"):
        data.is_seen("404")


def test_training_items_keep_their_boxes_and_no_query_photo(folder):
    tote, hat = open_dataset(f"street2shop:{folder}").training_items()
    assert (tote.product_id, tote.street) == ("8", (photo(folder, 11),))
    assert tote.shop == (photo(folder, 503),)
    assert tote.attributes == {"kind": ("bags", "bags")}
    assert tote.boxes == {photo(folder, 11): (0.0, 0.0, 99.5, 50.0)}
    assert (hat.product_id, hat.street, hat.shop) == ("32", (photo(folder, 13),), ())
    assert hat.boxes == {photo(folder, 13): (10.0, 20.0, 40.0, 60.0)}


def test_one_category_is_the_papers_protocol(folder):
    data = Street2Shop(folder, categories=("hats",))
    assert [product.id for product in data.products()] == ["30", "31"]
    assert [query.category for query in data.queries("test")] == ["hats"]
    with pytest.raises(DatasetError, match=r"retrieval_shoes.json is missing: expected the Street"):
        Street2Shop(folder, categories=("shoes",))
    with pytest.raises(ValueError, match=r"categories must be names such as bags, got '../hats'"):
        Street2Shop(folder, categories=("../hats",))
    with pytest.raises(ValueError, match="split must be test, the only one, got 'train'"):
        data.queries("train")


def test_the_lists_may_lie_one_folder_higher(folder):
    (folder / "meta/json").rename(folder / "json")
    assert len(open_dataset(f"street2shop:{folder}").products()) == 4


GOOD = LISTS["test_pairs_bags"][0]
BAD_LISTS = [
    ("test_pairs_bags", "{", r"test_pairs_bags.json is no JSON"),
    ("test_pairs_bags", "[" * 100_000, r"test_pairs_bags.json is no JSON"),
    ("test_pairs_bags", {"photo": 1}, r"test_pairs_bags.json: expected a list, got dict"),
    ("test_pairs_bags", [GOOD, 3], r"entry 2: expected an object with photo and product, got 3"),
    ("test_pairs_bags", [{**GOOD, "photo": "21"}], r"entry 1: expected photo to be a whole number"),
    ("test_pairs_bags", [{**GOOD, "photo": True}], r"entry 1: expected photo to be a whole number"),
    ("retrieval_hats", [{"photo": 1}], r"retrieval_hats.json: entry 1: expected product to be a"),
    ("train_pairs_hats", [{**GOOD, "product": -1}], r"product to be a whole number, got -1"),
    ("test_pairs_bags", [{**GOOD, "bbox": None}], r"expected bbox to have left, top, width and"),
    ("test_pairs_bags", [{**GOOD, "bbox": {"left": 1}}], r"expected bbox to have left, top, width"),
    ("test_pairs_bags", [{**GOOD, "bbox": box(1, 2, 0, 4)}], r"bbox to have some width and height"),
    ("test_pairs_bags", [{**GOOD, "bbox": box(1, 2, 1e9, 4)}], r"expected bbox to have left"),
    ("test_pairs_bags", [{**GOOD, "bbox": box(1, float("nan"), 3, 4)}], r"expected bbox to have"),
    ("test_pairs_bags", [{**GOOD, "bbox": box("1", 2, 3, 4)}], r"expected bbox to have left"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "content", "message"), BAD_LISTS)
def test_damaged_lists_are_named(folder, name, content, message):
    text = content if isinstance(content, str) else json.dumps(content)
    (folder / "meta/json" / f"{name}.json").write_text(text)
    with pytest.raises(DatasetError, match=message):
        open_dataset(f"street2shop:{folder}")


def test_a_mark_before_the_lists_changes_nothing(folder):
    path = folder / "meta/json/test_pairs_hats.json"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert len(open_dataset(f"street2shop:{folder}").queries("test")) == 2


def test_missing_folders_and_photos_are_named(folder):
    (folder / "photos").rename(folder / "pictures")
    with pytest.raises(DatasetError, match=r"photos cannot be read .*: expected the Street2Shop"):
        open_dataset(f"street2shop:{folder}")
    (folder / "photos").mkdir()
    with pytest.raises(
        DatasetError, match=r"photos holds none of the shop photos that .*json names"
    ):
        open_dataset(f"street2shop:{folder}")
    (folder / "meta").rename(folder / "other")
    with pytest.raises(DatasetError, match=r"meta/json holds no retrieval_\*.json: expected the"):
        open_dataset(f"street2shop:{folder}")
