"""The Grocery Store Dataset, on small folders in its layout and on the real one."""

from collections import Counter

import pytest

from snapshelf.datasets import open_dataset
from snapshelf.errors import DatasetError

HEADER = (
    "Class Name (str),Class ID (int),Coarse Class Name (str),Coarse Class ID (int),"
    "Iconic Image Path (str),Product Description Path (str)\n"
)
CLASSES = [
    ("Granny-Smith", 1, "Apple", "Fruit/Apple/Granny-Smith"),
    ("Lime", 9, "Lime", "Fruit/Lime"),
    ("Oatly-Oat-Milk", 0, "Oat-Milk", "Packages/Oat-Milk/Oatly-Oat-Milk"),
]


@pytest.fixture
def folder(tmp_path):
    """A data set of three products and two photos."""
    rows = []
    for name, number, coarse, place in CLASSES:
        base = f"iconic-images-and-descriptions/{place}/{name}"
        (tmp_path / base).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / f"{base}_Iconic.jpg").write_bytes(b"\xff\xd8\xff")
        (tmp_path / f"{base}_Description.txt").write_text(f" Crisp {name}, jättegod.\n", "utf-8")
        rows.append(f"{name},{number},{coarse},7,/{base}_Iconic.jpg,/{base}_Description.txt\n")
    (tmp_path / "classes.csv").write_text(HEADER + "".join(rows), "utf-8")
    for split in ("train", "val", "test"):
        (tmp_path / split).mkdir()
        for photo in ("a.jpg", "b.jpg"):
            (tmp_path / split / photo).write_bytes(b"\xff\xd8\xff")
        (tmp_path / f"{split}.txt").write_text(f"{split}/a.jpg, 9, 3\n{split}/b.jpg, 0, 5\n")
    return tmp_path


def test_products_and_queries_come_as_published(folder):
    data = open_dataset(f"grocery:{folder}")
    assert (data.name, data.root, data.splits) == ("grocery", folder, ("train", "val", "test"))
    apple, lime, milk = data.products()
    assert apple.id == "Granny-Smith"
    assert apple.title == "Granny Smith"
    assert apple.category == ("Fruit", "Apple")
    assert apple.description == "Crisp Granny-Smith, jättegod."
    image = "iconic-images-and-descriptions/Fruit/Apple/Granny-Smith/Granny-Smith_Iconic.jpg"
    assert apple.images == (image,)
    assert apple.attributes == {"class_id": "1", "coarse": "Apple"}
    assert lime.category == ("Fruit", "Lime")
    assert milk.category == ("Packages", "Oat-Milk")

    first, second = data.queries("val")
    assert first.picture == folder / "val" / "a.jpg"
    assert (first.products, first.category) == (frozenset({"Lime"}), "Fruit")
    assert (second.products, second.category) == (frozenset({"Oatly-Oat-Milk"}), "Packages")
    assert [data.is_seen(product.id) for product in data.products()] == [True, False, False]


def test_the_original_download_has_a_folder_more(folder, tmp_path_factory):
    top = tmp_path_factory.mktemp("download")
    folder.rename(top / "dataset")
    data = open_dataset(f"grocery:{top}")
    assert data.root == top / "dataset"
    assert len(data.queries("test")) == 2


def test_a_folder_may_have_colons_in_its_name(folder):
    odd = folder.rename(folder.with_name("C:data:v2"))
    assert len(open_dataset(f"grocery:{odd}").products()) == 3


def edit(name, old, new):
    def change(folder):
        path = folder / name
        text = path.read_text("utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1), "utf-8")

    return change


def remove(name):
    return lambda folder: (folder / name).unlink()


ICONIC = "iconic-images-and-descriptions/Fruit/Lime/Lime_Iconic.jpg"
DESCRIPTION = "iconic-images-and-descriptions/Fruit/Lime/Lime_Description.txt"
BAD_CLASSES = [
    (remove("classes.csv"), r"classes.csv is missing: expected the Grocery Store Dataset's"),
    (edit("classes.csv", "Class ID", "ID"), r"classes.csv:1: expected the header 'Class Name"),
    (edit("classes.csv", "Lime,9,Lime,7,", "Lime,9,Lime,"), r"classes.csv:3: expected 6 fields"),
    (edit("classes.csv", "Lime,9", "Lime,nine"), r"classes.csv:3: expected a class ID .*'nine'"),
    (edit("classes.csv", "Lime,9", "Lime,²"), r"classes.csv:3: expected a class ID .*'²'"),
    (edit("classes.csv", "Lime,9", f"Lime,{'9' * 5000}"), r"classes.csv:3: expected a class ID"),
    (edit("classes.csv", "Lime,9", f"{'x' * 140_000},9"), r"classes.csv:3: is no CSV: field"),
    (edit("classes.csv", "Lime,9", ",9"), r"classes.csv:3: expected a class name"),
    (edit("classes.csv", "Lime,9", "Lime,1"), r"classes.csv:3: class 'Lime' with ID 1 is not the"),
    (edit("classes.csv", "Oatly-Oat-Milk,", "Lime,"), r"classes.csv:4: class 'Lime' with ID 0"),
    (edit("classes.csv", f"/{ICONIC}", "/../x.jpg"), r"classes.csv:3: the path '/../x.jpg' leaves"),
    (edit("classes.csv", f"/{ICONIC}", "/val/a.jpg"), r"classes.csv:3: expected a picture in a"),
    (remove(ICONIC), r"classes.csv:3: there is no file .*Lime_Iconic.jpg"),
    (remove(DESCRIPTION), r"classes.csv:3: there is no file .*Lime_Description.txt"),
    (lambda folder: (folder / "classes.csv").write_text(HEADER), r"classes.csv lists no class"),
    (lambda folder: (folder / "classes.csv").write_bytes(b"\xff\xfe\0"), r"expected UTF-8 text"),
]


@pytest.mark.parametrize(("damage", "message"), BAD_CLASSES)
def test_damaged_classes_are_named(folder, damage, message):
    damage(folder)
    with pytest.raises(DatasetError, match=message):
        open_dataset(f"grocery:{folder}")


BAD_SPLITS = [
    (remove("test.txt"), r"test.txt is missing"),
    (edit("test.txt", "9, 3", "9"), r"test.txt:1: expected 'path, class ID, coarse class ID'"),
    (edit("test.txt", "0, 5", "x, 5"), r"test.txt:2: expected a class ID .* got 'x'"),
    (edit("test.txt", "0, 5", "80, 5"), r"test.txt:2: class ID 80 is not in classes.csv"),
    (edit("test.txt", "test/b.jpg", "../b.jpg"), r"test.txt:2: the path '../b.jpg' leaves"),
    (remove("test/b.jpg"), r"test.txt:2: there is no file .*b.jpg; get the whole data set"),
]


@pytest.mark.parametrize(("damage", "message"), BAD_SPLITS)
def test_damaged_splits_are_named(folder, damage, message):
    damage(folder)
    data = open_dataset(f"grocery:{folder}")
    with pytest.raises(DatasetError, match=message):
        data.queries("test")
    assert len(data.queries("val")) == 2


def test_a_split_or_product_that_does_not_exist_is_the_callers_mistake(folder):
    data = open_dataset(f"grocery:{folder}")
    with pytest.raises(ValueError, match="split must be one of train, val, test, got 'dev'"):
        data.queries("dev")
    with pytest.raises(ValueError, match="'Kiwi' is no product of the data set grocery"):
        data.is_seen("Kiwi")


BAD_PLACES = [
    ("grocery", "expected NAME:DIR with a name of .*grocery.*, got 'grocery'"),
    ("grocery:", "expected NAME:DIR"),
    (":/data", "expected NAME:DIR"),
    ("deepfashion:/data", "no data set named 'deepfashion', choose one of .*grocery"),
    ("grocery:/no/such/folder", "/no/such/folder is no folder: give the folder that grocery"),
]


@pytest.mark.parametrize(("place", "message"), BAD_PLACES)
def test_bad_places_are_named(place, message):
    with pytest.raises(DatasetError, match=message):
        open_dataset(place)


@pytest.mark.data
def test_the_real_folder_is_what_is_known_of_it(data_dir):
    data = open_dataset(f"grocery:{data_dir / 'grocery'}")
    products = data.products()
    assert len(products) == 81
    unseen = {product.id for product in products if not data.is_seen(product.id)}
    assert len(unseen) == 27
    assert {"Golden-Delicious", "Red-Delicious"} <= unseen
    assert all(product.description and product.images for product in products)
    assert Counter(p.category[0] for p in products).keys() == {"Fruit", "Packages", "Vegetables"}
    sizes = {split: len(data.queries(split)) for split in data.splits}
    assert sizes == {"train": 2640, "val": 296, "test": 1247}
    for query in data.queries("test"):
        assert f"/test/{query.category}/" in query.picture.as_posix()
        assert next(iter(query.products)) in query.picture.name
