"""Photos of two articles each, their title pictures, and a recipe that learns them in seconds."""

import dataclasses

import numpy as np
from PIL import Image

from snapshelf.datasets.training_item import TrainingItem
from snapshelf.training.fashion_dna_settings import FashionDnaSettings
from snapshelf.training.monitor import Monitor
from snapshelf.training.studio_settings import StudioSettings

DNA = FashionDnaSettings(
    backbone="test_resnet",
    weights="random",
    size=(32, 24),
    grid=(2, 1),
    fc1=16,
    branch=16,
    dimension=4,
    epochs=2,
    warmup_epochs=0,
    batch=3,
    learning_rate=3e-3,
    augmentation=False,
    num_workers=0,
)

TINY = StudioSettings(
    fashion_dna=DNA,
    backbone="test_resnet",
    weights="random",
    size=(48, 32),
    hidden=16,
    dropout=0.0,
    matcher_hidden=16,
    compared=4,
    epochs=2,
    batch=5,
    learning_rate=3e-3,
    head_rate=1.0,
    num_workers=0,
)


@dataclasses.dataclass(frozen=True)
class Looks:
    """What `looks` draws."""

    items: tuple
    name: str = "looks"

    def training_items(self):
        return self.items


def looks(folder, count=6, *, shop=1, label=None, name="looks"):
    """Articles of a colour each; each two are worn together on one photo."""
    folder.mkdir(exist_ok=True)
    rng = np.random.default_rng(0)
    colours = rng.integers(0, 256, (count, 3))
    photos = [[] for _ in range(count)]
    for first in range(count):
        for second in range(first + 1, count):
            path = folder / f"{first}-{second}.png"
            picture = rng.integers(0, 40, (48, 32, 3))
            picture[4:22] = colours[first]
            picture[26:44] = colours[second]
            Image.fromarray(picture.astype(np.uint8)).save(path)
            photos[first].append(path)
            photos[second].append(path)
    items = []
    for number, own in enumerate(photos):
        titles = tuple(folder / f"{number}-title-{each}.png" for each in range(shop))
        for each, file in enumerate(titles):
            Image.new("RGB", (20 + each, 20), tuple(map(int, colours[number]))).save(file)
        kind = "warm" if number % 2 else "cold"
        values = {"kind": (kind, kind)} if label is None else label(number)
        items.append(TrainingItem(f"a{number}", tuple(own), titles, values))
    return Looks(tuple(items), name)


class Heard(Monitor):
    """Remembers what it hears, and stops after so many batches."""

    def __init__(self, stop_after=None):
        self.notes, self.epochs, self.batches = [], [], 0
        self.stop_after = stop_after

    def note(self, text):
        self.notes.append(text)

    def step(self, name, done, total):
        self.batches += name.startswith("epoch")

    def epoch(self, figures):
        self.epochs.append(figures)

    def should_stop(self):
        return self.stop_after is not None and self.batches >= self.stop_after
