"""Keypoints where the determinant of the Hessian is largest in space and scale."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["Blobs", "blob_contrast", "hessian_blobs"]

EARLIER = np.array([[1, 1, 1], [1, 0, 0], [0, 0, 0]], np.uint8)
"""The neighbours in a level that come before a pixel, row by row."""

AROUND = np.ones((3, 3), np.uint8)


@dataclass(frozen=True, slots=True, eq=False)
class Blobs:
    """What the detector found, the strongest first.

    Attributes:
        x: (N,) float32, pixels to the right of the middle of the leftmost column.
        y: (N,) float32, pixels below the middle of the topmost row.
        scale: (N,) float32, pixels: the standard deviation of the Gaussian blob.
        contrast: (N,) float32: how much lighter or darker than its surroundings a Gaussian
            blob of that response is, with black to white as 1.
    """

    x: NDArray[np.float32]
    y: NDArray[np.float32]
    scale: NDArray[np.float32]
    contrast: NDArray[np.float32]


def blob_contrast(levels: NDArray[np.float32], scales: NDArray[np.float64]) -> NDArray[np.float32]:
    """Measure how much each place looks like a blob of each level's scale.

    The scale-normalised determinant of the Hessian (Lindeberg: Feature Detection with Automatic
    Scale Selection, IJCV 1998, section 5) is ``s^4 (Lxx Lyy - Lxy^2)``. In the middle of a
    Gaussian blob of contrast c and standard deviation b it is largest over scale at s = b,
    where it is ``c^2 / 16``; so ``4 s^2 sqrt(max(Lxx Lyy - Lxy^2, 0))`` is that contrast.
    Saddles, whose determinant is negative, count as 0.

    Args:
        levels: (L, H, W) float32, [0, 1], as `scale_space` gives them, H and W at least 3.
        scales: (L,) float64, pixels.

    Returns:
        (L, H, W) float32, not negative; 0 along the border, one pixel wide.
    """
    middle = levels[:, 1:-1, 1:-1]
    xx = levels[:, 1:-1, 2:] - 2 * middle + levels[:, 1:-1, :-2]
    yy = levels[:, 2:, 1:-1] - 2 * middle + levels[:, :-2, 1:-1]
    xy = levels[:, 2:, 2:] - levels[:, 2:, :-2] - levels[:, :-2, 2:] + levels[:, :-2, :-2]
    determinant = xx * yy - (xy / 4) ** 2
    result = np.zeros_like(levels)
    factor = (4 * scales**2).astype(np.float32)[:, None, None]
    result[:, 1:-1, 1:-1] = factor * np.sqrt(np.maximum(determinant, 0))
    return result


def hessian_blobs(
    levels: NDArray[np.float32],
    scales: NDArray[np.float64],
    *,
    min_contrast: float,
    most: int,
) -> Blobs:
    """Find the local maxima of `blob_contrast` over place and scale.

    A maximum is larger than its 26 neighbours in place and scale; of neighbours that are
    exactly equal the first one counts, by level, row and column. Each is then placed more
    finely by a parabola through it and its two neighbours, along x, y and the logarithm of
    scale. The first and the last level only serve as neighbours.

    Args:
        levels: (L, H, W) float32, [0, 1], as `scale_space` gives them.
        scales: (L,) float64, pixels, in equal ratios.
        min_contrast: Above 0, in [0, 1] units of grey: weaker maxima are left out.
        most: At least 1; of more maxima the strongest are kept.

    Returns:
        The blobs, the strongest first; none if there are fewer than 3 levels, rows or columns.
    """
    if min(levels.shape) < 3:
        nothing = np.empty(0, np.float32)
        return Blobs(nothing, nothing, nothing, nothing)
    contrast = blob_contrast(levels, scales)
    around = np.stack([cv2.dilate(level, AROUND) for level in contrast])
    earlier = np.stack([cv2.dilate(level, EARLIER) for level in contrast])
    later = np.stack([cv2.dilate(level, EARLIER[::-1, ::-1].copy()) for level in contrast])
    inner = contrast[1:-1]
    found = (inner >= min_contrast) & (inner > np.maximum(around[:-2], earlier[1:-1]))
    found &= inner >= np.maximum(around[2:], later[1:-1])
    level, row, column = np.nonzero(found)
    order = np.argsort(-inner[level, row, column], kind="stable")[:most]
    level, row, column = level[order] + 1, row[order], column[order]
    ratio = scales[1] / scales[0]
    along_scale = _peak(contrast, level, row, column, axis=0)
    return Blobs(
        x=(column + _peak(contrast, level, row, column, axis=2)).astype(np.float32),
        y=(row + _peak(contrast, level, row, column, axis=1)).astype(np.float32),
        scale=(scales[level] * ratio**along_scale).astype(np.float32),
        contrast=contrast[level, row, column],
    )


def _peak(
    values: NDArray[np.float32],
    level: NDArray[np.intp],
    row: NDArray[np.intp],
    column: NDArray[np.intp],
    *,
    axis: int,
) -> NDArray[np.float64]:
    """Give where the parabola through a maximum and its neighbours peaks, in [-0.5, 0.5]."""
    shift = np.eye(3, dtype=np.intp)[axis]
    before, after = (
        values[level + sign * shift[0], row + sign * shift[1], column + sign * shift[2]]
        for sign in (-1, 1)
    )
    middle = values[level, row, column].astype(np.float64)
    bend = 2 * middle - before - after
    # Equal on both sides, it has no peak but the middle.
    rise = after.astype(np.float64) - before
    peak: NDArray[np.float64] = np.zeros(len(bend))
    np.divide(rise, 2 * bend, out=peak, where=bend > 0)
    return peak
