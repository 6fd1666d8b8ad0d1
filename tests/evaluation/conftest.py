"""A data set of flat colours and a system that sees nothing but the colour."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from snapshelf.catalog.product import Product
from snapshelf.datasets.dataset import Query
from snapshelf.features.encoder import Domain
from snapshelf.locating import Region, WholePicture
from snapshelf.systems.system import System


@dataclass
class Paints:
    """Products and queries given outright."""

    root: Path
    gallery: list[Product]
    photos: dict[str, list[Query]]
    unseen: set[str] = field(default_factory=set)
    name: str = "paints"

    @property
    def splits(self):
        return tuple(self.photos)

    def products(self):
        return self.gallery

    def queries(self, split):
        return self.photos[split]

    def is_seen(self, product_id):
        return product_id not in self.unseen


class MeanColour:
    """Embeds a picture as its mean colour around grey, so similarities may be negative."""

    dimension = 3
    fingerprint = "mean-colour"

    def __init__(self):
        self.domains = []

    def prepare(self, picture, domain):
        return np.asarray(Image.fromarray(picture).resize((2, 2), Image.Resampling.BOX))

    def encode(self, inputs, domain):
        assert isinstance(domain, Domain)
        self.domains += [domain] * len(inputs)
        colours = inputs.reshape(len(inputs), -1, 3).astype(np.float32).mean(axis=1) - 127.5
        return colours / np.linalg.norm(colours, axis=1, keepdims=True)


class LeftAndRight:
    """Takes the two halves of a picture as items."""

    fingerprint = "left-and-right"

    def locate(self, picture):
        height, width = picture.shape[:2]
        return (
            Region(box=(0, 0, width // 2, height)),
            Region(box=(width // 2, 0, width, height)),
        )


COLOURS = {
    "red": (255, 0, 0),
    "green": (0, 255, 0),
    "blue": (0, 0, 255),
    "white": (255, 255, 255),
    "black": (0, 0, 0),
    "orange": (255, 120, 0),
}


@pytest.fixture
def paints(tmp_path):
    """Six paints, one image each but two of white, and five photos in two categories."""

    def paint(name, *colours):
        picture = np.zeros((8, 8 * len(colours), 3), np.uint8)
        for part, colour in enumerate(colours):
            picture[:, 8 * part : 8 * part + 8] = colour
        path = tmp_path / f"{name}.png"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(picture).save(path)
        return path

    for name, colour in COLOURS.items():
        paint(f"shop/{name}", colour)
    paint("shop/white2", (250, 255, 255))
    gallery = [
        Product(
            id=name,
            title=f"Paint {name}",
            images=(f"shop/{name}.png", *(["shop/white2.png"] * (name == "white"))),
        )
        for name in COLOURS
    ]

    def query(name, colours, right, category):
        return Query(paint(f"street/{name}", *colours), frozenset(right), category)

    photos = [
        query("reddish", [(240, 10, 10)], {"red"}, "warm"),
        query("sunset", [(255, 60, 0)], {"orange", "red"}, "warm"),
        query("mint", [(130, 255, 130)], {"white"}, "cold"),
        query("sea", [(0, 40, 250)], {"blue"}, "cold"),
        query("flag", [(0, 0, 250), (250, 250, 250)], {"white"}, "cold"),
    ]
    return Paints(tmp_path, gallery, {"train": photos[:1], "test": photos, "none": []}, {"white"})


@pytest.fixture
def eye():
    return System(name="eye", locator=WholePicture(), encoder=MeanColour())


@pytest.fixture
def two_eyes():
    return System(name="two-eyes", locator=LeftAndRight(), encoder=MeanColour())
