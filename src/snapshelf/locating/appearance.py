"""What things look like, to tell whether two boxes hold the same one."""

from collections.abc import Sequence
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from snapshelf.locating.region import Box, whole_pixels
from snapshelf.media.picture import RGB

__all__ = ["Appearance", "ColourAppearance"]

_BINS = 6
_PIXELS = 2500
_MARGIN = 0.1
"""Of a box's sides, cut off at each: what lies there is background more often than not."""


class Appearance(Protocol):
    """Describes what is in boxes."""

    def describe(self, picture: RGB, boxes: Sequence[Box]) -> NDArray[np.float32]:
        """Describe the things in some boxes of a picture.

        Args:
            picture: (H, W, 3) uint8, RGB, [0, 255].
            boxes: N, in pixels; may reach beyond the picture.

        Returns:
            (N, D) float32, L2-normalised; the inner product of two tells how alike they are.
        """
        ...


class ColourAppearance:
    """Describes a box by the colours of its upper and of its lower half.

    Roots of histograms, so that their inner product is Bhattacharyya's coefficient, in [0, 1].
    """

    def describe(self, picture: RGB, boxes: Sequence[Box]) -> NDArray[np.float32]:
        """Describe the things in some boxes of a picture.

        Args:
            picture: (H, W, 3) uint8, RGB, [0, 255]; of a large box every n-th pixel is looked at.
            boxes: N, in pixels; may reach beyond the picture.

        Returns:
            (N, 432) float32, L2-normalised, not negative.
        """
        described = np.zeros((len(boxes), 2 * _BINS**3), np.float32)
        for row, box in zip(described, boxes, strict=True):
            row[:] = _colours(picture, box)
        return described


def _colours(picture: RGB, box: Box) -> NDArray[np.float32]:
    across, down = _MARGIN * (box[2] - box[0]), _MARGIN * (box[3] - box[1])
    inner = (box[0] + across, box[1] + down, box[2] - across, box[3] - down)
    left, top, right, bottom = whole_pixels(inner, (picture.shape[1], picture.shape[0]))
    step = max(1, int(((right - left) * (bottom - top) / _PIXELS) ** 0.5))
    crop = picture[top:bottom:step, left:right:step]
    middle = max(1, len(crop) // 2)
    halves = (crop[:middle], crop[middle:] if len(crop) > 1 else crop)
    counts = [
        cv2.calcHist([np.ascontiguousarray(half)], [0, 1, 2], None, [_BINS] * 3, [0, 256] * 3)
        for half in halves
    ]
    shares = np.concatenate([count.ravel() / (2 * count.sum()) for count in counts])
    roots: NDArray[np.float32] = np.sqrt(shares).astype(np.float32)
    return roots
