"""OpenCV's drawing and filtering on float32 arrays, with types and in design units' pixels."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = [
    "Plane",
    "Raster",
    "blurred",
    "filled",
    "inflated",
    "resized",
    "sampled",
    "slopes",
    "stroked",
    "warped",
]

Plane = NDArray[np.float32]
"""(H, W) float32."""

Raster = NDArray[np.float32]
"""(H, W, C) float32; colours are RGB, linear light, [0, 1]."""


_SHIFT = 4
_ONE = 1 << _SHIFT


def filled(points: NDArray[np.float32], height: int, width: int) -> Plane:
    """Fill a polygon (pixels) with antialiased edges; (height, width) float32 in [0, 1]."""
    mask = np.zeros((height, width), np.uint8)
    fixed = np.round((points - 0.5) * _ONE).astype(np.int32)
    cv2.fillPoly(mask, [fixed], (255,), cv2.LINE_AA, _SHIFT)
    return np.asarray(mask, np.float32) * np.float32(1 / 255)


def stroked(
    lines: Sequence[NDArray[np.float32]], thickness: float, height: int, width: int
) -> Plane:
    """Draw open lines (pixels) of a thickness in pixels; (height, width) float32 in [0, 1].

    A line thinner than a pixel is drawn one pixel thick and fainter.
    """
    mask = np.zeros((height, width), np.uint8)
    fixed = [np.round((points - 0.5) * _ONE).astype(np.int32) for points in lines]
    cv2.polylines(mask, fixed, False, (255,), max(1, round(thickness)), cv2.LINE_AA, _SHIFT)
    return np.asarray(mask, np.float32) * np.float32(min(1.0, thickness) / 255)


def blurred(array: NDArray[np.float32], sigma: float) -> NDArray[np.float32]:
    """Blur by a Gaussian; wide ones are done on a smaller copy, which looks the same."""
    if sigma < 0.3:
        return array
    height, width = array.shape[:2]
    shrink = int(min(sigma / 2.0, min(height, width) / 4))
    if shrink < 2:
        return np.asarray(cv2.GaussianBlur(array, (0, 0), sigma), np.float32)
    small = cv2.resize(
        array, (-(-width // shrink), -(-height // shrink)), interpolation=cv2.INTER_AREA
    )
    small = cv2.GaussianBlur(small, (0, 0), sigma / shrink, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(
        cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR), np.float32
    )


def resized(array: NDArray[np.float32], height: int, width: int) -> NDArray[np.float32]:
    """Resize, by area when shrinking and by cubic interpolation when growing."""
    shrinks = height < array.shape[0] or width < array.shape[1]
    how = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(array, (width, height), interpolation=how), np.float32)


def warped(
    array: NDArray[np.float32], matrix: NDArray[np.float64], height: int, width: int, *, wrap: bool
) -> NDArray[np.float32]:
    """Warp by a 3 x 3 homography (source to target pixels); outside is 0, or the source again."""
    border = cv2.BORDER_WRAP if wrap else cv2.BORDER_CONSTANT
    return np.asarray(
        cv2.warpPerspective(
            array, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=border
        ),
        np.float32,
    )


def sampled(array: NDArray[np.float32], x: Plane, y: Plane) -> NDArray[np.float32]:
    """Look up an array at (x, y) pixels, bilinearly; outside it repeats, mirrored."""
    return np.asarray(
        cv2.remap(array, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT), np.float32
    )


def inflated(mask: Plane, rim: float) -> Plane:
    """Rise from 0 at a mask's edge to 1 at `rim` pixels within it, round like a cushion."""
    inside = (mask > 0.5).astype(np.uint8)
    inside = np.pad(inside, 1)
    depth = np.asarray(cv2.distanceTransform(inside, cv2.DIST_L2, 5), np.float32)[1:-1, 1:-1]
    t = 1.0 - np.minimum(depth / np.float32(max(rim, 1.0)), 1.0)
    return np.asarray(np.sqrt(1.0 - t * t), np.float32)


def slopes(height: Plane) -> tuple[Plane, Plane]:
    """Give the slopes (d height / dx, d height / dy) of a relief, both dimensionless."""
    dx = cv2.Sobel(height, cv2.CV_32F, 1, 0, ksize=3, scale=0.125)
    dy = cv2.Sobel(height, cv2.CV_32F, 0, 1, ksize=3, scale=0.125)
    return np.asarray(dx, np.float32), np.asarray(dy, np.float32)
