"""Boxes that an objectness network learns from."""

import numpy as np
from numpy.typing import NDArray

from snapshelf.locating.boxes import Boxes, clip_boxes, iou
from snapshelf.locating.object_settings import ObjectSettings

__all__ = ["draw_examples"]

FARTHEST = 0.12
"""Of a box's side: how far each of its ends is moved at most."""

TRIES = 8
"""Moved boxes that are tried for each that is wanted."""


def draw_examples(
    objects: Boxes,
    proposals: Boxes,
    size: tuple[int, ...],
    settings: ObjectSettings,
    rng: np.random.Generator,
) -> tuple[Boxes, NDArray[np.bool_]]:
    """Draw positive and negative boxes of one picture.

    Positive are the objects' own boxes, the proposals that cover one almost wholly, and objects'
    boxes with their sides moved; negative are proposals that overlap none much. Others, of which
    it is hard to say, are left out.

    Args:
        objects: (N, 4) float32; degenerate ones are passed over.
        proposals: (P, 4) float32, within the picture.
        size: (height, width) of the picture, or its shape.
        settings: Which overlaps count, and how many boxes.
        rng: Draws.

    Returns:
        (M, 4) float32 boxes within the picture, the positive ones first, and (M,) bool whether
        each is positive.
    """
    objects = clip_boxes(objects, size)
    objects = objects[((objects[:, 2:] - objects[:, :2]) >= 1).all(axis=1)]
    overlaps = iou(proposals, objects).max(axis=1, initial=0)
    moved = [_moved(box, size, settings, rng) for box in objects]
    positive = np.concatenate([objects, proposals[overlaps > settings.above], *moved])
    free = np.flatnonzero(overlaps < settings.below)
    if len(free) > settings.negatives:
        free = np.sort(rng.choice(free, settings.negatives, replace=False))
    boxes: Boxes = np.concatenate([positive, proposals[free]]).astype(np.float32)
    return boxes, np.arange(len(boxes)) < len(positive)


def _moved(
    box: NDArray[np.float32],
    size: tuple[int, ...],
    settings: ObjectSettings,
    rng: np.random.Generator,
) -> Boxes:
    """Move the sides of a box; what then overlaps its object too little is dropped."""
    sides = np.tile(box[2:] - box[:2], 2)
    steps = rng.uniform(-FARTHEST, FARTHEST, (TRIES * settings.moved, 4)) * sides
    tried = clip_boxes((box + steps).astype(np.float32), size)
    kept: Boxes = tried[iou(tried, box[None])[:, 0] > settings.above][: settings.moved]
    return kept
