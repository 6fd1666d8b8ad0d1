"""Boxes as arrays: what is common to all of them, and how far two cover each other."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from snapshelf.locating.region import Box

__all__ = ["Boxes", "as_boxes", "clip_boxes", "empty_boxes", "iou", "picture_box", "scale_boxes"]

Boxes = NDArray[np.float32]
"""(N, 4) float32, each row ``(x0, y0, x1, y1)`` in pixels, as `snapshelf.locating.region.Box`."""


def as_boxes(boxes: ArrayLike | Sequence[Box]) -> Boxes:
    """Give boxes as an array of their own.

    Args:
        boxes: N of ``(x0, y0, x1, y1)``, N >= 0.

    Returns:
        (N, 4) float32, a copy.

    Raises:
        ValueError: If it is not N rows of four numbers, or a number is not finite.
    """
    array = np.array(boxes, np.float32)
    if array.size == 0:
        return empty_boxes()
    if array.ndim != 2 or array.shape[1] != 4:
        raise ValueError(f"boxes must be (N, 4), each x0, y0, x1, y1, got shape {array.shape}")
    if not np.isfinite(array).all():
        raise ValueError("boxes must be finite, got NaN or infinity")
    return array


def empty_boxes() -> Boxes:
    """Give no boxes: (0, 4) float32."""
    return np.empty((0, 4), np.float32)


def picture_box(size: tuple[int, ...]) -> Boxes:
    """Give the box of a whole picture.

    Args:
        size: (height, width), or a picture's shape.

    Returns:
        (1, 4) float32.
    """
    return np.array([[0, 0, size[1], size[0]]], np.float32)


def clip_boxes(boxes: Boxes, size: tuple[int, ...]) -> Boxes:
    """Cut off what lies outside a picture.

    Args:
        boxes: (N, 4) float.
        size: (height, width) of the picture, or its shape.

    Returns:
        (N, 4) float32. A box that lies wholly outside, or whose ends are the wrong way round,
        has no area then (`iou` with it is 0).
    """
    most = np.array([size[1], size[0], size[1], size[0]], np.float32)
    clipped: Boxes = np.clip(boxes, 0, most).astype(np.float32)
    clipped[:, 2:] = np.maximum(clipped[:, 2:], clipped[:, :2])
    return clipped


def scale_boxes(boxes: Boxes, before: tuple[int, ...], after: tuple[int, ...]) -> Boxes:
    """Carry boxes over to the same picture at another size.

    Args:
        boxes: (N, 4) float, in a picture of the size `before`.
        before: (height, width), or a shape.
        after: Likewise.

    Returns:
        (N, 4) float32.
    """
    x, y = after[1] / before[1], after[0] / before[0]
    scaled: Boxes = (boxes * np.array([x, y, x, y])).astype(np.float32)
    return scaled


def iou(boxes: NDArray[np.floating[Any]], others: NDArray[np.floating[Any]]) -> Boxes:
    """Give intersection over union of each of some boxes with each of others.

    Args:
        boxes: (N, 4) float.
        others: (M, 4) float.

    Returns:
        (N, M) float32, [0, 1]. A degenerate box, without width or height or with its ends the
        wrong way round, has 0 with every box, itself included.

    Example:
        >>> iou(as_boxes([[0, 0, 2, 2]]), as_boxes([[1, 0, 3, 2], [2, 2, 2, 9]])).round(3).tolist()
        [[0.3330000042915344, 0.0]]
    """
    first, second = boxes.astype(np.float64), others.astype(np.float64)
    low = np.maximum(first[:, None, :2], second[None, :, :2])
    high = np.minimum(first[:, None, 2:], second[None, :, 2:])
    shared = np.maximum(high - low, 0).prod(axis=2)
    union = _areas(first)[:, None] + _areas(second)[None] - shared
    ratio = np.divide(shared, union, out=np.zeros_like(shared), where=shared > 0)
    found: NDArray[np.float32] = ratio.astype(np.float32)
    return found


def _areas(boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    areas: NDArray[np.float64] = np.maximum(boxes[:, 2:] - boxes[:, :2], 0).prod(axis=1)
    return areas
