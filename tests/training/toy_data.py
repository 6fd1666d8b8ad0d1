"""Small training data that a test draws: coloured pictures of products, in real files."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from snapshelf.datasets.training_item import TrainingItem


@dataclass(frozen=True)
class ToyData:
    """Products that are easy to tell apart by their colours."""

    name: str
    items: tuple[TrainingItem, ...]

    def training_items(self):
        return self.items


def draw(number, side=40, *, on_white=True, seed=0):
    """A patch of 3 x 3 colours that no other number has, on white or on noise."""
    colours = np.random.default_rng(1000 + number).integers(0, 200, (3, 3, 3), np.uint8)
    patch = np.asarray(Image.fromarray(colours).resize((side - 12, side - 12), 0))
    noise = np.random.default_rng((number, seed)).integers(0, 256, (side, side, 3), np.uint8)
    picture = np.full((side, side, 3), 255, np.uint8) if on_white else noise
    picture[6:-6, 6:-6] = patch
    return Image.fromarray(picture)


def toy_data(folder: Path, count=6, *, street=2, shop=1, name="toy", first=0, attributes=True):
    """Products with so many pictures of each side; kinds 0 and 1 share a group, 2 has another."""
    folder.mkdir(parents=True, exist_ok=True)
    items = []
    for number in range(first, first + count):
        files = {}
        for domain, many in (("street", street), ("shop", shop)):
            files[domain] = tuple(folder / f"{number}-{domain}-{each}.png" for each in range(many))
            for each, file in enumerate(files[domain]):
                side = 40 + 4 * each
                draw(number, side, on_white=domain == "shop", seed=each).save(file)
        kind = number % 3
        values = {"kind": ("odd" if kind < 2 else "even", str(kind))} if attributes else {}
        items.append(TrainingItem(f"{name}-{number}", files["street"], files["shop"], values))
    return ToyData(name, tuple(items))
