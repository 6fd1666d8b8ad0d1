"""The first root filters: trained on boxes cut out and brought to one size."""

from collections.abc import Callable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from snapshelf.locating.boxed_picture import BoxedPicture
from snapshelf.locating.boxes import Boxes, as_boxes, clip_boxes, iou
from snapshelf.locating.hog import FEATURES, hog
from snapshelf.locating.latent_examples import (
    component_vector,
    component_with,
    weights_prior,
)
from snapshelf.locating.margin_fitting import fit_margin
from snapshelf.locating.part_initialisation import aspect_clusters, root_size
from snapshelf.locating.part_model import Component
from snapshelf.locating.part_model_settings import PartModelSettings
from snapshelf.media.picture import RGB

__all__ = ["train_roots"]

NEGATIVES_TO_A_BOX = 3
"""Random windows to a box, of its own shape and of any size."""

TRIES = 20
"""Random windows that are tried for each that is wanted."""


def train_roots(
    pictures: Sequence[BoxedPicture],
    settings: PartModelSettings,
    tell: Callable[[str], None],
) -> tuple[Component, ...]:
    """Train a root filter for each group of aspect ratios (PAMI paper, Section 5.2, phase 1).

    Args:
        pictures: With boxes; degenerate ones are passed over.
        settings: How.
        tell: Called with what has been done.

    Returns:
        A component for each group, without parts.

    Raises:
        ValueError: If there are fewer boxes than components, or no place for negatives.
        PictureError: If a picture cannot be read.
    """
    owners = np.concatenate(
        [np.full(len(picture.boxes), number) for number, picture in enumerate(pictures)]
        or [np.empty(0)]
    ).astype(np.intp)
    boxes = as_boxes([box for picture in pictures for box in picture.boxes])
    sound = ((boxes[:, 2:] - boxes[:, :2]) >= 1).all(axis=1)
    owners, boxes = owners[sound], boxes[sound]
    if len(boxes) < settings.components:
        raise ValueError(
            f"pictures must have at least {settings.components} boxes, one for each component, "
            f"got {len(boxes)}"
        )
    groups = aspect_clusters(boxes, settings.components)
    sizes = [
        root_size(boxes[groups == group], settings.root_cells)
        for group in range(settings.components)
    ]
    rng = np.random.default_rng(settings.seed)
    found: list[list[NDArray[np.float32]]] = [[] for _ in sizes]
    other: list[list[NDArray[np.float32]]] = [[] for _ in sizes]
    for number, picture in enumerate(pictures):
        mine = owners == number
        if not mine.any():
            continue
        pixels = picture.read()
        for box, group in zip(boxes[mine], groups[mine], strict=True):
            size = sizes[group]
            found[group].append(_warped(pixels, box, size, settings.pyramid.cell))
            for window in _windows(pixels.shape, boxes[mine], box, settings.apart, rng):
                other[group].append(_warped(pixels, window, size, settings.pyramid.cell))
    tell(f"cut out {len(boxes)} boxes and {sum(map(len, other))} windows beside them")
    return tuple(
        _fit(size, positives, negatives, settings.trade_off)
        for size, positives, negatives in zip(sizes, found, other, strict=True)
    )


def _fit(
    size: tuple[int, int],
    positives: list[NDArray[np.float32]],
    negatives: list[NDArray[np.float32]],
    trade_off: float,
) -> Component:
    if not negatives:
        raise ValueError(
            "pictures must leave room beside their boxes for negative examples, got none"
        )
    empty = Component(np.zeros((*size, FEATURES), np.float32), 0.0)
    examples = np.stack([*positives, *negatives]).reshape(-1, empty.root.size)
    examples = np.concatenate([examples, np.ones((len(examples), 1), np.float32)], axis=1)
    vector = fit_margin(
        examples,
        np.arange(len(examples)) < len(positives),
        trade_off=trade_off,
        start=component_vector(empty),
        prior=weights_prior(empty),
    )
    return component_with(empty, vector)


def _warped(
    pixels: RGB, box: NDArray[np.float32], size: tuple[int, int], cell: int
) -> NDArray[np.float32]:
    """Describe a box as if it were of a filter's size, with the pixels around that HOG needs."""
    x0, y0, x1, y1 = box
    scale_x, scale_y = (x1 - x0) / (size[1] * cell), (y1 - y0) / (size[0] * cell)
    width, height = (size[1] + 2) * cell, (size[0] + 2) * cell
    # Of shrunk pictures the mean, so that no pixel is passed over.
    least = 1 / max(scale_x, scale_y, 1.0)
    small = cv2.resize(pixels, None, fx=least, fy=least, interpolation=cv2.INTER_AREA)
    fx, fy = small.shape[1] / pixels.shape[1], small.shape[0] / pixels.shape[0]
    mapping = np.array(
        [
            [scale_x * fx, 0, (x0 - cell * scale_x + scale_x / 2) * fx - 0.5],
            [0, scale_y * fy, (y0 - cell * scale_y + scale_y / 2) * fy - 0.5],
        ]
    )
    cut = cv2.warpAffine(
        small,
        mapping,
        (width, height),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return hog(cut.astype(np.uint8, copy=False), cell)


def _windows(
    shape: tuple[int, ...],
    boxes: Boxes,
    box: NDArray[np.float32],
    apart: float,
    rng: np.random.Generator,
) -> Boxes:
    """Draw windows of a box's shape, from half its size to twice, that overlap no box much."""
    sides = (box[2:] - box[:2]) * 2 ** rng.uniform(-1, 1, (TRIES, 1))
    places = rng.uniform(0, 1, (TRIES, 2)) * (np.array([shape[1], shape[0]]) - sides)
    inside = (places >= 0).all(axis=1)
    windows = clip_boxes(np.concatenate([places, places + sides], axis=1)[inside], shape)
    free: Boxes = windows[iou(windows, boxes).max(axis=1, initial=0) < apart]
    return free[:NEGATIVES_TO_A_BOX]
