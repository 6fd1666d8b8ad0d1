"""Putting a lit item into a scene: perspective, shadow, and the box where it ends up."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from snapshelf.datasets.demo.colours import colour
from snapshelf.datasets.demo.faces import homography
from snapshelf.datasets.demo.raster import Plane, Raster, blurred, stroked, warped
from snapshelf.datasets.demo.scenes import Scene
from snapshelf.locating.region import Box

__all__ = ["Placed", "Spot", "place"]


@dataclass(frozen=True, slots=True)
class Spot:
    """Where an item goes in a picture.

    Attributes:
        x: Its middle, pixels.
        y: Its middle, pixels.
        size: Of its longer side, pixels.
        degrees: Turned clockwise.
        tilt: How much smaller its far side is, [0, 0.4].
        shear: How far its upper side is shifted to the right, as a share of its size.
    """

    x: float
    y: float
    size: float
    degrees: float
    tilt: float
    shear: float

    @property
    def middle(self) -> tuple[float, float, float]:
        """(x, y, size) in pixels."""
        return self.x, self.y, self.size


@dataclass(frozen=True, slots=True)
class Placed:
    """An item in a picture.

    Attributes:
        cover: (H, W) float32, [0, 1], where the item is.
        box: The smallest box around it, whole pixels.
    """

    cover: Plane
    box: Box


def place(where: Scene, item: Raster, spot: Spot, manner: str, *, hangs: bool) -> Placed:
    """Put an item and its shadow into a scene's picture.

    Args:
        where: The scene; its picture is painted on.
        item: (h, w, 4) float32, linear light times coverage, and coverage; cut close.
        spot: Where it goes. It is moved so that the item lies within the picture.
        manner: "lies", "stands" or "hung".
        hangs: Whether a hanger is to be drawn for it when it hangs.

    Returns:
        Where the item ended up.
    """
    height, width = where.picture.shape[:2]
    matrix = _perspective(item, spot, manner)
    if manner == "stands":
        _upright_shadow(where, item, matrix, spot)
    elif manner == "hung" and hangs:
        _hanger(where, matrix, item)
    padded = np.pad(item, ((1, 1), (1, 1), (0, 0)))
    shift = np.array([[1, 0, -1], [0, 1, -1], [0, 0, 1]], np.float64)
    layer = warped(padded, matrix @ shift, height, width, wrap=False)
    cover = np.ascontiguousarray(layer[..., 3])
    if manner != "stands":
        reach = spot.size * (1.0 if manner == "lies" else 0.7)
        dx, dy = round(where.drop[0] * reach), round(where.drop[1] * reach)
        move = np.array([[1, 0, dx], [0, 1, dy], [0, 0, 1]], np.float64)
        shadow = warped(cover, move, height, width, wrap=False)
        soft = blurred(shadow, max(1.5, 0.5 * np.hypot(dx, dy)))
        close = blurred(cover, 3.0)
        where.picture[:] *= (1 - 0.42 * soft - 0.2 * close)[..., None]
    where.picture[:] = where.picture * (1 - layer[..., 3:]) + layer[..., :3]
    rows, columns = np.flatnonzero(cover.max(1) > 0.5), np.flatnonzero(cover.max(0) > 0.5)
    if rows.size == 0 or columns.size == 0:
        return Placed(cover, (0.0, 0.0, 0.0, 0.0))
    box = (float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1))
    return Placed(cover, box)


def _perspective(item: Raster, spot: Spot, manner: str) -> NDArray[np.float64]:
    """The homography from the item's pixels to the picture's."""
    height, width = item.shape[:2]
    scale = spot.size / max(height, width)
    half_x, half_y = width * scale / 2, height * scale / 2
    far = 1 - spot.tilt
    slide = spot.shear * spot.size * 0.3
    corners = np.array(
        [
            (-half_x * far + slide, -half_y),
            (half_x * far + slide, -half_y),
            (half_x, half_y),
            (-half_x, half_y),
        ]
    )
    angle = np.radians(spot.degrees)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    corners = corners @ turn
    y = spot.y + spot.size / 2 - half_y if manner == "stands" else spot.y
    source = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32) - 0.5
    return homography(source, (corners + np.array([spot.x, y])).astype(np.float32))


def _upright_shadow(where: Scene, item: Raster, matrix: NDArray[np.float64], spot: Spot) -> None:
    """The shadow of a standing thing: laid along the floor, and dark where it touches."""
    height, width = where.picture.shape[:2]
    rows, columns = item.shape[:2]
    feet = np.array([(0, rows), (columns, rows)], np.float64)
    left, right = _through(matrix, feet)
    lean = 1.6 * np.sign(where.drop[0]) * spot.size * 0.35
    depth = spot.size * 0.16
    head = np.array([(lean, -depth)])
    target = np.concatenate([np.stack([left, right]) + head, np.stack([right, left])])
    source = np.array([(0, 0), (columns, 0), (columns, rows), (0, rows)], np.float32)
    flat = warped(
        np.ascontiguousarray(item[..., 3]),
        homography(source, target.astype(np.float32)),
        height,
        width,
        wrap=False,
    )
    contact = stroked([np.stack([left, right]).astype(np.float32)], spot.size * 0.03, height, width)
    shade = 0.36 * blurred(flat, spot.size * 0.02) + 0.65 * blurred(contact, spot.size * 0.022)
    floor = np.arange(height)[:, None] > where.horizon - 1
    where.picture[:] *= (1 - np.clip(shade, 0, 0.8) * floor)[..., None]


def _hanger(where: Scene, matrix: NDArray[np.float64], item: Raster) -> None:
    """A hook above the item, and a nail that it hangs from."""
    height, width = where.picture.shape[:2]
    columns = item.shape[1]
    unit = columns / 100
    t = np.linspace(-0.2, 3.3, 20)
    hook = np.stack([50 + 4 * np.cos(t), -7 - 4 * np.sin(t)], 1)
    path = np.concatenate([[(50, 6), (50, -2)], hook]) * unit
    line = _through(matrix, path).astype(np.float32)
    wire = stroked([line], max(2.0, unit * 1.4), height, width)
    where.picture[:] *= (1 - 0.4 * blurred(np.roll(wire, (4, 3), (0, 1)), 2))[..., None]
    steel = colour("grey")
    where.picture[:] += (steel - where.picture) * wire[..., None]


def _through(matrix: NDArray[np.float64], points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Take points through a homography."""
    lifted = np.concatenate([points, np.ones((len(points), 1))], 1) @ matrix.T
    return np.asarray(lifted[:, :2] / lifted[:, 2:], np.float64)
