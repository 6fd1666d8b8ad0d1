"""Products that the shop does not sell, standing and lying beside the ones it does."""

from collections.abc import Sequence

import numpy as np

from snapshelf.datasets.demo.assortment import design_of, kind_of
from snapshelf.datasets.demo.design import Design, Pose
from snapshelf.datasets.demo.kinds.table import KINDS
from snapshelf.datasets.demo.lighting import lit
from snapshelf.datasets.demo.placing import Spot, place
from snapshelf.datasets.demo.relief import Relief
from snapshelf.datasets.demo.scenes import Scene

__all__ = ["fill_board", "put_company"]

_UNKNOWN = 1_000_000
_PACKS = ("Food", "Beauty")


def put_company(
    where: Scene,
    manner: str,
    products: Sequence[int],
    spots: Sequence[Spot],
    count: int,
    seed: int,
    rng: np.random.Generator,
) -> None:
    """Put products that are not in the feed at a picture's sides.

    Args:
        where: The scene; its picture is painted on.
        manner: "lies", "stands" or "hung"; only what can be there so is put.
        products: Numbers of the products that the photo is of.
        spots: Where those will be.
        count: How many to try.
        seed: Of the demo shop.
        rng: Decides which and where.
    """
    height, width = where.picture.shape[:2]
    for _ in range(count):
        design = _unknown(products, seed, rng)
        if design is None or (manner != "lies" and KINDS[design.kind].place != manner):
            continue
        size = _size(design, products, spots) * float(rng.uniform(0.8, 1.1))
        x = float(rng.choice((rng.uniform(-0.02, 0.16), rng.uniform(0.84, 1.02)))) * width
        y = float(rng.uniform(0.05, 0.95)) * height
        degrees = float(rng.normal(0, 30)) if manner == "lies" else 0.0
        if manner == "stands":
            y = float(rng.uniform(*where.stand)) - size / 2
        _put(where, design, Spot(x, y, size, degrees, 0.06, 0.0), manner, rng)


def fill_board(
    where: Scene,
    products: Sequence[int],
    spots: Sequence[Spot],
    seed: int,
    rng: np.random.Generator,
) -> None:
    """Fill a supermarket's board with packs, several of each, and leave the items' places free.

    Args:
        where: The scene; its picture is painted on.
        products: Numbers of the products that the photo is of.
        spots: Where those will be.
        seed: Of the demo shop.
        rng: Decides which and where.
    """
    width = where.picture.shape[1]
    base = where.stand[0]
    x = float(rng.uniform(-0.08, 0.02)) * width
    while x < width:
        design = _unknown(products, seed, rng)
        if design is None or KINDS[design.kind].category[0] not in _PACKS:
            continue
        size = min(_size(design, products, spots), base * 0.9)
        relief = _drawn(design, size, rng)
        item = lit(relief, where.light)
        across = size * item.shape[1] / max(item.shape[:2])
        for _ in range(int(rng.integers(1, 4))):
            x += across * 1.04
            middle = x - across / 2
            if all(abs(middle - spot.x) > 0.36 * (spot.size + across) for spot in spots):
                place(where, item, Spot(middle, base - size / 2, size, 0.0, 0.0, 0.0), "stands")


def _unknown(products: Sequence[int], seed: int, rng: np.random.Generator) -> Design | None:
    """A product that no shop has; none of an item's own kind, whose look-alike would mislead."""
    number = _UNKNOWN + int(rng.integers(40 * len(KINDS)))
    if kind_of(number) in {kind_of(product) for product in products}:
        return None
    return design_of(seed, number)


def _size(design: Design, products: Sequence[int], spots: Sequence[Spot]) -> float:
    """Pixels that a product would take beside the first item, larger things shrunk a little."""
    ratio = KINDS[design.kind].height / KINDS[kind_of(products[0])].height
    return spots[0].size * float(np.clip(ratio**0.7, 0.4, 1.5))


def _drawn(design: Design, size: float, rng: np.random.Generator) -> Relief:
    pose = Pose(np.random.default_rng(rng.integers(2**32)), turn=float(rng.normal(0, 20)))
    relief = Relief(int(np.clip(size * 1.1, 160, 320)) // 40 * 40)
    KINDS[design.kind].draw(relief, design, pose)
    return relief


def _put(where: Scene, design: Design, spot: Spot, manner: str, rng: np.random.Generator) -> None:
    item = lit(_drawn(design, spot.size, rng), where.light)
    place(where, item, spot, manner, hangs=KINDS[design.kind].place == "hung")
