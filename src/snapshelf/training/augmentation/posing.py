"""Poses: where an item lies in a view, how it is turned, seen from the side and bent."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from snapshelf.training.augmentation.layers import Layer
from snapshelf.training.augmentation.occlusion import Box
from snapshelf.training.augmentation.settings import DomainShift
from snapshelf.training.augmentation.warps import CONTROLS, corners_of

__all__ = ["HIDEABLE", "Pose", "draw_pose", "mirrored", "tilt"]

Points = NDArray[np.float64]

HIDEABLE = 0.4
"""An item that takes less than this share of the view already loses too much behind anything."""

MOST_TURNED = 40.0
CORNER_SHIFT = 1 / 8
BEND = 0.05
CUT_OFF = 0.3


class Pose(NamedTuple):
    """Where an item lies in a view.

    Attributes:
        corners: (4, 2) float64, as `resample` takes them.
        bend: (3, 3, 2) float64, likewise; or None.
        degrees: How the item is turned, clockwise.
    """

    corners: Points
    bend: Points | None
    degrees: float

    @property
    def box(self) -> Box:
        """The item's box in pixels."""
        low, high = self.corners.min(axis=0), self.corners.max(axis=0)
        return float(low[0]), float(low[1]), float(high[0]), float(high[1])


def draw_pose(
    item: Layer, size: tuple[int, int], rng: np.random.Generator, settings: DomainShift
) -> Pose:
    """Draw where an item lies: anywhere inside the view, unless the border cuts it off.

    Args:
        item: (h, w, 4) uint8; only its shape counts.
        size: (H, W) of the view in pixels.
        rng: Draws everything.
        settings: Its scale, rotation, perspective, flip, cut_off and bend.
    """
    lowest, highest = settings.scale
    scale = np.sqrt(rng.uniform(lowest**2, highest**2))
    height, width = item.shape[:2]
    fit = scale * min(size[0] / height, size[1] / width)
    degrees = settings.rotation.draw(rng) * MOST_TURNED * rng.choice((-1, 1))
    corners = corners_of((0, 0), (width * fit, height * fit), degrees)
    corners = tilt(corners, rng, settings.perspective.draw(rng))
    corners = mirrored(corners, rng, settings)
    # Turned, it may be too large for the view.
    low, high = corners.min(axis=0), corners.max(axis=0)
    room = np.array([size[1], size[0]], np.float64)
    corners *= min(1.0, float((room / (high - low)).min()))
    low, high = corners.min(axis=0), corners.max(axis=0)
    corners += rng.uniform(0, 1, 2) * (room - (high - low)) - low
    cut = settings.cut_off.draw(rng) * CUT_OFF
    if cut > 0 and scale >= HIDEABLE:
        axis, far = int(rng.integers(2)), bool(rng.integers(2))
        low, high = corners.min(axis=0)[axis], corners.max(axis=0)[axis]
        hidden = cut * (high - low)
        corners[:, axis] += room[axis] - high + hidden if far else -low - hidden
    strength = settings.bend.draw(rng)
    bend = rng.normal(0, BEND * strength, (CONTROLS, CONTROLS, 2)) if strength > 0 else None
    return Pose(corners, bend, float(degrees))


def tilt(corners: Points, rng: np.random.Generator, strength: float) -> Points:
    """Move the corners apart for a perspective, each by up to an eighth of the sides.

    Args:
        corners: (4, 2) float64.
        rng: Draws the shifts.
        strength: In [0, 1]; 0 changes nothing.

    Returns:
        (4, 2) float64; a new array.
    """
    sides = np.linalg.norm(corners[1] - corners[0]), np.linalg.norm(corners[3] - corners[0])
    result: Points = corners + rng.uniform(-1, 1, (4, 2)) * strength * CORNER_SHIFT * sides
    return result


def mirrored(corners: Points, rng: np.random.Generator, settings: DomainShift) -> Points:
    """Swap left and right in place, with the settings' probability of a flip."""
    return corners[[1, 0, 3, 2]] if rng.random() < settings.flip else corners
