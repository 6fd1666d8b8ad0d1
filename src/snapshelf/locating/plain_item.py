"""The item of a shop picture: what differs from its plain border."""

import cv2
import numpy as np
from numpy.typing import NDArray

from snapshelf.locating.plain_border import NEAR, has_plain_border
from snapshelf.media.picture import RGB

__all__ = ["plain_item"]

SPECK = 0.01
"""Of the largest part's pixels: a smaller part is a speck."""


def plain_item(picture: RGB) -> NDArray[np.bool_]:
    """Cut an item from the plain background of its shop picture.

    Parts that differ from the border's colour are filled, so that white inside an item stays.

    Args:
        picture: (H, W, 3) uint8, RGB, [0, 255].

    Returns:
        (H, W) bool, true on the item; everywhere where the border is not plain or nothing differs.

    Raises:
        ValueError: If the picture is empty, of another shape or not uint8.
    """
    whole = np.ones(picture.shape[:2], np.bool_)
    if not has_plain_border(picture):
        return whole
    sides = (picture[0], picture[-1], picture[:, 0], picture[:, -1])
    border = np.median(np.concatenate(sides).astype(np.int16), axis=0)
    differs = (np.abs(picture.astype(np.int16) - border).max(axis=2) > NEAR).astype(np.uint8)
    outlines, _ = cv2.findContours(differs, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    areas = [cv2.contourArea(outline) for outline in outlines]
    if not areas or max(areas) == 0:
        return whole
    kept = [
        outline for outline, area in zip(outlines, areas, strict=True) if area >= SPECK * max(areas)
    ]
    item = np.zeros(picture.shape[:2], np.uint8)
    cv2.drawContours(item, kept, -1, 1, cv2.FILLED)
    found: NDArray[np.bool_] = item > 0
    return found
