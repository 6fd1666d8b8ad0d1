"""A camera before a photo: where a point of the photo appears in the frame."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from snapshelf.locating.region import Box

__all__ = ["View", "frame_box", "inner_box", "project", "view_corners", "view_reach"]

Points = NDArray[np.float64]

FOCAL = 2.4
"""The distance from which a photo is filmed, in halves of the frame's longer side: the angle of a
phone's main camera is about that."""

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
    ``(X, Y, Z) = R (x, y, 0)`` with ``R = R_x(pitch) R_y(yaw) R_z(roll)``, and
    ``(u, v) = f (X, Y) / (f + Z)``, all in halves of the frame's shorter side.

    Args:
        points: (N, 2) float64, x and y in pixels of the photo.
        view: What the frame shows.
        size: (H, W) of the frame.

    Returns:
        (N, 2) float64, x and y in pixels of the frame.
    """
    flat = (points - (view.x, view.y)) * (2 / view.side)
    turned = flat @ _rotation(view)[:, :2].T
    focal = _focal(size)
    near = focal / np.maximum(focal + turned[:, 2:], NEAREST * focal)
    middle = np.array([size[1], size[0]]) / 2
    result: Points = turned[:, :2] * near * (min(size) / 2) + middle
    return result


def view_reach(view: View, size: tuple[int, int]) -> Box:
    """Give the part of a photo's plane that a frame shows some of, of a photo without an end.

    Each corner of the frame is followed back to the plane: the ray ``(u, v, f)`` meets it at
    ``f n_z / (n . (u, v, f))`` of its length, with the plane's normal ``n = R (0, 0, 1)``.

    Args:
        view: What the frame shows, turned so that no corner of the frame looks past the plane.
        size: (H, W) of the frame.

    Returns:
        The smallest box that holds it, in pixels of the photo; it may lie outside.
    """
    focal = _focal(size)
    u, v = size[1] / min(size), size[0] / min(size)
    rays = np.array([[-u, -v, focal], [u, -v, focal], [u, v, focal], [-u, v, focal]])
    rotation = _rotation(view)
    normal = rotation[:, 2]
    along = focal * normal[2] / np.maximum(rays @ normal, NEAREST * focal * normal[2])
    points = (rays * along[:, None] - (0, 0, focal)) @ rotation[:, :2] * (view.side / 2)
    low, high = points.min(axis=0), points.max(axis=0)
    return (
        view.x + float(low[0]),
        view.y + float(low[1]),
        view.x + float(high[0]),
        view.y + float(high[1]),
    )


def view_corners(box: Box, view: View, size: tuple[int, int]) -> Points:
    """Give where the corners of a part of a photo appear.

    Args:
        box: In pixels of the photo; about what `view_reach` tells at most, for a photo has no
            picture behind the camera.
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
        The smallest box that holds what the frame can show of the item's turned one, cut off at the
        frame's border; of at least one pixel, at the border where the item is out of view.
    """
    corners = view_corners(inner_box(box, view_reach(view, size)), view, size)
    limits = np.array([size[1], size[0]], np.float64)
    low = np.clip(corners.min(axis=0), 0, limits - 1)
    high = np.clip(corners.max(axis=0), low + 1, limits)
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])


def inner_box(box: Box, outer: Box) -> Box:
    """Cut a box off at another one; what lies outside of it becomes a line along its border."""
    x0, x1 = np.clip((box[0], box[2]), outer[0], outer[2]).tolist()
    y0, y1 = np.clip((box[1], box[3]), outer[1], outer[3]).tolist()
    return x0, y0, x1, y1


def _focal(size: tuple[int, int]) -> float:
    return FOCAL * max(size) / min(size)


def _rotation(view: View) -> Points:
    """Give ``R_x(pitch) R_y(yaw) R_z(roll)``: (3, 3) float64."""
    (cr, cy, cp), (sr, sy, sp) = (
        tuple(float(turn(angle)) for angle in (view.roll, view.yaw, view.pitch))
        for turn in (np.cos, np.sin)
    )
    about_z = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
    about_y = np.array([[cy, 0, -sy], [0, 1, 0], [sy, 0, cy]])
    about_x = np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
    result: Points = about_x @ about_y @ about_z
    return result
