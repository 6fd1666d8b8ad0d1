"""Stanford Online Products, on a small folder in its layout."""

import numpy as np
import pytest
from PIL import Image

from snapshelf.datasets import TrainingData, TrainingItem, open_dataset
from snapshelf.errors import DatasetError
from snapshelf.evaluation import evaluate
from snapshelf.features.encoder import Domain
from snapshelf.locating import WholePicture
from snapshelf.systems.system import System

HEADER = "image_id class_id super_class_id path"
TRAIN = ["1 1 1 bicycle_final/10_0.JPG", "2 1 1 bicycle_final/10_1.JPG", "3 2 2 mug_final/20_0.JPG"]
TEST = [
    "4 3 2 mug_final/30_0.JPG",
    "5 3 2 mug_final/30_1.JPG",
    "6 4 11 coffee_maker_final/40_0.JPG",
]


@pytest.fixture
def folder(write, listed):
    listed("Ebay_train.txt", HEADER, *TRAIN)
    listed("Ebay_test.txt", HEADER, *TEST)
    return write(*(row.split()[3] for row in TRAIN + TEST))


def test_the_test_list_is_gallery_and_queries(folder):
    data = open_dataset(f"sop:{folder}")
    assert isinstance(data, TrainingData)
    assert (data.root, data.splits) == (folder, ("test",))
    mug, maker = data.products()
    assert (mug.id, mug.title, mug.category) == ("3", "mug", ("mug",))
    assert mug.images == ("mug_final/30_0.JPG", "mug_final/30_1.JPG")
    assert maker.title == "coffee maker"
    queries = data.queries("test")  # the coffee maker has one picture, so nothing is to be found
    assert [query.picture.name for query in queries] == ["30_0.JPG", "30_1.JPG"]
    assert {query.products for query in queries} == {frozenset({"3"})}
    assert [data.is_seen(class_id) for class_id in "1234"] == [True, True, False, False]


def test_the_training_list_is_trained_on(folder):
    bicycle, mug = open_dataset(f"sop:{folder}").training_items()
    assert bicycle == TrainingItem(
        product_id="1",
        street=(),
        shop=(folder / "bicycle_final/10_0.JPG", folder / "bicycle_final/10_1.JPG"),
        attributes={"kind": ("bicycle", "bicycle")},
    )
    assert mug.product_id == "2"


BAD_LISTS = [
    ("Ebay_test.txt", (), r"Ebay_test.txt:1: expected the header 'image_id class_id"),
    ("Ebay_test.txt", ("id path",), r"Ebay_test.txt:1: expected the header .* got 'id path'"),
    ("Ebay_test.txt", (HEADER,), r"Ebay_test.txt lists no picture"),
    ("Ebay_test.txt", (HEADER, "4 3 2"), r"Ebay_test.txt:2: expected 'image_id"),
    (
        "Ebay_test.txt",
        (HEADER, "4 x 2 mug_final/30_0.JPG"),
        r"Ebay_test.txt:2: expected a class ID",
    ),
    ("Ebay_test.txt", (HEADER, TEST[0], TEST[0]), r"Ebay_test.txt:3: .*30_0.JPG is listed twice"),
    ("Ebay_test.txt", (HEADER, "4 3 2 mug_final/9.JPG"), r"Ebay_test.txt:2: there is no file"),
    ("Ebay_train.txt", (HEADER, "4 3 2 ../30_0.JPG"), r"Ebay_train.txt:2: .* leaves the data set"),
    ("Ebay_train.txt", (HEADER, TEST[0]), r"class 3 is in Ebay_train.txt and in Ebay_test.txt"),
]


@pytest.mark.parametrize(("name", "lines", "message"), BAD_LISTS)
def test_damaged_lists_are_named(folder, listed, name, lines, message):
    listed(name, *lines)
    with pytest.raises(DatasetError, match=message):
        open_dataset(f"sop:{folder}")


def test_lists_of_any_system_a_missing_one_and_callers_mistakes(folder, listed):
    listed("Ebay_test.txt", HEADER, *TEST, end="\r\n", mark="\ufeff")
    data = open_dataset(f"sop:{folder}")
    assert len(data.products()) == 2
    with pytest.raises(ValueError, match="split must be test, the only one, got 'train'"):
        data.queries("train")
    with pytest.raises(ValueError, match="'9' is no product of the data set sop"):
        data.is_seen("9")
    (folder / "Ebay_train.txt").unlink()
    with pytest.raises(DatasetError, match=r"Ebay_train.txt is missing: expected the Stanford_Onl"):
        open_dataset(f"sop:{folder}")


class MeanColour:
    """Embeds a picture as the direction of its mean colour from grey."""

    dimension = 3
    fingerprint = "mean-colour"

    def prepare(self, picture, domain):
        return np.asarray(Image.fromarray(picture).resize((1, 1), Image.Resampling.BOX))

    def encode(self, inputs, domain):
        assert isinstance(domain, Domain)
        colours = inputs.reshape(len(inputs), 3).astype(np.float32) - 127.5
        return colours / np.linalg.norm(colours, axis=1, keepdims=True)


def test_evaluation_is_leave_one_out(tmp_path, listed):
    """Recall at 1 as published: is the nearest *other* picture of the same class?"""
    rng = np.random.default_rng(5)
    rows, colours, classes = [], [], []
    (tmp_path / "mug_final").mkdir()
    for class_id in range(6):
        middle = rng.uniform(0, 255, 3)
        for _ in range(1 if class_id == 5 else int(rng.integers(2, 5))):
            colour = np.clip(middle + rng.normal(0, 60, 3), 0, 255).astype(np.uint8)
            name = f"mug_final/{len(rows)}.png"
            Image.fromarray(np.full((8, 8, 3), colour, np.uint8)).save(tmp_path / name)
            rows.append(f"{len(rows)} {class_id + 1} 1 {name}")
            colours.append((colour.astype(float) - 127.5) / np.linalg.norm(colour - 127.5))
            classes.append(class_id)
    listed("Ebay_test.txt", HEADER, *rows)
    listed("Ebay_train.txt", HEADER, "1 99 1 mug_final/train.png")
    (tmp_path / "mug_final/train.png").write_bytes(b"never decoded")

    system = System("mean-colour", WholePicture(), MeanColour())
    result = evaluate(system, open_dataset(f"sop:{tmp_path}"))

    hits = []
    for query, (colour, own) in enumerate(zip(colours, classes, strict=True)):
        others = [other for other in range(len(rows)) if other != query]
        if own != 5:
            nearest = max(others, key=lambda other: float(colour @ colours[other]))
            hits.append(classes[nearest] == own)
    assert result.queries == len(hits)
    assert 0 < sum(hits) < len(hits)
    assert result.metrics["top1"] == pytest.approx(sum(hits) / len(hits))
    assert [outcome.rank == 1 for outcome in result.outcomes] == hits
    assert all(outcome.found[0].similarity < 0.999999 for outcome in result.outcomes)
