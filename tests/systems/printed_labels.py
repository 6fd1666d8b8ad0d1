"""A data set of products that differ in their print, to train, fit and evaluate on."""

import cv2
import numpy as np
from PIL import Image

from snapshelf.catalog.product import Product
from snapshelf.datasets.dataset import Query
from snapshelf.datasets.training_item import TrainingItem


def draw_label(seed):
    """Draw a print with corners; all have the same colours, so that only key points tell."""
    rng = np.random.default_rng(seed)
    picture = np.full((260, 260, 3), 255, np.uint8)
    for number in range(80):
        x, y = (int(value) for value in rng.integers(10, 210, 2))
        shade = (30 + 2 * number,) * 3
        cv2.rectangle(picture, (x, y), (x + int(rng.integers(5, 40)), y + 14), shade, -1)
    return picture


def photograph(label, seed):
    """Turn a label a little and darken it."""
    rng = np.random.default_rng(seed)
    turn = cv2.getRotationMatrix2D((130, 130), float(rng.uniform(-25, 25)), 0.8)
    shown = cv2.warpAffine(label, turn, (260, 260), borderValue=(90, 110, 130))
    return (shown * 0.8).astype(np.uint8)


class Labels:
    """Every product has one shop picture; all its photos are queries, and train as well."""

    name = "labels"
    splits = ("test",)

    def __init__(self, folder, products=6, street=2):
        folder.mkdir()
        self.root = folder
        self.items = []
        for number in range(products):
            label = draw_label(number)
            shop = folder / f"{number}.png"
            Image.fromarray(label).save(shop)
            photos = []
            for each in range(street):
                photos.append(folder / f"{number}-{each}.png")
                Image.fromarray(photograph(label, 10 * number + each)).save(photos[-1])
            self.items.append(TrainingItem(str(number), street=tuple(photos), shop=(shop,)))

    def training_items(self):
        return self.items

    def products(self):
        return [Product(id=item.product_id, images=(item.shop[0].name,)) for item in self.items]

    def queries(self, split):
        assert split in self.splits
        return [
            Query(photo, frozenset([item.product_id]), "label")
            for item in self.items
            for photo in item.street
        ]

    def is_seen(self, product_id):
        return True
