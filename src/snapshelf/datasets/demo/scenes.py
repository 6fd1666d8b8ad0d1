"""Scenes: the empty place that a street photo is taken in."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from snapshelf.datasets.demo.colours import blend, colour
from snapshelf.datasets.demo.faces import homography
from snapshelf.datasets.demo.lettering import Lettering, words
from snapshelf.datasets.demo.lighting import Light
from snapshelf.datasets.demo.raster import Plane, Raster, blurred, resized, warped
from snapshelf.datasets.demo.surfaces import TILE, surface

__all__ = ["SCENES", "Scene", "SceneKind", "scene"]

_VARIANTS = 4


@dataclass(frozen=True, slots=True)
class SceneKind:
    """A sort of place.

    Attributes:
        places: How items can be there: "lies", "stands", "hung".
        floors: Surfaces that things lie or stand on, "" where there is none in view.
        walls: Surfaces behind, "" for a view from above.
        outdoors: Whether the sun shines there.
    """

    places: tuple[str, ...]
    floors: tuple[str, ...] = ("",)
    walls: tuple[str, ...] = ("",)
    outdoors: bool = False


SCENES: dict[str, SceneKind] = {
    "table top": SceneKind(("lies",), floors=("planks", "marble", "concrete")),
    "floor": SceneKind(("lies",), floors=("planks", "rug", "tiles")),
    "bed": SceneKind(("lies",), floors=("bedsheet",)),
    "grass": SceneKind(("lies",), floors=("grass",), outdoors=True),
    "pavement": SceneKind(("lies",), floors=("paving", "asphalt", "concrete"), outdoors=True),
    "kitchen": SceneKind(("stands",), floors=("planks", "marble"), walls=("tiles", "plaster")),
    "room": SceneKind(("stands", "hung"), floors=("planks", "rug"), walls=("plaster", "wallpaper")),
    "street": SceneKind(
        ("stands", "hung"),
        floors=("paving", "asphalt"),
        walls=("bricks", "concrete"),
        outdoors=True,
    ),
    "shelf": SceneKind(("stands",), floors=("planks",), walls=("plaster", "planks")),
    "supermarket": SceneKind(("stands",), floors=("plaster",), walls=("plaster",)),
    "wall": SceneKind(("hung",), walls=("bricks", "plaster", "planks", "wallpaper")),
}
"""Every sort of place by name."""


@dataclass(frozen=True, slots=True)
class Scene:
    """An empty place, ready for items.

    Attributes:
        picture: (H, W, 3) float32, RGB, linear light; owned by the caller.
        horizon: Row where the floor meets the wall, pixels; 0 for a view from above.
        stand: First and last row where standing things may touch the floor, pixels.
        light: What falls on the items.
        drop: How far shadows fall, as shares of an item's size to the right and down.
    """

    picture: Raster
    horizon: int
    stand: tuple[float, float]
    light: Light
    drop: tuple[float, float]


def scene(name: str, height: int, width: int, rng: np.random.Generator) -> Scene:
    """Build a scene.

    Args:
        name: A key of `SCENES`.
        height: Of the picture, pixels.
        width: Of the picture, pixels.
        rng: Decides surfaces, perspective and light.

    Returns:
        The empty scene.
    """
    kind = SCENES[name]
    floor, wall = str(rng.choice(kind.floors)), str(rng.choice(kind.walls))
    side = float(rng.choice((-1.0, 1.0)))
    hard = kind.outdoors and rng.random() < 0.65
    light = Light(
        towards=(side * float(rng.uniform(0.25, 0.9)), float(rng.uniform(-0.9, -0.3)), 0.85),
        fill=float(rng.uniform(0.3, 0.42) if hard else rng.uniform(0.5, 0.68)),
        strength=float(rng.uniform(0.85, 1.15)),
        shine=float(rng.uniform(0.3, 0.7)),
        window=(side * float(rng.uniform(0.3, 0.6)), float(rng.uniform(-0.5, 0.0))),
    )
    stand = (0.3, 0.75)
    if not wall:
        picture, horizon = _from_above(floor, height, width, rng), 0
    elif not floor:
        picture, horizon = _upright(wall, height, width, rng, zoom=(0.7, 1.3)), height
    else:
        board = name in ("shelf", "supermarket")
        horizon = int(height * (rng.uniform(0.7, 0.78) if board else rng.uniform(0.52, 0.68)))
        picture = _room(name, floor, wall, height, width, horizon, rng)
        if board:
            stand = _board(picture, horizon, rng, tagged=name == "supermarket")
    picture *= _pool_of_light(height, width, side, rng)[..., None]
    reach = 0.11 if hard else 0.05
    rows = (horizon + (height - horizon) * stand[0], horizon + (height - horizon) * stand[1])
    return Scene(
        picture, horizon, rows, light, (-side * reach * float(rng.uniform(0.5, 1.2)), reach)
    )


def _cut(name: str, rng: np.random.Generator) -> Raster:
    return surface(name, int(rng.integers(_VARIANTS)))


def _from_above(name: str, height: int, width: int, rng: np.random.Generator) -> Raster:
    """A surface seen from above, turned, the far side a little smaller."""
    turn = np.radians(rng.uniform(-25, 25) + (90 if rng.random() < 0.3 else 0))
    half = 0.5 * TILE * float(rng.uniform(0.75, 1.25))
    far = float(rng.uniform(1.0, 1.35))
    aspect = height / width
    corners = np.array(
        [
            (-half * far, -half * aspect * far),
            (half * far, -half * aspect * far),
            (half, half * aspect),
            (-half, half * aspect),
        ]
    )
    rotation = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    source = corners @ rotation + rng.uniform(0, TILE, 2)
    return _mapped(_cut(name, rng), source, (0, 0, width, height), height, width)


def _upright(
    name: str, height: int, width: int, rng: np.random.Generator, *, zoom: tuple[float, float]
) -> Raster:
    """A wall seen straight on."""
    scale = float(rng.uniform(*zoom)) * TILE / max(height, width)
    x, y = rng.uniform(0, TILE, 2)
    lean = float(rng.uniform(-0.06, 0.06)) * width
    source = np.array(
        [
            (x, y + lean),
            (x + width * scale, y - lean),
            (x + width * scale, y + height * scale + lean),
            (x, y + height * scale - lean),
        ]
    )
    return _mapped(_cut(name, rng), source, (0, 0, width, height), height, width)


def _floor(name: str, height: int, width: int, horizon: int, rng: np.random.Generator) -> Raster:
    """A floor or table reaching back to the horizon, in perspective."""
    near, depth = TILE * float(rng.uniform(0.5, 0.9)), TILE * float(rng.uniform(0.7, 1.2))
    far = near * float(rng.uniform(1.5, 2.1))
    x, y = rng.uniform(0, TILE, 2)
    source = np.array(
        [(x - far / 2, y - depth), (x + far / 2, y - depth), (x + near / 2, y), (x - near / 2, y)]
    )
    return _mapped(_cut(name, rng), source, (0, horizon, width, height), height, width)


def _mapped(
    raster: Raster,
    source: NDArray[np.float64],
    box: tuple[int, int, int, int],
    height: int,
    width: int,
) -> Raster:
    x0, y0, x1, y1 = box
    target = np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)], np.float32)
    return warped(raster, homography(source.astype(np.float32), target), height, width, wrap=True)


def _room(
    name: str,
    floor: str,
    wall: str,
    height: int,
    width: int,
    horizon: int,
    rng: np.random.Generator,
) -> Raster:
    """Floor or board in front, wall behind it, out of focus and darker at its foot."""
    picture = _upright(wall, height, width, rng, zoom=(0.6, 1.0))
    if name in ("room", "kitchen") and rng.random() < 0.6:
        _window(picture, horizon, rng)
    if name == "supermarket":
        picture *= colour("silver")
    picture = blurred(picture, float(rng.uniform(0.8, 3.5)) * height / 480)
    ground = _floor(floor, height, width, horizon, rng)
    rows = np.arange(height, dtype=np.float32)[:, None, None]
    below = np.clip(rows - horizon + 0.5, 0, 1)
    picture = picture + (ground - picture) * below
    corner = np.exp(-np.abs(rows - horizon) / (0.05 * height))
    return np.asarray(picture * (1 - 0.35 * corner), np.float32)


def _board(
    picture: Raster, horizon: int, rng: np.random.Generator, *, tagged: bool
) -> tuple[float, float]:
    """Turn the floor into a shelf's board with a front edge, in a supermarket with price tags.

    Returns:
        Where things can stand, as shares of the way from the horizon to the picture's foot.
    """
    height, width = picture.shape[:2]
    top = horizon + round((height - horizon) * 0.42)
    foot = min(height, top + round(height * (0.085 if tagged else 0.05)))
    edge = colour(str(rng.choice(("silver", "white", "grey", "red")))) if tagged else None
    picture[top:foot] = picture[top:foot] * 0.8 if edge is None else edge
    picture[top : top + 2] *= 1.25
    if tagged:
        tag_width, ink = width // 9, colour("black")
        for x in range(int(rng.integers(0, 30)), width - tag_width, width // 5):
            low, high = top + (foot - top) // 6, foot - (foot - top) // 6
            picture[low:high, x : x + tag_width] = colour("white")
            style = Lettering(5)
            price = f"{int(rng.integers(0, 9))}.{int(rng.integers(10, 99))}"
            mask = np.clip(resized(words(price, style), (high - low) // 2, tag_width // 2), 0, 1)
            y, left = low + (high - low) // 4, x + tag_width // 3
            cut = picture[y : y + mask.shape[0], left : left + mask.shape[1]]
            cut += (ink - cut) * mask[..., None]
            picture[low : low + (high - low) // 5, x : x + tag_width] = colour("red")
    fall = np.linspace(0.16, 0.05, height - foot, dtype=np.float32)[:, None, None]
    picture[foot:] *= fall
    return 0.14, 0.34


def _window(picture: Raster, horizon: int, rng: np.random.Generator) -> None:
    """A bright window, or a framed picture, on the wall."""
    height, width = picture.shape[:2]
    wide, tall = int(width * rng.uniform(0.18, 0.34)), int(horizon * rng.uniform(0.4, 0.7))
    x, y = int(rng.uniform(0.02, 0.7) * width), int(rng.uniform(0.04, 0.2) * height)
    bright = rng.random() < 0.5
    frame = (
        colour("white")
        if bright
        else colour(str(rng.choice(("black", "camel", "espresso", "white"))))
    )
    border = max(4, width // 90)
    cut = picture[y : y + tall, x : x + wide]
    cut[:] = frame
    view = cut[border:-border, border:-border]
    if view.size == 0:
        return
    if bright:
        sky = np.linspace(1.15, 0.85, view.shape[0], dtype=np.float32)[:, None, None]
        view[:] = blend(colour("white"), colour("sky"), 0.35) * sky
        middle = cut.shape[1] // 2
        cut[:, middle - border // 2 : middle + border // 2] = frame * 0.9
    else:
        art = surface("rug", int(rng.integers(_VARIANTS)))[:300, :300]
        view[:] = resized(np.ascontiguousarray(art), view.shape[0], view.shape[1])


def _pool_of_light(height: int, width: int, side: float, rng: np.random.Generator) -> Plane:
    """Uneven light over the place: brighter towards where the light comes from."""
    x = np.linspace(-1, 1, width, dtype=np.float32)[None, :] * np.float32(side)
    y = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    slope = np.float32(rng.uniform(0.03, 0.16))
    return np.asarray(0.92 + slope * x - 0.05 * y, np.float32)
