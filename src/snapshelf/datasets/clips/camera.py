"""A camera before a photo: where a point of the photo appears in the frame."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from snapshelf.locating.region import Box

__all__ = ["View", "frame_box", "project", "view_corners"]

Points = NDArray[np.float64]

FOCAL = 2.4
"""The distance from which a photo is filmed, in halves of the frame's shorter side: about the
angle of a phone's main camera held upright."""

NEAREST = 0.25
"""Nothing comes nearer than this share of the distance, however far outside the frame it lies."""


class View(NamedTuple):
    """What one frame shows of a photo.

    Attributes:
        x: The place in the photo, in its pixels, that the middle of the frame shows.
        y: Likewise.
        side: How much of the photo the frame's shorter side shows, in pixels of the photo.
        roll: The camera is turned by so much, in radians.
        yaw: The photo is turned about its upright axis, in radians.
        pitch: It is turned about its level axis.
    """

    x: float
    y: float
    side: float
    roll: float = 0.0
    yaw: float = 0.0
    pitch: float = 0.0


def project(points: Points, view: View, size: tuple[int, int]) -> Points:
    """Give where points of a photo appear in a frame.

    The photo is a plane at distance f, turned about the point that the frame's middle shows:
    ``(X, Y, Z) = R_x(pitch) R_y(yaw) R_z(roll) (x, y, 0)`` and ``(u, v) = f (X, Y) / (f + Z)``, in
    halves of the frame's shorter side.

    Args:
        points: (N, 2) float64, x and y in pixels of the photo.
        view: What the frame shows.
        size: (H, W) of the frame.

    Returns:
        (N, 2) float64, x and y in pixels of the frame.
    """
    flat = (points - (view.x, view.y)) * (2 / view.side)
    cos, sin = np.cos(view.roll), np.sin(view.roll)
    x, y = cos * flat[:, 0] - sin * flat[:, 1], sin * flat[:, 0] + cos * flat[:, 1]
    x, z = np.cos(view.yaw) * x, np.sin(view.yaw) * x
    y, z = (
        np.cos(view.pitch) * y - np.sin(view.pitch) * z,
        (np.sin(view.pitch) * y + np.cos(view.pitch) * z),
    )
    near = FOCAL / np.maximum(FOCAL + z, NEAREST * FOCAL)
    middle = np.array([size[1], size[0]]) / 2
    result: Points = np.column_stack([x, y]) * near[:, None] * (min(size) / 2) + middle
    return result


def view_corners(box: Box, view: View, size: tuple[int, int]) -> Points:
    """Give where the corners of a part of a photo appear.

    Args:
        box: In pixels of the photo.
        view: What the frame shows.
        size: (H, W) of the frame.

    Returns:
        (4, 2) float64: top left, top right, bottom right, bottom left, in pixels of the frame.
    """
    x0, y0, x1, y1 = box
    return project(np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]]), view, size)


def frame_box(box: Box, view: View, size: tuple[int, int]) -> Box:
    """Give the box of an item in a frame.

    Args:
        box: The item in pixels of the photo.
        view: What the frame shows.
        size: (H, W) of the frame.

    Returns:
        The smallest box that holds the item's turned one, cut off at the frame's border; of at
        least one pixel, at the border where the item is out of view.
    """
    corners = view_corners(box, view, size)
    limits = np.array([size[1], size[0]], np.float64)
    low = np.clip(corners.min(axis=0), 0, limits - 1)
    high = np.clip(corners.max(axis=0), low + 1, limits)
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])
