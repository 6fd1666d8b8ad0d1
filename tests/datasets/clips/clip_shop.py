"""A small data set of photos for clips: coloured photos, kept in memory."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from snapshelf.catalog.product import Product
from snapshelf.datasets import Query, TrainingItem
from snapshelf.errors import DatasetError

ROOT = Path("/photos")


def photo(colour, size=(120, 90)):
    """One colour."""
    return np.full((*size, 3), colour, np.uint8)


class Reader:
    """Gives photos by their name, and remembers which it was asked for."""

    def __init__(self, photos=None):
        self.photos = photos
        self.asked = []

    def __call__(self, path):
        self.asked.append(path)
        if self.photos is None:
            return photo(120)
        if path.name not in self.photos:
            raise DatasetError(f"{path} cannot be read: it is not there")
        return self.photos[path.name]


@dataclass
class Shop:
    """Cups and plates: "cup" and "plate" are seen, "bowl" is not."""

    name = "shop"
    splits = ("train", "val", "test")
    root = ROOT

    def products(self):
        return tuple(
            Product(id=name, title=name, category=(group, name), images=(f"{name}.jpg",))
            for name, group in (("cup", "Drinking"), ("plate", "Eating"), ("bowl", "Eating"))
        )

    def queries(self, split):
        names = ("cup", "bowl", "cup", "plate", "cup")
        groups = {"cup": "Drinking", "plate": "Eating", "bowl": "Eating"}
        return tuple(
            Query(
                ROOT / f"{split}-{name}-{number}.jpg",
                frozenset({name}),
                groups[name],
                (10.0, 10.0, 60.0, 70.0) if name == "plate" else None,
            )
            for number, name in enumerate(names)
        )

    def is_seen(self, product_id):
        return product_id != "bowl"

    def training_items(self):
        photos = {name: [] for name in ("cup", "plate")}
        for query in self.queries("train"):
            (name,) = query.products
            if name in photos:
                photos[name].append(query.picture)
        return (
            *(
                TrainingItem(name, tuple(paths), (ROOT / f"{name}.jpg",))
                for name, paths in photos.items()
            ),
            TrainingItem("shop only", (), (ROOT / "only.jpg",)),
            TrainingItem("street only", (ROOT / "street.jpg",), ()),
        )
