"""Street photos: products drawn anew and put into a scene, with what else lies about."""

from dataclasses import dataclass

import numpy as np

from snapshelf.datasets.demo.assortment import design_of
from snapshelf.datasets.demo.camera import photographed
from snapshelf.datasets.demo.clutter import put_clutter
from snapshelf.datasets.demo.company import fill_board, put_company
from snapshelf.datasets.demo.design import Pose
from snapshelf.datasets.demo.hands import put_hand
from snapshelf.datasets.demo.kinds.table import KINDS
from snapshelf.datasets.demo.lighting import lit
from snapshelf.datasets.demo.placing import Spot, place
from snapshelf.datasets.demo.scenes import SCENES, Scene, scene
from snapshelf.datasets.demo.studio import drawn
from snapshelf.locating.region import Box
from snapshelf.media.picture import RGB

__all__ = ["Photo", "Taken", "take"]

_SIZES = ((640, 480), (480, 640), (600, 600), (640, 512))
DIFFICULTIES = ("easy", "medium", "hard")


@dataclass(frozen=True, slots=True)
class Photo:
    """What a street photo is to show.

    Attributes:
        number: Decides all chance in it.
        products: Numbers of the products in it.
        difficulty: "easy", "medium" or "hard".
    """

    number: int
    products: tuple[int, ...]
    difficulty: str

    @property
    def name(self) -> str:
        """Its file, relative to the demo shop's folder."""
        return f"street/photo-{self.number:07d}.jpg"


@dataclass(frozen=True, slots=True)
class Taken:
    """A street photo.

    Attributes:
        picture: (H, W, 3) uint8, RGB.
        scene: A key of `SCENES`.
        boxes: Where each of the photo's products is, in their order.
    """

    picture: RGB
    scene: str
    boxes: tuple[Box, ...]


def take(photo: Photo, seed: int) -> Taken:
    """Take a street photo.

    Args:
        photo: What it is to show.
        seed: Of the demo shop.

    Returns:
        The photo and its boxes; the same for the same arguments.
    """
    rng = np.random.default_rng([seed, 5, photo.number])
    width, height = _SIZES[int(rng.integers(len(_SIZES)))]
    if len(photo.products) > 1:
        width, height = 640, 480
    designs = [design_of(seed, number) for number in photo.products]
    manner, name = _where([KINDS[design.kind].place for design in designs], rng)
    where = scene(name, height, width, rng)
    spots = _spots(photo, manner, where, [KINDS[d.kind].height for d in designs], rng)
    if name == "supermarket":
        fill_board(where, photo.products, spots, seed, rng)
    elif photo.difficulty != "easy" or rng.random() < 0.5:
        count = max(1, DIFFICULTIES.index(photo.difficulty))
        put_company(where, manner, photo.products, spots, count, seed, rng)
    put_clutter(where, manner, [spot.middle for spot in spots], photo.difficulty, rng)
    placed = []
    for design, spot in zip(designs, spots, strict=True):
        pose = Pose(
            np.random.default_rng(rng.integers(2**32)),
            turn=float(rng.normal(0, 14)) + 4,
            wrinkles=float(rng.uniform(0.7, 1.3)),
            spread=float(rng.uniform(-1, 1)),
        )
        size = int(np.clip(spot.size * 1.25, 200, 560)) // 40 * 40
        item = lit(drawn(design, pose, size), where.light)
        if (
            KINDS[design.kind].place == "stands"
            and not KINDS[design.kind].round
            and rng.random() < 0.5
        ):
            item = np.ascontiguousarray(item[:, ::-1])
        placed.append(
            place(where, item, spot, manner, hangs=KINDS[design.kind].place == "hung", whole=True)
        )
    if photo.difficulty == "hard" or (photo.difficulty == "medium" and rng.random() < 0.4):
        put_hand(where, placed, rng)
    picture = photographed(where.picture, photo.difficulty, rng)
    return Taken(picture, name, tuple(placed))


def _where(places: list[str], rng: np.random.Generator) -> tuple[str, str]:
    """Choose how the items are placed and a scene that suits: "lies", "stands" or "hung"."""
    manner = places[0]
    if len(set(places)) > 1 or manner == "lies":
        manner = "lies"
    elif manner == "hung":
        manner = "hung" if len(places) <= 2 and rng.random() < 0.55 else "lies"
    elif rng.random() < 0.12:
        manner = "lies"
    names = [name for name, kind in SCENES.items() if manner in kind.places]
    return manner, names[int(rng.integers(len(names)))]


def _spots(
    photo: Photo, manner: str, where: Scene, heights: list[float], rng: np.random.Generator
) -> list[Spot]:
    """Where each item goes, none far over another."""
    height, width = where.picture.shape[:2]
    bad = DIFFICULTIES.index(photo.difficulty)
    count = len(photo.products)
    if count == 1:
        size = min(height, width) * float(
            rng.uniform((0.72, 0.58, 0.42)[bad], (0.88, 0.78, 0.64)[bad])
        )
        slack_x, slack_y = (width - size) / 2, (height - size) / 2
        x = width / 2 + float(rng.uniform(-0.75, 0.75)) * slack_x
        y = height / 2 + float(rng.uniform(-0.75, 0.75)) * slack_y
        return [_spot(x, y, size, manner, where, bad, rng)]
    columns = count if manner != "lies" or count <= 2 else 2
    rows = -(-count // columns)
    size = min(width / columns * 0.94, height / rows * 0.9)
    spots = []
    tallest = max(heights)
    for k in range(count):
        row, column = divmod(k, columns)
        share = (heights[k] / tallest) ** 0.5 if manner == "stands" else 1.0
        x = (column + 0.5) * width / columns + float(rng.normal(0, 6))
        y = (row + 0.5) * height / rows + float(rng.normal(0, 6))
        spots.append(_spot(x, y, size * share, manner, where, bad, rng))
    return spots


def _spot(
    x: float, y: float, size: float, manner: str, where: Scene, bad: int, rng: np.random.Generator
) -> Spot:
    tilt = float(rng.uniform(0, (0.10, 0.18, 0.28)[bad]))
    shear = float(rng.uniform(-1, 1)) * (0.05, 0.12, 0.2)[bad]
    if manner == "lies":
        degrees = float(rng.normal(0, (10, 24, 55)[bad]))
        return Spot(x, y, size, degrees, tilt, shear)
    degrees = float(rng.normal(0, (1.0, 2.0, 3.5)[bad]))
    if manner == "stands":
        base = float(rng.uniform(*where.stand))
        size = min(size, base * 0.96)
        y = base - size / 2
    else:
        y = min(y, where.picture.shape[0] - size / 2 - 8)
    return Spot(x, y, size, degrees, tilt * 0.3, shear)
