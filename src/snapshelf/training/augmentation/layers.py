"""Layers, and how one is painted over a picture."""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from snapshelf.media.picture import RGB

__all__ = ["Layer", "Placed", "as_layer", "colours", "coverage", "opaque", "paint"]

Layer = NDArray[np.uint8]
"""(h, w, 4) uint8: RGB already multiplied by alpha, and alpha, [0, 255]."""


class Placed(NamedTuple):
    """A layer and where it lies on a picture.

    Attributes:
        layer: (h, w, 4) uint8, premultiplied; 0 x 0 where nothing of it is on the picture.
        top: Row of its first pixel on the picture.
        left: Column of its first pixel on the picture.
    """

    layer: Layer
    top: int
    left: int


def as_layer(colour: RGB, alpha: NDArray[np.uint8]) -> Layer:
    """Make a layer of a colour for each pixel, not yet multiplied, and its alpha.

    Args:
        colour: (h, w, 3) uint8, RGB, [0, 255].
        alpha: (h, w) uint8, [0, 255].

    Returns:
        (h, w, 4) uint8, premultiplied.
    """
    multiplied = cv2.multiply(colour, cv2.merge([alpha] * 3), scale=1 / 255)
    return np.asarray(cv2.merge([*cv2.split(multiplied), alpha]), np.uint8)


def opaque(picture: RGB) -> Layer:
    """Make a layer of a whole picture: (h, w, 3) to (h, w, 4) uint8, alpha 255."""
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2RGBA), np.uint8)


def colours(layer: Layer) -> RGB:
    """Leave a layer's alpha out: (h, w, 4) to (h, w, 3) uint8, premultiplied."""
    return np.asarray(cv2.cvtColor(layer, cv2.COLOR_RGBA2RGB), np.uint8)


def paint(picture: RGB, placed: Placed) -> None:
    """Paint a layer over a picture, in place: ``layer + (1 - alpha) picture``.

    Args:
        picture: (H, W, 3) uint8, RGB, [0, 255]; changed where the layer lies.
        placed: The layer, fully inside the picture.
    """
    height, width = placed.layer.shape[:2]
    if not placed.layer.size:
        return
    under = picture[placed.top : placed.top + height, placed.left : placed.left + width]
    rest = cv2.bitwise_not(cv2.extractChannel(placed.layer, 3))
    kept = cv2.multiply(under, cv2.merge([rest] * 3), scale=1 / 255)
    under[:] = cv2.add(kept, colours(placed.layer))


def coverage(placed: Placed, size: tuple[int, int]) -> NDArray[np.uint8]:
    """Give a layer's alpha on the whole picture.

    Args:
        placed: The layer.
        size: (H, W) of the picture.

    Returns:
        (H, W) uint8, [0, 255].
    """
    result = np.zeros(size, np.uint8)
    height, width = placed.layer.shape[:2]
    result[placed.top : placed.top + height, placed.left : placed.left + width] = placed.layer[
        ..., 3
    ]
    return result
