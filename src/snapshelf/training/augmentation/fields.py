"""Smooth fields over a picture: drawn on a coarse grid, since light changes slowly."""

from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from snapshelf.media.picture import RGB

__all__ = ["Coarse", "coarse_grid", "multiply", "screen", "smooth_step"]

Field = NDArray[np.float32]

SIDE = 32


class Coarse(NamedTuple):
    """Where the points of a coarse grid lie.

    Attributes:
        x: (32, 32) float32 in [0, 1], a share of the picture's width.
        y: (32, 32) float32 in [0, 1], a share of its height.
    """

    x: Field
    y: Field


def coarse_grid() -> Coarse:
    """Give the grid that fields are drawn on."""
    along = (np.arange(SIDE, dtype=np.float32) + 0.5) / SIDE
    return Coarse(np.tile(along, (SIDE, 1)), np.tile(along[:, None], (1, SIDE)))


def smooth_step(values: NDArray[np.floating[Any]], softness: float) -> Field:
    """Rise from 0 to 1 about 0, over a width of about `softness`.

    ``f(v) = (1 + tanh(2 v / softness)) / 2``
    """
    return np.asarray(0.5 + 0.5 * np.tanh(values * np.float32(2 / softness)), np.float32)


def multiply(picture: RGB, field: Field) -> RGB:
    """Dim or brighten a picture.

    Args:
        picture: (H, W, C) uint8, C is 3 or 4; a fourth channel is kept.
        field: (h, w) float32, at least 0; 1 changes nothing.

    Returns:
        (H, W, C) uint8, rounded, at most 255 (premultiplied: at most the fourth channel).
    """
    height, width, channels = picture.shape
    factor = cv2.resize(field, (width, height), interpolation=cv2.INTER_LINEAR)
    factors = [factor] * 3 + [np.ones_like(factor)] * (channels - 3)
    result = np.asarray(cv2.multiply(picture, cv2.merge(factors), dtype=cv2.CV_8U), np.uint8)
    if channels == 4:
        alpha = cv2.extractChannel(picture, 3)
        result = np.asarray(cv2.min(result, cv2.merge([alpha] * 4)), np.uint8)
    return result


def screen(picture: RGB, light: NDArray[np.uint8]) -> RGB:
    """Add light as a reflection does: ``255 - (255 - picture) (255 - light) / 255``.

    Args:
        picture: (H, W, 3) uint8.
        light: (H, W, 3) uint8; 0 changes nothing.

    Returns:
        (H, W, 3) uint8.
    """
    rest = cv2.multiply(cv2.bitwise_not(picture), cv2.bitwise_not(light), scale=1 / 255)
    return np.asarray(cv2.bitwise_not(rest), np.uint8)
