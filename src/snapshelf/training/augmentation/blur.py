"""Blur: a camera that moved, or that was not in focus."""

import cv2
import numpy as np

from snapshelf.media.picture import RGB

__all__ = ["focus_blur", "motion_blur"]

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
    if length < SLIGHTEST:
        return picture
    half = int(np.ceil(length / 2))
    kernel = np.zeros((2 * half + 1, 2 * half + 1), np.float32)
    # Many points along the line, each shared among its four neighbours.
    along = np.linspace(-length / 2, length / 2, 8 * half + 1)
    x, y = along * np.cos(angle) + half, along * np.sin(angle) + half
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
