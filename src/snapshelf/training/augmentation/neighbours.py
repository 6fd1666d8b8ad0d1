"""Neighbours: more of the same, or other items, beside and behind the one that is looked for."""

from collections.abc import Sequence

import numpy as np

from snapshelf.media.picture import RGB
from snapshelf.training.augmentation.fields import multiply
from snapshelf.training.augmentation.layers import Layer, paint
from snapshelf.training.augmentation.occlusion import Box
from snapshelf.training.augmentation.warps import corners_of, resample

__all__ = ["heap", "row"]

DIMMED = 0.85


def row(
    picture: RGB,
    box: Box,
    layers: Sequence[Layer],
    rng: np.random.Generator,
    *,
    degrees: float,
) -> RGB:
    """Stand items in a row to the left and the right, as on a shelf.

    Args:
        picture: (H, W, 3) uint8, RGB, [0, 255]: the background.
        box: Where the item that is looked for will stand.
        layers: (h, w, 4) uint8 each, premultiplied: what may stand there; at least one.
        rng: Draws which stands where.
        degrees: How the row is turned, clockwise.

    Returns:
        (H, W, 3) uint8; a new array.
    """
    result = picture.copy()
    tall, wide = box[3] - box[1], box[2] - box[0]
    centre = np.array([box[0] + box[2], box[1] + box[3]]) / 2
    along = np.array([np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))])
    for side in (-1, 1):
        layer = layers[int(rng.integers(len(layers)))]
        height, width = layer.shape[:2]
        scale = tall * rng.uniform(0.85, 1.05) / height
        gap = rng.uniform(0.92, 1.1)
        place = centre + side * along * gap * (wide + width * scale) / 2
        place[1] += (tall - height * scale) / 2
        _stand(result, layer, place, scale, degrees + rng.normal(0, 2))
    return result


def heap(picture: RGB, box: Box, layers: Sequence[Layer], rng: np.random.Generator) -> RGB:
    """Heap items up around a place, turned any way, as fruit lies in a crate.

    Args:
        picture: (H, W, 3) uint8, RGB, [0, 255]: the background.
        box: Where the item that is looked for will lie.
        layers: (h, w, 4) uint8 each, premultiplied: what may lie there; at least one.
        rng: Draws which lies where.

    Returns:
        (H, W, 3) uint8; a new array.
    """
    result = picture.copy()
    sides = np.array([box[2] - box[0], box[3] - box[1]])
    centre = np.array([box[0] + box[2], box[1] + box[3]]) / 2
    count = int(rng.integers(3, 6))
    start = rng.uniform(0, 2 * np.pi)
    for number in range(count):
        angle = start + 2 * np.pi * number / count + rng.normal(0, 0.25)
        place = centre + 0.75 * sides * np.array([np.cos(angle), np.sin(angle)])
        layer = layers[int(rng.integers(len(layers)))]
        scale = sides.max() * rng.uniform(0.8, 1.05) / max(layer.shape[:2])
        _stand(result, layer, place, scale, rng.uniform(0, 360))
    return result


def _stand(
    picture: RGB, layer: Layer, place: np.typing.NDArray[np.float64], scale: float, degrees: float
) -> None:
    """Paint an item a little dimmed: it stands behind."""
    height, width = layer.shape[:2]
    corners = corners_of((place[0], place[1]), (width * scale, height * scale), degrees)
    placed = resample(layer, corners, (picture.shape[0], picture.shape[1]))
    if placed.layer.size:
        dimmed = multiply(placed.layer, np.full((1, 1), DIMMED, np.float32))
        paint(picture, placed._replace(layer=dimmed))
