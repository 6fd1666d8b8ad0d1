"""A `Design`: what stays the same whenever a product is seen; a `Pose`: what does not."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from snapshelf.datasets.demo.brands import Brand
from snapshelf.datasets.demo.colours import Colour, colour

__all__ = ["Design", "Pose"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Design:
    """What makes a product the one that it is.

    Attributes:
        kind: A key of `KINDS`.
        shape: One of the kind's shapes, such as "V-neck".
        brand: Who makes it.
        model: The name that the brand gives to this family of products.
        colourway: Names of the main, second and accent colour.
        pattern: A key of `PATTERNS`.
        material: What it is made of.
        motif: What is printed on it, one of the kind's motifs.
        flavour: Of food and care products, "" for others.
        family: Number shared by products that differ in colour, print or flavour only.
        seed: Of the demo shop.
    """

    kind: str
    shape: str
    brand: Brand
    model: str
    colourway: tuple[str, str, str]
    pattern: str
    material: str
    motif: str
    flavour: str
    family: int
    seed: int

    @property
    def palette(self) -> tuple[Colour, Colour, Colour]:
        """Main, second and accent colour."""
        main, second, accent = (colour(name) for name in self.colourway)
        return main, second, accent

    def rng(self, name: str) -> np.random.Generator:
        """A generator that is the same for all products of the family, for each name."""
        return np.random.default_rng([self.seed, self.family, zlib.crc32(name.encode())])

    def between(self, name: str, low: float, high: float) -> float:
        """A measure of the family in [low, high], decided by its name alone."""
        return float(self.rng(name).uniform(low, high))

    def pick(self, name: str, options: Sequence[T]) -> T:
        """A choice of the family, decided by its name alone."""
        return options[int(self.rng(name).integers(len(options)))]


@dataclass(frozen=True, slots=True)
class Pose:
    """How an item happens to lie or stand when it is pictured.

    Attributes:
        rng: Source of folds and other chance; used up as the item is drawn.
        turn: About its own upright axis, degrees; round things show another part of their label.
        wrinkles: Height of folds, 1 for a garment as it lies, 0.5 for an ironed one.
        spread: How far sleeves, laces and straps are off their studio place, about [-1, 1].
    """

    rng: np.random.Generator
    turn: float = 0.0
    wrinkles: float = 0.6
    spread: float = 0.0
