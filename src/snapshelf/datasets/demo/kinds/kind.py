"""A `Kind` of product: how it is drawn, what varies, and where the shop files it."""

from collections.abc import Callable
from dataclasses import dataclass

from snapshelf.datasets.demo.colours import COLOURWAYS
from snapshelf.datasets.demo.design import Design, Pose
from snapshelf.datasets.demo.relief import Relief

__all__ = ["Kind"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What products of one kind have in common.

    Attributes:
        noun: What a title calls it.
        category: Path in the shop.
        draw: Draws a design in a pose onto an empty relief.
        place: How a street photo finds it: it "lies", "stands" or is "hung".
        height: Of the real thing, as a share of a large item's, for scenes with several items.
        fields: Fields of the brands that make it.
        shapes: What its families differ in.
        patterns: Keys of `PATTERNS` that it comes in.
        motifs: What may be printed on it.
        materials: For cloth the material; for packs what is in them.
        flavours: What the members of a family differ in, empty for things without.
        sizes: Attributes such as a volume or a range of sizes.
        colourways: What it comes in; at least four.
        prices: Lowest and highest, in euros.
        round: Whether it is turned about an axis, so that another side of it can be shown.
    """

    noun: str
    category: tuple[str, ...]
    draw: Callable[[Relief, Design, Pose], None]
    place: str
    height: float
    fields: tuple[str, ...]
    shapes: tuple[str, ...]
    patterns: tuple[str, ...] = ("plain",)
    motifs: tuple[str, ...] = ("none",)
    materials: tuple[str, ...]
    flavours: tuple[str, ...] = ()
    sizes: tuple[str, ...] = ()
    colourways: tuple[tuple[str, str, str], ...] = COLOURWAYS
    prices: tuple[float, float]
    round: bool = False
