"""Where lines of text are, from a map that says of each pixel how likely it shows text.

Liao, Wan, Yao, Chen, Bai: Real-time Scene Text Detection with Differentiable Binarization, AAAI
2020. The network gives every line's shrunken middle; what is found in the map is made larger again.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from snapshelf.media.picture import RGB

__all__ = ["cut_line", "find_lines"]

LIKELY = 0.3
"""A pixel shows text where the map is above this."""

MEAN = 0.5
"""A line is kept if the map is at least this on average."""

UNCLIP = 1.6
"""The ratio r of section 3.4: a line grows by its area times this over its perimeter."""

SMALLEST = 3.0
"""Pixels of the map that the shorter side of a line's middle has at least."""

MOST = 1000
"""Lines looked at in one picture."""

UPRIGHT = 1.5
"""What is so many times higher than wide is read from top to bottom."""


def find_lines(shown: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    """Find the lines of text in a map.

    Args:
        shown: (H, W) float32, in [0, 1].

    Returns:
        For each line its corners, (4, 2) float32, x and y in pixels of the map: top left, top
        right, bottom right, bottom left. They can lie outside of the map. In no order.
    """
    mask = cv2.dilate((shown > LIKELY).astype(np.uint8), np.ones((2, 2), np.uint8))
    contours, _ = cv2.findContours(mask, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
    lines = []
    for contour in contours[:MOST]:
        middle, (width, height), angle = cv2.minAreaRect(contour)
        if min(width, height) < SMALLEST:
            continue
        inner = np.asarray(cv2.boxPoints((middle, (width, height), angle)), np.float32)
        if _mean_within(shown, inner) < MEAN:
            continue
        # Eq. 10; a rectangle grown by a distance is a rectangle.
        grown = 2 * width * height * UNCLIP / (2 * (width + height))
        corners = cv2.boxPoints((middle, (width + grown, height + grown), angle))
        lines.append(_ordered(np.asarray(corners, np.float32)))
    return lines


def cut_line(picture: RGB, corners: NDArray[np.float32]) -> RGB:
    """Cut a line of text out of a picture, level.

    Args:
        picture: (H, W, 3) uint8, RGB, [0, 255].
        corners: (4, 2) float32 in pixels of the picture, in the order of `find_lines`.

    Returns:
        (h, w, 3) uint8, from 1 x 1; a line that stands is laid down.
    """
    height, width = picture.shape[:2]
    inside = np.clip(corners, 0, (width - 1, height - 1)).astype(np.float32)
    along = max(np.linalg.norm(inside[0] - inside[1]), np.linalg.norm(inside[2] - inside[3]))
    across = max(np.linalg.norm(inside[0] - inside[3]), np.linalg.norm(inside[1] - inside[2]))
    w, h = max(1, int(along)), max(1, int(across))
    flat = np.array([[0, 0], [w, 0], [w, h], [0, h]], np.float32)
    mapping = cv2.getPerspectiveTransform(inside, flat)
    line = cv2.warpPerspective(
        picture, mapping, (w, h), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    laid = np.rot90(line) if h >= UPRIGHT * w else line
    return np.ascontiguousarray(laid, np.uint8)


def _mean_within(shown: NDArray[np.float32], corners: NDArray[np.float32]) -> float:
    """Give the map's mean in a quadrilateral."""
    height, width = shown.shape
    left, top = np.clip(np.floor(corners.min(axis=0)).astype(int), 0, (width - 1, height - 1))
    right, bottom = np.clip(np.ceil(corners.max(axis=0)).astype(int), 0, (width - 1, height - 1))
    mask = np.zeros((bottom - top + 1, right - left + 1), np.uint8)
    cv2.fillPoly(mask, [(corners - (left, top)).astype(np.int32)], 1)
    return float(cv2.mean(shown[top : bottom + 1, left : right + 1], mask)[0])


def _ordered(corners: NDArray[np.float32]) -> NDArray[np.float32]:
    """Begin with the top left corner, and go on clockwise."""
    by_x = corners[np.argsort(corners[:, 0], kind="stable")]
    left = by_x[:2][np.argsort(by_x[:2, 1], kind="stable")]
    right = by_x[2:][np.argsort(by_x[2:, 1], kind="stable")]
    return np.stack([left[0], right[0], right[1], left[1]])
