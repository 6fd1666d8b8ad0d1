"""Products of one colour each in generated pictures, and a recipe that learns them in seconds."""

import dataclasses

import numpy as np
from PIL import Image

from snapshelf.datasets.training_item import TrainingItem
from snapshelf.locating import GridParts
from snapshelf.training.three_level_settings import ThreeLevelSettings

TINY = ThreeLevelSettings(
    backbone="test_resnet",
    weights="random",
    size=32,
    branch=8,
    parts=GridParts(1, 2),
    parts_dimension=6,
    dimension=9,
    street_epochs=2,
    shop_epochs=2,
    batch=4,
    learning_rate=0.01,
    branch_rate=1.0,
    augmentation=False,
    num_workers=0,
    dropout=0.0,
)


@dataclasses.dataclass(frozen=True)
class Toy:
    items: tuple
    name: str = "toy"

    def training_items(self):
        return self.items


def toy(folder, count=6, *, street=2, label=None):
    """Products of one colour each, which is their attribute."""
    folder.mkdir(exist_ok=True)
    colours = [(220, 30, 30), (30, 200, 40), (40, 60, 220)]
    items = []
    for number in range(count):
        files = {}
        for side, many in (("street", street), ("shop", 1)):
            files[side] = tuple(folder / f"{number}-{side}-{each}.png" for each in range(many))
            for each, file in enumerate(files[side]):
                noise = np.random.default_rng((number, each)).integers(-20, 20, (36, 48, 3))
                picture = np.clip(np.array(colours[number % 3]) + noise, 0, 255)
                Image.fromarray(picture.astype(np.uint8)).save(file)
        kind = ("red", "green", "blue")[number % 3]
        values = {"colour": (kind, kind)} if label is None else label(number, kind)
        items.append(TrainingItem(f"p{number}", files["street"], files["shop"], values))
    return Toy(tuple(items))
