"""The Gaussian scale space of a picture: the same picture, blurred more and more."""

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["CAMERA_BLUR", "scale_space", "scales_between"]

CAMERA_BLUR = 0.5
"""Standard deviation, in pixels, of the blur that a picture already has (Lowe, IJCV 2004)."""


def scales_between(first: float, last: float, per_octave: int) -> NDArray[np.float64]:
    """Give scales from `first` to at least `last`, in equal ratios.

    Args:
        first: Pixels, above 0.
        last: Pixels, at least `first`.
        per_octave: How many scales double it, at least 1.

    Returns:
        (L,) float64, L >= 1, rising.
    """
    steps = int(np.ceil(round(per_octave * np.log2(last / first), 9)))
    scales: NDArray[np.float64] = first * 2.0 ** (np.arange(steps + 1) / per_octave)
    return scales


def scale_space(luma: NDArray[np.uint8], scales: NDArray[np.float64]) -> NDArray[np.float32]:
    """Blur a picture to each scale; every level is made from the one before.

    All levels keep the picture's size, so that places mean the same in each.

    Args:
        luma: (H, W) uint8, [0, 255].
        scales: (L,) float64, rising, at least `CAMERA_BLUR`: the standard deviation of each
            level's whole blur in pixels.

    Returns:
        (L, H, W) float32, [0, 1].
    """
    levels = np.empty((len(scales), *luma.shape), np.float32)
    levels[:] = luma / np.float32(255)
    blur = CAMERA_BLUR
    for number, scale in enumerate(scales.tolist()):
        added = (scale**2 - blur**2) ** 0.5
        if added > 0:
            cv2.GaussianBlur(levels[max(number - 1, 0)], (0, 0), added, levels[number])
        blur = scale
    return levels
