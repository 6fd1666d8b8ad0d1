"""A box for a photo that has none, from the shop picture of the product that it shows.

Such boxes are for training only: nobody has drawn them, and some are wrong.
"""

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from snapshelf.datasets.product_saliency import best_box, product_saliency
from snapshelf.locating.boxes import as_boxes, clip_boxes
from snapshelf.locating.plain_item import plain_item
from snapshelf.locating.region import Box
from snapshelf.matching.local.keypoint_method import SIFT
from snapshelf.matching.local.settings import LocalSettings
from snapshelf.matching.local.verification import verify_matches
from snapshelf.media.picture import RGB

__all__ = ["WeakBox", "weak_box"]

SETTINGS = LocalSettings(query_most=1000, shop_most=1000)

UNIT = 512.0
"""Longer side of a picture as geometry sees it: estimators expect numbers the size of pixels."""

LEAST_INLIERS = 8
"""Fewer verified key points agree by chance: on photos of fruit up to 6 have been seen."""

LEAST_SHARE = 0.02
"""Of the photo's area that a box must cover."""

MOST_ASPECT = 5.0

GRID = 32
THRESHOLD = 0.2
"""A place less salient than this is better left out of the box."""

FLAT = 8
"""Levels, of 255: where all but the outermost hundredths of a photo differ by less, it is blank."""


@dataclass(frozen=True, slots=True)
class WeakBox:
    """Where a photo probably shows its product.

    Attributes:
        box: In pixels of the photo, within it.
        source: What told: verified key points, or saliency.
        strength: In [0, 1]: of key points ``n / (n + 8)`` for n verified ones, of saliency its mean
            in the box. The two are not to be compared.
    """

    box: Box
    source: Literal["key points", "saliency"]
    strength: float


def weak_box(photo: RGB, shop: RGB) -> WeakBox | None:
    """Guess where a photo shows the product of a shop picture.

    Where enough key points agree on a homography, the item's outline in the shop picture is
    projected into the photo. Elsewhere the box is that of the largest sum of saliency, which for a
    heap of fruit is the heap.

    Args:
        photo: (H, W, 3) uint8, RGB, [0, 255], from 1 x 1.
        shop: (h, w, 3) uint8, likewise; the item stands out where the border is plain.

    Returns:
        The box; None for a blank photo, or where what was found is too small or too narrow.

    Raises:
        ValueError: If a picture is empty, of another shape or not uint8.
    """
    item = plain_item(shop)
    return _by_keypoints(photo, shop, item) or _by_saliency(photo, shop, item)


def _by_keypoints(photo: RGB, shop: RGB, item: NDArray[np.bool_]) -> WeakBox | None:
    """Project the item's outline by the homography of the matched key points."""
    first = SIFT.find(
        shop, side=SETTINGS.shop_side, most=SETTINGS.shop_most, contrast=SETTINGS.contrast
    )
    second = SIFT.find(
        photo, side=SETTINGS.query_side, most=SETTINGS.query_most, contrast=SETTINGS.contrast
    )
    if not len(first) or not len(second):
        return None
    (matches,) = SIFT.match(first, [second], SETTINGS)
    own, other = UNIT / max(shop.shape[:2]), UNIT / max(photo.shape[:2])
    verified = verify_matches(
        (first.points[matches.query] * own).astype(np.float32),
        (second.points[matches.candidate] * other).astype(np.float32),
        model=SETTINGS.model,
        threshold=SETTINGS.threshold * UNIT,
    )
    inliers = int(verified.inliers.sum())
    if verified.mapping is None or inliers < LEAST_INLIERS:
        return None
    places = np.argwhere(item)[:, ::-1]
    # A pixel is a square: its far corner belongs to the item too.
    hull = cv2.convexHull(np.concatenate([places, places + 1]).astype(np.float32))[:, 0] * own
    projected = np.column_stack([hull, np.ones(len(hull))]) @ verified.mapping.T
    depth = projected[:, 2:]
    # Points on both sides of the horizon have no box.
    if not ((depth > 1e-9).all() or (depth < -1e-9).all()):
        return None
    corners = projected[:, :2] / depth / other
    box = _sound((*corners.min(axis=0), *corners.max(axis=0)), photo)
    return box and WeakBox(box, "key points", inliers / (inliers + LEAST_INLIERS))


def _by_saliency(photo: RGB, shop: RGB, item: NDArray[np.bool_]) -> WeakBox | None:
    """Find the box of the most saliency."""
    low, high = np.percentile(photo.reshape(-1, 3), (1, 99), axis=0)
    if (high - low).max() < FLAT:
        return None
    saliency = product_saliency(photo, shop, item)
    cells = np.asarray(cv2.resize(saliency, (GRID, GRID), interpolation=cv2.INTER_AREA), np.float32)
    (x0, y0, x1, y1), total = best_box(cells - np.float32(THRESHOLD))
    strength = total / ((x1 - x0) * (y1 - y0)) + THRESHOLD
    x, y = photo.shape[1] / GRID, photo.shape[0] / GRID
    box = _sound((x0 * x, y0 * y, x1 * x, y1 * y), photo)
    return box and WeakBox(box, "saliency", float(np.clip(strength, 0, 1)))


def _sound(box: tuple[float, ...], photo: RGB) -> Box | None:
    """Clip a box to a photo; None if what is left is too small or too narrow."""
    (x0, y0, x1, y1) = clip_boxes(as_boxes([box]), photo.shape)[0].tolist()
    width, height = x1 - x0, y1 - y0
    if width * height < LEAST_SHARE * photo.shape[0] * photo.shape[1]:
        return None
    if max(width, height) > MOST_ASPECT * min(width, height):
        return None
    return x0, y0, x1, y1
