"""Annotating: the likeliest values, pictures that cannot be read, and the files written."""

import csv
import io
import json

import numpy as np
import pytest
from PIL import Image

from snapshelf.annotation import (
    WRITERS,
    AnnotatedItem,
    AnnotatedPicture,
    AttributeFinder,
    PictureToAnnotate,
    annotate_pictures,
    feed_pictures,
    file_pictures,
)
from snapshelf.catalog import Catalog
from snapshelf.features.attribute_predictor import PredictedAttribute, likeliest
from snapshelf.features.encoder import Domain
from snapshelf.locating import Region, WholePicture
from snapshelf.media.source import PictureSource


class Channels:
    """Takes a picture's mean colour for the probabilities of a value."""

    def __init__(self):
        self.classes = {
            "colour": (("warm", "red"), ("cold", "green"), ("cold", "blue")),
            "light": (("dark", "dark"), ("light", "light")),
        }
        self.asked = []

    def prepare(self, picture):
        return np.asarray(Image.fromarray(picture).resize((4, 4)))

    def predict(self, inputs, domain):
        self.asked.append((len(inputs), domain))
        means = inputs.astype(np.float32).mean((1, 2)) + 1e-3
        light = means.mean(1, keepdims=True) / 256
        return {
            "colour": means / means.sum(1, keepdims=True),
            "light": np.concatenate([1 - light, light], 1),
        }


class Halves:
    """Finds two items side by side."""

    fingerprint = "halves"

    def locate(self, picture):
        height, width = picture.shape[:2]
        return (Region((0, 0, width / 2, height)), Region((width / 2, 0, width, height)))


def save(folder, name, colour, size=(20, 10)):
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, colour).save(file)
    return file


def annotated(pictures, predictor=None, locator=None, domain=Domain.STREET, **asked):
    finder = AttributeFinder(predictor or Channels(), **asked)
    locator = locator or WholePicture()
    found = annotate_pictures(
        pictures, locator=locator, domain=domain, attributes=finder, workers=2
    )
    return list(found)


def test_the_likeliest_come_first_and_ties_keep_the_order_of_the_classes():
    classes = [(letter, letter) for letter in "abcd"]
    probabilities = np.float32([0.1, 0.4, 0.4, 0.1])
    found = likeliest("x", classes, probabilities, top=3)
    assert [each.value for each in found] == ["b", "c", "a"]
    assert likeliest("x", classes, probabilities, top=9, least=0.3) == found[:2]
    assert likeliest("x", classes, probabilities, least=0.5) == []


def test_more_pictures_than_a_batch_in_their_order(tmp_path):
    colours = [(250, 0, 0), (0, 250, 0), (0, 0, 250)]
    files = [save(tmp_path, f"{n:03}.png", colours[n % 3]) for n in range(35)]
    predictor = Channels()
    found = annotated(file_pictures(files), predictor, domain=Domain.SHOP)
    assert [one.picture.name for one in found] == [str(file) for file in files]
    values = [one.items[0].attributes[0].value for one in found]
    assert values == [["red", "green", "blue"][n % 3] for n in range(35)]
    assert predictor.asked == [(16, Domain.SHOP), (16, Domain.SHOP), (3, Domain.SHOP)]


def test_a_picture_that_cannot_be_read_is_told_among_the_others(tmp_path):
    good = save(tmp_path, "a.png", "red")
    bad = tmp_path / "b.png"
    bad.write_bytes(b"no picture")
    found = annotated(file_pictures([bad, good, tmp_path / "none.png"]))
    assert [bool(one.error) for one in found] == [True, False, True]
    assert [len(one.items) for one in found] == [0, 1, 0]
    assert annotated(file_pictures([bad]))[0].items == ()
    assert annotated([]) == []


def test_every_item_of_a_picture_has_its_own(tmp_path):
    picture = np.zeros((10, 40, 3), np.uint8)
    picture[:, :20, 0], picture[:, 20:, 2] = 200, 200
    Image.fromarray(picture).save(tmp_path / "two.png")
    (one,) = annotated(file_pictures([tmp_path / "two.png"]), locator=Halves())
    assert [item.attributes[0].value for item in one.items] == ["red", "blue"]
    assert one.items[1].region.box == (20, 0, 40, 10)


def test_attributes_that_are_asked_for_and_ones_never_seen_in_training(tmp_path):
    file = save(tmp_path, "a.png", "red")
    (one,) = annotated(file_pictures([file]), attributes=["light"], values=5)
    assert {each.name for each in one.items[0].attributes} == {"light"}
    assert sum(each.probability for each in one.items[0].attributes) == pytest.approx(1)
    with pytest.raises(ValueError, match=r"'heel' was not in .* it knows colour, light"):
        annotated(file_pictures([file]), attributes=["light", "heel"])
    for wrong in ({"values": 0}, {"least": 1.5}, {"least": -0.1}, {"least": float("nan")}):
        with pytest.raises(ValueError, match="values must be at least 1"):
            annotated(file_pictures([file]), **wrong)


def test_a_folders_pictures_are_those_below_it(tmp_path):
    for name in ("b.png", "a.JPG", "sub/c.webp"):
        save(tmp_path, name, "red")
    (tmp_path / "readme.txt").write_text("no picture")
    names = [each.name for each in file_pictures([tmp_path])]
    assert names == [str(tmp_path / name) for name in ("a.JPG", "b.png", "sub/c.webp")]


def test_a_feeds_pictures_by_product(tmp_path):
    save(tmp_path, "a.png", "red")
    (tmp_path / "feed.csv").write_text("id,title,image\n1,One,a.png|b.png|a.png\n,Two,a.png\n")
    problems = []
    pictures = list(
        feed_pictures(Catalog.open(tmp_path / "feed.csv"), PictureSource(tmp_path), problems.append)
    )
    assert [(each.product, each.name) for each in pictures] == [("1", "a.png"), ("1", "b.png")]
    assert len(problems) == 1
    found = annotated(pictures)
    assert [bool(one.error) for one in found] == [False, True]


RED = PredictedAttribute("colour", "warm", "red", 0.75)
ITEM = AnnotatedItem(Region((0, 1, 20, 10)), (RED, PredictedAttribute("light", "d", "d", 1 / 3)))


def picture(name, product=""):
    return PictureToAnnotate(name, product, bytes)


def test_json_lines():
    _, write = WRITERS[".jsonl"]
    text = write(AnnotatedPicture(picture('odd "name"\n\udcff.png', "P1"), (ITEM,)))
    assert text.count("\n") == 1
    assert json.loads(text) == {
        "picture": 'odd "name"\n\udcff.png',
        "product": "P1",
        "items": [
            {
                "box": [0, 1, 20, 10],
                "attributes": {
                    "colour": [{"group": "warm", "value": "red", "probability": 0.75}],
                    "light": [{"group": "d", "value": "d", "probability": 0.333333}],
                },
            }
        ],
    }
    failed = json.loads(write(AnnotatedPicture(picture("a"), (), "broken")))
    assert failed == {"picture": "a", "items": [], "error": "broken"}


def test_csv():
    header, write = WRITERS[".csv"]
    text = header + write(AnnotatedPicture(picture('odd, "name"', "P1"), (ITEM, ITEM)))
    text += write(AnnotatedPicture(picture("b"), (), "broken"))
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["item"] for row in rows] == ["1", "1", "2", "2", ""]
    assert rows[0] == {
        "product": "P1", "picture": 'odd, "name"', "item": "1", "x0": "0", "y0": "1", "x1": "20",
        "y1": "10", "attribute": "colour", "group": "warm", "value": "red",
        "probability": "0.75", "error": "",
    }  # fmt: skip
    assert (rows[4]["picture"], rows[4]["error"]) == ("b", "broken")
