"""Where one shot of a clip ends and the next begins: where the colours change at once."""

import cv2
import numpy as np
from numpy.typing import NDArray

from snapshelf.media.picture import RGB

__all__ = ["CUT", "ShotCuts", "colour_distance", "colour_layout"]

CUT = 0.35
"""A larger `colour_distance` between two frames is a cut; see docs/video.md for its measure."""

_PIXELS = 20_000
_BINS = 8
_CELLS = 2


def colour_layout(picture: RGB) -> NDArray[np.float32]:
    """Count the colours in each quarter of a picture.

    Args:
        picture: (H, W, 3) uint8, RGB, [0, 255]; of a large one every n-th pixel is looked at.

    Returns:
        (4, 512) float32, each row a histogram of 8 x 8 x 8 bins that adds up to 1, or is 0 where
        the quarter has no pixel.
    """
    height, width = picture.shape[:2]
    step = max(1, int((height * width / _PIXELS) ** 0.5))
    few = picture[::step, ::step]
    rows = []
    for half in np.array_split(few, _CELLS, axis=0):
        for cell in np.array_split(half, _CELLS, axis=1):
            counts = cv2.calcHist(
                [np.ascontiguousarray(cell)], [0, 1, 2], None, [_BINS] * 3, [0, 256] * 3
            )
            rows.append(counts.ravel() / max(1, cell.shape[0] * cell.shape[1]))
    return np.stack(rows).astype(np.float32)


def colour_distance(layout: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """Give how much of two pictures' colours is not common, quarter by quarter.

    One minus the histograms' intersection (Swain, Ballard: Color Indexing, IJCV 1991, Eq. 1).

    Args:
        layout: As `colour_layout` gives it.
        other: Likewise.

    Returns:
        In [0, 1], 0 for the same colours in each quarter.
    """
    return float(1 - np.minimum(layout, other).sum(axis=1).mean())


class ShotCuts:
    """Tells for each frame of a clip whether a shot begins with it.

    Args:
        threshold: In (0, 1]: of `colour_distance` to the frame before.

    Raises:
        ValueError: If `threshold` is out of range.
    """

    def __init__(self, threshold: float = CUT) -> None:
        if not 0 < threshold <= 1:
            raise ValueError(f"threshold must be in (0, 1], got {threshold}")
        self._threshold = threshold
        self._layout: NDArray[np.float32] | None = None
        self._shape: tuple[int, ...] = ()

    def begins(self, picture: RGB) -> bool:
        """Tell whether a shot begins.

        Args:
            picture: (H, W, 3) uint8, RGB, [0, 255]; each frame's, in order.

        Returns:
            True for the first frame, where the size changes and at a cut.
        """
        before, shape = self._layout, self._shape
        self._layout, self._shape = colour_layout(picture), picture.shape
        if before is None or shape != picture.shape:
            return True
        return colour_distance(before, self._layout) > self._threshold
