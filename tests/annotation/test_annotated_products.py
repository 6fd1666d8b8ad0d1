"""Annotating with the products of a shelf: the same as searching picture by picture."""

import csv
import io
import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from snapshelf.annotation import (
    PRODUCT_WRITERS,
    AnnotatedItem,
    AnnotatedPicture,
    AttributeFinder,
    PictureToAnnotate,
    ProductFinder,
    annotate_pictures,
    file_pictures,
    product_finder,
)
from snapshelf.catalog import Catalog, Product
from snapshelf.features.attribute_predictor import PredictedAttribute
from snapshelf.features.encoder import Domain
from snapshelf.locating import Region, WholePicture
from snapshelf.matching import Reranked
from snapshelf.shelf import FoundItem, Item, Match, Shelf
from snapshelf.shelf.as_json import items_json
from snapshelf.store import parse_filter
from snapshelf.systems import System


def pixels(seed):
    tiles = np.random.default_rng(seed).integers(0, 256, (4, 4, 3), np.uint8)
    return tiles.repeat(4, axis=0).repeat(4, axis=1)


class Pixels:
    """Embeds a picture as its 4 x 4 pixels; the street side in another order than the shop's."""

    dimension = 48
    fingerprint = "pixels"

    def __init__(self):
        self.batches = []

    def prepare(self, picture, domain):
        return np.asarray(Image.fromarray(picture).resize((4, 4), Image.Resampling.BOX))

    def encode(self, inputs, domain):
        self.batches.append((len(inputs), domain))
        flat = inputs.reshape(len(inputs), -1).astype(np.float32) - 127.3
        return flat / np.linalg.norm(flat, axis=1, keepdims=True)


class Halves:
    """Finds two items side by side, and none in a picture that is higher than wide."""

    fingerprint = "halves"

    def locate(self, picture):
        height, width = picture.shape[:2]
        if height > width:
            return ()
        middle = width / 2
        return (
            Region((0.0, 0.0, middle, float(height)), "left", 0.9),
            Region((middle, 0.0, float(width), float(height)), "right", 0.4),
        )


class Backwards:
    """Turns the first three around; tells which descriptions it was given."""

    depth = 3
    fingerprint = "backwards"

    def describe(self, picture, domain):
        return domain.encode() + b" " + str(int(picture.sum())).encode()

    def rerank(self, query, candidates):
        return [Reranked(-c.similarity, {"query": query.decode()}) for c in candidates]


class Light:
    """Knows one attribute."""

    def __init__(self):
        self.classes = {"light": (("dark", "dark"), ("light", "light"))}

    def prepare(self, picture):
        return np.asarray(Image.fromarray(picture).resize((4, 4)))

    def predict(self, inputs, domain):
        light = inputs.astype(np.float32).mean((1, 2, 3))[:, None] / 255
        return {"light": np.concatenate([1 - light, light], 1)}


@pytest.fixture(params=[False, True], ids=["plain", "re-ranked"])
def shelf(request, tmp_path):
    system = System(
        "test",
        Halves(),
        Pixels(),
        reranker=Backwards() if request.param else None,
        predictor=Light(),
    )
    rows = ["id,title,image,brand"]
    for number in range(6):
        Image.fromarray(pixels(number)).save(tmp_path / f"{number}.png")
        rows.append(f"P{number},Product {number},{number}.png,{'Acme' if number % 2 else 'Zenith'}")
    (tmp_path / "feed.csv").write_text("\n".join(rows) + "\n")
    whole = replace(system, locator=WholePicture())
    Shelf.build(Catalog.open(tmp_path / "feed.csv"), tmp_path / "shelf", whole).close()
    with Shelf.open(tmp_path / "shelf", whole) as opened:
        opened.system = system
        yield opened


@pytest.fixture
def photos(tmp_path):
    """Twenty photos of two products each, one corrupt, one of one pixel, one without an item."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(20):
        both = np.concatenate([pixels(number % 6), pixels((number + 1) % 6)], axis=1)
        Image.fromarray(both).save(folder / f"{number:02}.png")
    (folder / "05.png").write_bytes(b"no picture")
    Image.new("RGB", (1, 1), "red").save(folder / "07.png")
    Image.new("RGB", (4, 9), "red").save(folder / "09.png")
    return folder


def annotated(photos, shelf, domain=Domain.STREET, attributes=None, **given):
    return list(
        annotate_pictures(
            file_pictures([photos]),
            locator=shelf.system.locator,
            domain=domain,
            attributes=attributes,
            products=ProductFinder(shelf, **given),
            workers=2,
        )
    )


@pytest.mark.parametrize("where", [None, "brand=Acme"])
def test_it_finds_what_searching_each_picture_finds(shelf, photos, monkeypatch, where):
    monkeypatch.setattr(product_finder, "BATCH", 7)
    condition = None if where is None else parse_filter(where)
    found = annotated(photos, shelf, top=2, where=condition)
    assert len(found) == 20
    for one in found:
        if one.picture.name.endswith(("05.png", "09.png")):
            assert one.items == ()
            assert bool(one.error) == one.picture.name.endswith("05.png")
            continue
        alone = shelf.search(photos / one.picture.name, top=2, filter=where)
        # In another batch an embedding may differ in its last bit.
        for item, other in zip(one.items, alone.items, strict=True):
            assert item.found.item == other.item
            assert item.attributes is None
            assert item.found.in_catalogue == other.in_catalogue
            for match, same in zip(item.found.matches, other.matches, strict=True):
                assert (match.rank, match.product, match.image, dict(match.evidence)) == (
                    same.rank, same.product, same.image, dict(same.evidence),
                )  # fmt: skip
                assert match.similarity == pytest.approx(same.similarity, abs=1e-6)
                assert match.confidence == pytest.approx(same.confidence, abs=1e-5)


def test_items_of_many_pictures_go_through_the_encoder_together(shelf, photos):
    shelf.system.encoder.batches.clear()
    annotated(photos, shelf)
    # 18 pictures of two items: of the first 16, then of the last 4.
    assert shelf.system.encoder.batches == [(28, Domain.STREET), (8, Domain.STREET)]


def test_shop_pictures_are_taken_for_what_they_are(shelf, photos):
    shelf.system.encoder.batches.clear()
    found = annotated(photos, shelf, Domain.SHOP)
    assert {domain for _, domain in shelf.system.encoder.batches} == {Domain.SHOP}
    if shelf.system.reranker is not None:
        assert found[0].items[0].found.matches[0].evidence["query"].startswith("shop ")


def test_a_line_of_json_is_what_search_gives_and_the_attributes(shelf, photos):
    finder = AttributeFinder(Light())
    found = annotated(photos, shelf, attributes=finder, top=3)
    _, write = PRODUCT_WRITERS[".jsonl"]
    line = json.loads(write(found[0]))
    assert list(line) == ["picture", "items"]
    expected = items_json(shelf.search(photos / "00.png", top=3))
    for item, other in zip(line["items"], expected, strict=True):
        assert list(item) == ["item", "matches", "in_catalogue", "attributes"]
        assert list(item["attributes"]) == ["light"]
        assert item["item"] == other["item"]
        assert [m["product"] for m in item["matches"]] == [m["product"] for m in other["matches"]]
        assert [list(m) for m in item["matches"]] == [list(m) for m in other["matches"]]
    failed = json.loads(write(found[5]))
    assert failed["items"] == []
    assert "unknown format" in failed["error"]


def test_nothing_is_found_on_an_empty_shelf(shelf, photos):
    shelf.store.close()
    system = shelf.system
    (photos / "feed.csv").write_text("id,image\nA,gone.png\n")
    with Shelf.build(Catalog.open(photos / "feed.csv"), photos / "empty", system) as empty:
        found = annotated(photos / "00.png", empty)
    assert [item.found.matches for item in found[0].items] == [(), ()]
    assert not found[0].items[0].found.in_catalogue


def test_a_number_of_products_that_makes_no_sense(shelf):
    with pytest.raises(ValueError, match="top must be at least 1, got 0"):
        ProductFinder(shelf, top=0)


def match(rank, name, **fields):
    product = Product(**({"id": name, "images": (f"{name}.jpg",)} | fields))
    return Match(rank, product, f"{name}.jpg", 0.75, 1 / 3)


def test_csv():
    region = Region((0, 1, 20, 10), "shoe")
    item = Item(region.box, "shoe")
    found = FoundItem(item, (match(1, "A", title="=1+1"), match(2, "B")), in_catalogue=True)
    none = FoundItem(item, (), in_catalogue=False)
    light = (PredictedAttribute("light", "d", "d", 0.5),)
    header, write = PRODUCT_WRITERS[".csv"]
    items = (AnnotatedItem(region, light, found), AnnotatedItem(region, None, none))
    text = header + write(AnnotatedPicture(PictureToAnnotate('odd, "x"', "P", bytes), items))
    text += write(AnnotatedPicture(PictureToAnnotate("b", "", bytes), (), "broken"))
    text += write(AnnotatedPicture(PictureToAnnotate("c", "", bytes), (AnnotatedItem(region),)))
    rows = list(csv.DictReader(io.StringIO(text)))
    assert all(None not in row and None not in row.values() for row in rows), "a ragged line"
    assert [row["item"] for row in rows] == ["1", "1", "2", ""]
    assert [row["match"] for row in rows] == ["A", "B", "", ""]
    assert rows[0] == {
        "product": "P", "picture": 'odd, "x"', "item": "1", "x0": "0", "y0": "1", "x1": "20",
        "y1": "10", "label": "shoe", "in_catalogue": "yes", "rank": "1", "match": "A",
        "title": "'=1+1", "category": "", "brand": "", "price": "", "url": "", "image": "A.jpg",
        "similarity": "0.75", "confidence": "0.333333", "error": "",
    }  # fmt: skip
    assert (rows[2]["in_catalogue"], rows[2]["rank"]) == ("no", "")
    assert (rows[3]["picture"], rows[3]["error"]) == ("b", "broken")
