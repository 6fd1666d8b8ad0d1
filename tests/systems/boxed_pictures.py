"""The pictures of a data set, each in a larger one, with the box that says where it is."""

import numpy as np
from PIL import Image

from snapshelf.datasets.training_item import TrainingItem


class Boxed:
    """Another data set's items, whose pictures lie in noise, those of shops and of streets."""

    def __init__(self, data, folder):
        folder.mkdir()
        self.name = data.name
        rng = np.random.default_rng(4)
        self.items = []
        for item in data.training_items():
            paths, boxes = {}, {}
            for path in (*item.street, *item.shop):
                shown = np.asarray(Image.open(path).convert("RGB"))
                height, width = shown.shape[:2]
                left, top = (int(value) for value in rng.integers(5, 40, 2))
                around = rng.integers(0, 256, (height + 60, width + 50, 3), np.uint8)
                around[top : top + height, left : left + width] = shown
                paths[path] = folder / path.name
                Image.fromarray(around).save(paths[path])
                boxes[paths[path]] = (left, top, left + width, top + height)
            self.items.append(
                TrainingItem(
                    item.product_id,
                    street=tuple(paths[path] for path in item.street),
                    shop=tuple(paths[path] for path in item.shop),
                    boxes=boxes,
                )
            )

    def training_items(self):
        return self.items
