"""Putting a lit item into a scene: perspective, shadow, and the box where it ends up."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from snapshelf.datasets.demo.colours import colour
from snapshelf.datasets.demo.curves import Points
from snapshelf.datasets.demo.faces import homography
from snapshelf.datasets.demo.raster import Raster, blurred, stroked, warped
from snapshelf.datasets.demo.scenes import Scene
from snapshelf.locating.region import Box

__all__ = ["Spot", "place"]


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


def place(
    where: Scene, item: Raster, spot: Spot, manner: str, *, hangs: bool = False, whole: bool = False
) -> Box:
    """Put an item and its shadow into a scene's picture.

    Args:
        where: The scene; its picture is painted on.
        item: (h, w, 4) float32, linear light times coverage, and coverage; cut close.
        spot: Where it goes.
        manner: "lies", "stands" or "hung".
        hangs: Whether a hanger is to be drawn for it when it hangs.
        whole: Whether it is moved, and made smaller if need be, to lie within the picture.

    Returns:
        The smallest box around what of it is in the picture, whole pixels; all 0 if nothing is.
    """
    height, width = where.picture.shape[:2]
    corners = _corners(item, spot, manner)
    if whole:
        corners = _moved_inside(corners, height, width)
    matrix = homography(_frame(item), corners)
    if manner == "stands":
        _upright_shadow(where, item, matrix, spot)
    elif manner == "hung" and hangs:
        _hanger(where, matrix, item)
    reach = 0.0 if manner == "stands" else spot.size * (1.0 if manner == "lies" else 0.7)
    dx, dy = round(where.drop[0] * reach), round(where.drop[1] * reach)
    pad = 12 + 2 * max(abs(dx), abs(dy))
    x0, y0 = np.maximum(np.floor(corners.min(0)).astype(int) - pad, 0)
    x1, y1 = np.minimum(np.ceil(corners.max(0)).astype(int) + pad, (width, height))
    if x1 - x0 < 2 or y1 - y0 < 2:
        return (0.0, 0.0, 0.0, 0.0)
    cut = where.picture[y0:y1, x0:x1]
    shift = _shift(-float(x0), -float(y0)) @ matrix @ _shift(-1, -1)
    padded = np.pad(item, ((1, 1), (1, 1), (0, 0)))
    layer = warped(padded, shift, y1 - y0, x1 - x0, wrap=False)
    cover = np.ascontiguousarray(layer[..., 3])
    if manner != "stands":
        shadow = warped(cover, _shift(dx, dy), y1 - y0, x1 - x0, wrap=False)
        soft = blurred(shadow, max(1.5, 0.5 * float(np.hypot(dx, dy))))
        cut *= (1 - np.float32(0.42) * soft - np.float32(0.2) * blurred(cover, 3.0))[..., None]
    cut *= 1 - layer[..., 3:]
    cut += layer[..., :3]
    rows, columns = np.flatnonzero(cover.max(1) > 0.5), np.flatnonzero(cover.max(0) > 0.5)
    if rows.size == 0 or columns.size == 0:
        return (0.0, 0.0, 0.0, 0.0)
    return (
        float(x0 + columns[0]),
        float(y0 + rows[0]),
        float(x0 + columns[-1] + 1),
        float(y0 + rows[-1] + 1),
    )


def _corners(item: Raster, spot: Spot, manner: str) -> Points:
    """Where the item's corners go: upper left, upper right, lower right, lower left."""
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
    y = spot.y + spot.size / 2 - half_y if manner == "stands" else spot.y
    return np.asarray(corners @ turn + np.array([spot.x, y]), np.float32)


def _moved_inside(corners: Points, height: int, width: int) -> Points:
    """Move corners, and draw them together if need be, until they are within a picture."""
    limit = np.array([width, height], np.float32) - 4
    shrink = float(min(1.0, *(limit / np.ptp(corners, axis=0))))
    middle = (corners.min(0) + corners.max(0)) / 2
    corners = middle + (corners - middle) * np.float32(shrink)
    corners = corners + np.maximum(2 - corners.min(0), 0)
    return np.asarray(corners - np.maximum(corners.max(0) - limit - 2, 0), np.float32)


def _frame(item: Raster) -> Points:
    height, width = item.shape[:2]
    return np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32) - 0.5


def _shift(dx: float, dy: float) -> NDArray[np.float64]:
    return np.array([[1, 0, dx], [0, 1, dy], [0, 0, 1]], np.float64)


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
