"""What the grocery and demo data sets and the clothing sources give to training."""

import csv
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from snapshelf.datasets import (
    DATASETS,
    Dataset,
    TrainingData,
    TrainingItem,
    open_dataset,
    open_training_data,
)
from snapshelf.datasets.ccp_photos import garments_worn
from snapshelf.datasets.demo import write_demo_shop
from snapshelf.datasets.garments import GARMENTS, garment
from snapshelf.errors import DatasetError

GROCERY_HEADER = (
    "Class Name (str),Class ID (int),Coarse Class Name (str),Coarse Class ID (int),"
    "Iconic Image Path (str),Product Description Path (str)"
)


@pytest.fixture
def grocery(tmp_path, listed):
    """An apple, a lime (unseen) and a milk, with two photos each in train and one in test."""
    rows, photos = [GROCERY_HEADER], {"train": [], "test": []}
    classes = [
        ("Granny-Smith", 1, "Apple", "Fruit/Apple", (60, 180, 40)),
        ("Lime", 9, "Lime", "Fruit/Lime", (60, 180, 40)),
        ("Arla-Standard-Milk", 4, "Milk", "Packages/Milk", (200, 20, 30)),
    ]
    for name, number, coarse, folders, colour in classes:
        base = f"iconic-images-and-descriptions/{folders}/{name}"
        studio = np.full((60, 40, 3), 255, np.uint8)
        studio[15:45, 10:30] = colour
        (tmp_path / base).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(studio).save(tmp_path / f"{base}.png")
        listed(f"{base}.txt", "It is good.")
        rows.append(f"{name},{number},{coarse},1,/{base}.png,/{base}.txt")
        for split, count in (("train", 2), ("test", 1)):
            for photo in range(count):
                path = f"{split}/{name}_{photo}.jpg"
                listed(path, "never decoded")
                photos[split].append(f"{path}, {number}, 1")
    listed("classes.csv", *rows)
    for split in photos:
        listed(f"{split}.txt", *photos[split])
    return tmp_path


def test_grocery_gives_seen_products_with_train_photos_only(grocery):
    data = open_training_data(f"grocery:{grocery}")
    apple, milk = data.training_items()
    assert apple == TrainingItem(
        product_id="Granny-Smith",
        street=(grocery / "train/Granny-Smith_0.jpg", grocery / "train/Granny-Smith_1.jpg"),
        shop=(grocery / "iconic-images-and-descriptions/Fruit/Apple/Granny-Smith.png",),
        attributes={
            "kind": ("Fruit", "Apple"),
            "container": ("loose", "piece"),
            "colour": ("cool", "green"),
        },
    )
    assert milk.attributes == {
        "kind": ("Packages", "Milk"),
        "container": ("package", "gable-top carton"),
        "colour": ("warm", "red"),
    }


def test_a_studio_picture_that_is_none_is_named(grocery):
    picture = grocery / "iconic-images-and-descriptions/Packages/Milk/Arla-Standard-Milk.png"
    picture.write_bytes(b"no picture")
    data = open_training_data(f"grocery:{grocery}")
    with pytest.raises(DatasetError, match=r"Arla-Standard-Milk.png: .*get the whole data set"):
        data.training_items()


@pytest.mark.data
def test_no_unseen_product_or_test_photo_is_in_the_real_training_items(data_dir):
    data = open_training_data(f"grocery:{data_dir / 'grocery'}")
    assert isinstance(data, Dataset)
    items = data.training_items()
    assert len(items) == 54
    with (data_dir / "grocery" / "classes.csv").open(encoding="utf-8") as file:
        unseen = {row[0] for row in csv.reader(file) if row[1].isdigit() and int(row[1]) % 3 == 0}
    assert len(unseen) == 27
    assert not unseen & {item.product_id for item in items}
    kept_back = {query.picture for split in ("val", "test") for query in data.queries(split)}
    photos = [photo for item in items for photo in item.street]
    assert len(photos) == len(set(photos))
    assert not kept_back & set(photos)
    assert all(
        f"/{item.product_id}_" in photo.as_posix() for item in items for photo in item.street
    )
    assert all({"kind", "container", "colour"} == item.attributes.keys() for item in items)


def test_the_demo_shop_trains_on_seen_shop_pictures(tmp_path):
    write_demo_shop(tmp_path, products=4, workers=1)
    data = open_training_data(f"demo:{tmp_path}")
    assert isinstance(data, Dataset)
    items = data.training_items()
    assert [item.product_id for item in items] == ["SKU-0001", "SKU-0002"]
    products = {product.id: product for product in data.products()}
    for item in items:
        product = products[item.product_id]
        assert item.street == ()
        assert item.shop == tuple(tmp_path / image for image in product.images)
        assert all(picture.is_file() for picture in item.shop)
        assert item.attributes["kind"] == (product.category[0], product.category[-1])
        assert item.attributes["brand"] == (product.brand, product.brand)
        assert item.attributes["color"][1] == product.attributes["color"]


HEADER = "image,sender_id,label,kids"


@pytest.fixture
def clothing(listed, write):
    listed("images.csv", HEADER, "a1,1,T-Shirt,False", "b2,1,Not sure,False", "c3,7,Shoes,True")
    return write("images/a1.jpg", "images/b2.jpg", "images/c3.jpg")


def test_each_clothing_photo_is_a_product(clothing):
    first, second, third = open_training_data(f"clothing:{clothing}").training_items()
    assert first == TrainingItem(
        "a1", (), (clothing / "images/a1.jpg",), {"garment": ("top", "t-shirt")}
    )
    assert (second.product_id, second.attributes) == ("b2", {})
    assert third.attributes == {"garment": ("footwear", "shoes")}


@pytest.mark.parametrize("folder", ["images_original", "images_compressed"])
def test_the_folders_that_the_clothing_set_is_published_with(clothing, folder):
    (clothing / "images").rename(clothing / folder)
    items = open_training_data(f"clothing:{clothing}").training_items()
    assert items[0].shop == (clothing / folder / "a1.jpg",)


BAD_CLOTHING = [
    ((), r"images.csv:1: expected the header"),
    (("image,label",), r"images.csv:1: expected the header 'image,sender_id,label,kids', got"),
    ((HEADER,), r"images.csv lists no photo"),
    ((HEADER, "a1,1,Dress"), r"images.csv:2: expected 4 fields, got 3"),
    ((HEADER, "a1,1,Dress,False", "a1,1,Hat,False"), r"images.csv:3: .*'a1' is listed twice"),
    ((HEADER, "a1,1,Spoon,False"), r"images.csv:2: expected a known garment as label, got 'Spoon'"),
    ((HEADER, "z9,1,Dress,False"), r"images.csv:2: there is no file .*z9.jpg"),
    ((HEADER, "../a1,1,Dress,False"), r"images.csv:2: the path .* leaves the data set's folder"),
    ((HEADER, f"{'x' * 140_000},1,Dress,False"), r"images.csv:2: is no CSV"),
]


@pytest.mark.parametrize(("lines", "message"), BAD_CLOTHING)
def test_damaged_clothing_lists_are_named(clothing, listed, lines, message):
    listed("images.csv", *lines)
    with pytest.raises(DatasetError, match=message):
        open_training_data(f"clothing:{clothing}").training_items()


def test_clothing_lists_of_any_system_are_read(clothing, listed):
    listed("images.csv", HEADER, "a1,1,Dress,False", end="\r\n", mark="\ufeff")
    (item,) = open_training_data(f"clothing:{clothing}").training_items()
    assert item.attributes == {"garment": ("whole body", "dress")}


def test_no_garment_is_in_two_groups():
    names = [name for group in GARMENTS.values() for name in group]
    assert len(names) == len(set(names))
    assert garment("Jeans") == ("bottom", "jeans")
    assert garment("skin") is None


LABELS = ["null", "blouse", "coat", "hair", "jeans", "pants", "skin", "shoes"]


@pytest.fixture
def ccp(tmp_path, write):
    savemat = pytest.importorskip("scipy.io").savemat
    root = write("photos/0002.jpg", "photos/0001.jpg", "photos/0010.jpg")
    names = np.empty((1, len(LABELS)), object)
    names[0] = LABELS
    savemat(root / "label_list.mat", {"label_list": names})
    (root / "annotations/pixel-level").mkdir(parents=True)
    labels = np.zeros((20, 20), np.uint8)
    labels[:6] = LABELS.index("skin")
    labels[6:10] = LABELS.index("jeans")
    labels[10:12] = LABELS.index("blouse")
    labels[12, :5] = LABELS.index("pants")
    labels[12, 5] = LABELS.index("shoes")  # a quarter of a percent
    savemat(root / "annotations/pixel-level/0001.mat", {"groundtruth": labels})
    savemat(root / "annotations/pixel-level/0002.mat", {"groundtruth": labels * 0})
    return root


def test_each_street_fashion_photo_is_a_product(ccp):
    first, second, third = open_training_data(f"ccp-photos:{ccp}").training_items()
    assert [item.product_id for item in (first, second, third)] == ["0001", "0002", "0010"]
    assert (first.street, first.shop) == ((), (ccp / "photos/0001.jpg",))
    assert first.attributes == {
        "garment": ("bottom", "jeans"),
        "bottom": ("bottom", "jeans"),
        "top": ("top", "blouse"),
    }
    assert second.attributes == {}  # nothing but background
    assert third.attributes == {}  # no label map


def test_garments_are_ranked_by_the_pixels_they_cover():
    values = [garment(label) for label in LABELS]
    rng = np.random.default_rng(3)
    for _ in range(50):
        labels = rng.choice(len(LABELS), (13, 17), p=rng.dirichlet(np.full(len(LABELS), 0.3)))
        covered = Counter(labels.ravel().tolist())
        best = {}
        for label, value in enumerate(values):
            pixels = covered.get(label, 0)
            if value is None or pixels < 0.005 * 13 * 17:
                continue
            for name in ("garment", value[0]):
                if name not in best or pixels > best[name][0]:
                    best[name] = (pixels, value)
        assert garments_worn(labels, values) == {name: value for name, (_, value) in best.items()}


def spoil(name, key=None, value=None):
    def change(root: Path):
        if key is None:
            (root / name).write_bytes(b"no MATLAB file")
        else:
            from scipy.io import savemat

            savemat(root / name, {key: value})

    return change


MAP = "annotations/pixel-level/0001.mat"
BAD_CCP = [
    (lambda root: (root / "label_list.mat").unlink(), r"label_list.mat is missing"),
    (spoil("label_list.mat"), r"label_list.mat cannot be read as a MATLAB file"),
    (
        spoil("label_list.mat", "other", np.eye(2)),
        r"expected a matrix named 'label_list', got none",
    ),
    (spoil("label_list.mat", "label_list", np.eye(2)), r"to hold names of labels"),
    (spoil(MAP), r"0001.mat cannot be read as a MATLAB file"),
    (spoil(MAP, "groundtruth", np.full((2, 2), 8)), r"0001.mat: expected labels in \[0, 8\)"),
    (spoil(MAP, "groundtruth", np.full((2, 2), -1)), r"got -1 to -1"),
    (spoil(MAP, "groundtruth", np.full((2, 2), 0.5)), r"to be whole numbers \(H, W\), got float64"),
    (spoil(MAP, "groundtruth", np.zeros((2, 2, 2), int)), r"of shape \(2, 2, 2\)"),
    (spoil(MAP, "other", np.eye(2)), r"expected a matrix named 'groundtruth', got none"),
]


@pytest.mark.parametrize(("damage", "message"), BAD_CCP)
def test_damaged_label_maps_are_named(ccp, damage, message):
    damage(ccp)
    with pytest.raises(DatasetError, match=message):
        open_training_data(f"ccp-photos:{ccp}").training_items()


def test_a_folder_without_photos_or_maps(ccp):
    (ccp / "annotations/pixel-level").rename(ccp / "elsewhere")
    with pytest.raises(DatasetError, match=r"pixel-level is missing"):
        open_training_data(f"ccp-photos:{ccp}").training_items()
    (ccp / "photos").rename(ccp / "pictures")
    with pytest.raises(DatasetError, match=r"photos holds no photo: expected the Clothing Co-"):
        open_training_data(f"ccp-photos:{ccp}").training_items()


def test_sources_without_queries_cannot_be_evaluated_on(clothing):
    with pytest.raises(DatasetError, match="clothing has no queries, only training pictures"):
        open_dataset(f"clothing:{clothing}")


def test_a_data_set_without_training_pictures_cannot_be_trained_on(tmp_path, monkeypatch):
    class OnlyQueries:
        name = "only-queries"
        root = tmp_path
        splits = ("test",)

        def products(self):
            return ()

        def queries(self, split):
            return ()

        def is_seen(self, product_id):
            return False

    monkeypatch.setitem(DATASETS, "only-queries", lambda root: OnlyQueries())
    assert open_dataset(f"only-queries:{tmp_path}").name == "only-queries"
    with pytest.raises(DatasetError, match="only-queries has no training pictures, only queries"):
        open_training_data(f"only-queries:{tmp_path}")


@pytest.mark.data
def test_the_real_sources_are_what_is_known_of_them(data_dir):
    clothing = open_training_data(f"clothing:{data_dir / 'clothing'}")
    assert not isinstance(clothing, Dataset)
    assert isinstance(clothing, TrainingData)
    photos = clothing.training_items()
    assert len(photos) == 4856
    labels = Counter(item.attributes.get("garment") for item in photos)
    assert labels["top", "t-shirt"] == 914
    assert labels[None] == 205 + 64 + 6
    pytest.importorskip("scipy")
    worn = open_training_data(f"ccp-photos:{data_dir / 'ccp'}").training_items()
    assert len(worn) == 854
    assert sum("garment" in item.attributes for item in worn) >= 850
