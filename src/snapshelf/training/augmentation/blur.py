"""Blur: a camera that moved, or that was not in focus."""

import cv2
import numpy as np
from numpy.typing import NDArray

from snapshelf.media.picture import RGB

__all__ = ["blur_along", "focus_blur", "motion_blur"]

SLIGHTEST = 0.05


def motion_blur(picture: RGB, rng: np.random.Generator, strength: float) -> RGB:
    """Blur along a straight line of up to a sixteenth of the longest side.

    Args:
        picture: (H, W, 3) uint8, RGB, [0, 255].
        rng: Draws direction and length.
        strength: In [0, 1]; 0 changes nothing.

    Returns:
        (H, W, 3) uint8.
    """
    angle = rng.uniform(0, np.pi)
    length = strength * rng.uniform(0.4, 1.0) * max(picture.shape[:2]) / 16
    return blur_along(picture, length * np.cos(angle), length * np.sin(angle))


def blur_along(picture: NDArray[np.uint8], across: float, down: float) -> NDArray[np.uint8]:
    """Blur along a straight line, as what moved while the shutter was open.

    Args:
        picture: (H, W, C) uint8, RGB or a premultiplied layer.
        across: The line's extent in pixels to the right; its sign does not matter, but for that
            of `down`.
        down: Downwards, likewise.

    Returns:
        (H, W, C) uint8; the picture itself where the line is too short to be seen.
    """
    length = float(np.hypot(across, down))
    if length < SLIGHTEST:
        return picture
    half = int(np.ceil(length / 2))
    kernel = np.zeros((2 * half + 1, 2 * half + 1), np.float32)
    # Many points along the line, each shared among its four neighbours.
    along = np.linspace(-0.5, 0.5, 8 * half + 1)
    x, y = along * across + half, along * down + half
    left, top = np.floor(x).astype(int), np.floor(y).astype(int)
    right, low = np.minimum(left + 1, 2 * half), np.minimum(top + 1, 2 * half)
    fx, fy = x - left, y - top
    for rows, columns, weights in (
        (top, left, (1 - fy) * (1 - fx)),
        (top, right, (1 - fy) * fx),
        (low, left, fy * (1 - fx)),
        (low, right, fy * fx),
    ):
        np.add.at(kernel, (rows, columns), weights)
    return np.asarray(
        cv2.filter2D(picture, -1, kernel / kernel.sum(), borderType=cv2.BORDER_REFLECT), np.uint8
    )


def focus_blur(picture: RGB, rng: np.random.Generator, strength: float) -> RGB:
    """Blur by a disc, as a lens out of focus does, of a radius up to 1/50 of the longest side.

    Args:
        picture: (H, W, 3) uint8, RGB, [0, 255].
        rng: Draws the radius.
        strength: In [0, 1]; 0 changes nothing.

    Returns:
        (H, W, 3) uint8.
    """
    radius = strength * rng.uniform(0.3, 1.0) * max(picture.shape[:2]) / 50
    if radius < SLIGHTEST:
        return picture
    reach = int(np.ceil(radius))
    offsets = np.arange(-reach, reach + 1)
    distance = np.hypot(offsets[:, None], offsets[None])
    # A pixel on the rim counts by the share of it that the disc covers, about.
    kernel = np.clip(radius + 0.5 - distance, 0, 1).astype(np.float32)
    return np.asarray(
        cv2.filter2D(picture, -1, kernel / kernel.sum(), borderType=cv2.BORDER_REFLECT), np.uint8
    )
