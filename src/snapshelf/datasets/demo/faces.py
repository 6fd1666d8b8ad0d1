"""Flat printed faces put in perspective onto a relief."""

import cv2
import numpy as np
from numpy.typing import NDArray

from snapshelf.datasets.demo.curves import Points
from snapshelf.datasets.demo.raster import Raster, resized, warped
from snapshelf.datasets.demo.relief import Relief

__all__ = ["face", "homography"]


def homography(source: Points, target: Points) -> NDArray[np.float64]:
    """The perspective that takes four points to four others; (3, 3) float64."""
    matrix = cv2.getPerspectiveTransform(source.astype(np.float32), target.astype(np.float32))
    return np.asarray(matrix, np.float64)


def face(
    relief: Relief, quad: Points, raster: Raster, *, light: float = 1.0, gloss: float = 0.12
) -> None:
    """Put a flat picture onto a relief in perspective.

    Args:
        relief: The item.
        quad: (4, 2) corners in design units: upper left, upper right, lower right, lower left.
        raster: (H, W, 3) float32, linear light.
        light: How much light the face's direction gets, [0, 1].
        gloss: In [0, 1].
    """
    window = relief.window(quad, 4)
    if window is None:
        return
    rows, columns = window
    corner = np.array([columns.start, rows.start], np.float32)
    corners = np.asarray(quad * np.float32(relief.unit) - corner, np.float32)
    span = np.maximum(np.ptp(corners, axis=0), 4)
    height, width = raster.shape[:2]
    if span[1] < height * 0.7 or span[0] < width * 0.7:
        raster = resized(raster, min(height, int(span[1]) + 1), min(width, int(span[0]) + 1))
        height, width = raster.shape[:2]
    source = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32) - 0.5
    padded = np.pad(raster, ((2, 2), (2, 2), (0, 0)), mode="edge")
    high, wide = rows.stop - rows.start, columns.stop - columns.start
    placed = warped(padded, homography(source + 2, corners), high, wide, wrap=False)
    mask = relief.fill(quad, window)
    relief.layer(mask, window, placed, gloss=gloss, cast=0.15, spread=0.8)
    relief.open[window] += (np.float32(light) - 1) * mask
