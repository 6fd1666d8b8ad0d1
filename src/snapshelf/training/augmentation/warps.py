"""Perspective and thin-plate warps, in one resampling from source to output.

The map is made backwards: an output pixel goes through the inverse homography into the unit
square of the source, is shifted there by a thin-plate spline, and lands on the source. So a
picture, its matte and every bend of it are sampled once.
"""

from functools import cache
from math import dist
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from snapshelf.training.augmentation.layers import Layer, Placed

__all__ = ["CONTROLS", "corners_of", "resample", "thin_plate"]

Points = NDArray[np.float64]

CONTROLS: Final = 3
"""The thin-plate spline has this many control points along each side of the unit square."""

CELLS = 12
"""The map is worked out at so many nodes along a side, and interpolated between them."""

FARTHEST_STEP = 1.5
"""Source pixels between two bilinear samples: up to here each pixel has its share."""

REACH = 0.25
"""How far outside the source's unit square the spline is followed."""


def resample(
    layer: Layer,
    corners: Points,
    size: tuple[int, int],
    *,
    bend: Points | None = None,
    border: int = cv2.BORDER_CONSTANT,
    value: int = 0,
    whole: bool = False,
) -> Placed:
    """Put a layer onto an output picture.

    An output pixel is the mean of up to 2 x 2 bilinear samples, spread so that each source
    pixel under it has its share; a source more than three times too large is first averaged
    down in whole steps of two, so nothing is aliased however small the layer becomes.

    Args:
        layer: (h, w, C) uint8, C is 1, 3 or 4 (the fastest).
        corners: (4, 2) float64, x and y in output pixels of the layer's corners: top left, top
            right, bottom right, bottom left. Pixel (0, 0) spans from 0 to 1.
        size: (H, W) of the output picture.
        bend: (3, 3, 2) float64: the shift in x and y of the control points, row by row, in
            units of the layer's sides; None for a plain homography.
        border: An OpenCV border mode: what is sampled outside the layer.
        value: Of a constant border.
        whole: Give all of the output, whatever lies outside the layer included.

    Returns:
        The part of the output that the corners and the bend can touch, and where it lies.
    """
    margin = 0.0 if bend is None else float(np.abs(bend).max()) * 1.25
    outline = corners if not margin else _project(_homography(corners, True), _square(margin))
    limits = (size[1], size[0])
    low = np.clip(np.floor(outline.min(axis=0)), 0, limits).astype(int) * (not whole)
    high = np.clip(np.ceil(outline.max(axis=0)), limits if whole else 0, limits).astype(int)
    width, height = (int(side) for side in high - low)
    if width <= 0 or height <= 0:
        return Placed(np.zeros((0, 0, layer.shape[2]), np.uint8), 0, 0)

    shrinking = _shrinking(layer, corners)
    reduced, factors = _reduced(layer, shrinking)
    samples = [
        2 if ratio / factor > FARTHEST_STEP * 0.8 else 1
        for ratio, factor in zip(shrinking, factors, strict=True)
    ]
    across, down = (_nodes(side, k) for side, k in zip((width, height), samples, strict=True))
    nodes = np.empty((len(down[0]), len(across[0]), 2))
    nodes[..., 0] = across[0] + low[0]
    nodes[..., 1] = down[0][:, None] + low[1]
    positions = _project(_homography(corners, False), nodes.reshape(-1, 2))
    if bend is not None:
        positions = positions + thin_plate(bend, np.clip(positions, -REACH, 1 + REACH))
    positions *= (layer.shape[1] / factors[0], layer.shape[0] / factors[1])
    positions -= 0.5
    grid = positions.reshape(nodes.shape).astype(np.float32)
    full = cv2.resize(
        grid,
        (len(across[0]) * across[1], len(down[0]) * down[1]),
        interpolation=cv2.INTER_LINEAR,
    )
    # The first and the last node only serve to interpolate towards.
    where = np.asarray(full)[down[1] :, across[1] :][: height * samples[1], : width * samples[0]]
    filled = cv2.remap(  # type: ignore[call-overload]
        reduced, where, None, cv2.INTER_LINEAR, borderMode=border, borderValue=(value,) * 4
    )
    if samples != [1, 1]:
        filled = cv2.resize(filled, (width, height), interpolation=cv2.INTER_AREA)
    return Placed(filled.reshape(height, width, -1), int(low[1]), int(low[0]))


def corners_of(
    centre: tuple[float, float], sides: tuple[float, float], degrees: float = 0.0
) -> Points:
    """Give the corners of a turned rectangle.

    Args:
        centre: x and y in output pixels.
        sides: Its width and height in output pixels; below 1 they are taken as 1.
        degrees: Clockwise.

    Returns:
        (4, 2) float64: top left, top right, bottom right, bottom left.
    """
    angle = np.deg2rad(degrees)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    half = np.maximum(sides, 1.0) / 2
    result: Points = (np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * half) @ turn + centre
    return result


def thin_plate(bend: Points, positions: Points) -> Points:
    """Give the shift that a thin-plate spline through the control points has elsewhere.

    ``f(p) = a + A p + sum_i w_i U(|p - c_i|)`` with ``U(r) = r^2 log r^2``, the least bent
    function that takes the given values at the control points (Bookstein, 1989).

    Args:
        bend: (3, 3, 2) float64, the shifts at the control points, row by row.
        positions: (N, 2) float64, x and y, the unit square being the source.

    Returns:
        (N, 2) float64.
    """
    system, points = _spline()
    targets = np.concatenate([bend.reshape(-1, 2), np.zeros((3, 2))])
    result: Points = _basis(positions, points) @ (system @ targets)
    return result


@cache
def _spline() -> tuple[Points, Points]:
    """Give the inverse of the spline's linear system, and its control points."""
    along = np.linspace(0, 1, CONTROLS)
    points = np.stack(np.meshgrid(along, along), axis=-1).reshape(-1, 2)
    count = len(points)
    system = np.zeros((count + 3, count + 3))
    system[:count] = _basis(points, points)
    system[count:, :count] = system[:count, count:].T
    return np.asarray(np.linalg.inv(system), np.float64), points


def _basis(positions: Points, points: Points) -> Points:
    squares = ((positions[:, None] - points[None]) ** 2).sum(axis=2)
    radial = squares * np.log(np.maximum(squares, 1e-300))
    return np.concatenate([radial, np.ones((len(positions), 1)), positions], axis=1)


def _square(margin: float) -> Points:
    return np.array([[0, 0], [1, 0], [1, 1], [0, 1]]) * (1 + 2 * margin) - margin


def _homography(corners: Points, to_output: bool) -> Points:
    """Give the homography between the unit square and the corners.

    Its divisor is positive on the near side of the horizon, where the layer is.
    """
    unit = _square(0.0).astype(np.float32)
    if to_output:
        return np.asarray(cv2.getPerspectiveTransform(unit, corners.astype(np.float32)), np.float64)
    # OpenCV makes the divisor 1 at the origin, which may lie beyond the horizon or on it; the
    # middle of the layer never does.
    middle = corners.mean(axis=0)
    back = cv2.getPerspectiveTransform((corners - middle).astype(np.float32), unit)
    move = np.array([[1, 0, -middle[0]], [0, 1, -middle[1]], [0, 0, 1]])
    return np.asarray(back @ move, np.float64)


def _project(homography: Points, points: Points) -> Points:
    projected = points @ homography[:, :2].T + homography[:, 2]
    # Beyond the horizon there is nothing to sample; a small divisor sends it outside, but not so
    # far that OpenCV would reflect it back thousands of times.
    return projected[:, :2] / np.maximum(projected[:, 2:], 1 / 16)


def _shrinking(layer: Layer, corners: Points) -> tuple[float, float]:
    """Give how many source pixels fall on one output pixel, along x and y."""
    one, two, three, four = (tuple(corner) for corner in corners.tolist())
    across = min(dist(one, two), dist(four, three))
    down = min(dist(one, four), dist(two, three))
    return layer.shape[1] / max(across, 0.5), layer.shape[0] / max(down, 0.5)


def _reduced(layer: Layer, shrinking: tuple[float, float]) -> tuple[Layer, tuple[int, int]]:
    """Average pairs of columns and rows while the layer is too large for 2 x 2 samples."""
    factors = [1, 1]
    for axis, ratio in enumerate(shrinking):
        while ratio / factors[axis] > 2 * FARTHEST_STEP:
            factors[axis] *= 2
    steps = [factor.bit_length() - 1 for factor in factors]
    for step in range(max(steps)):
        # Both sides at once is what OpenCV is fast at. A last odd column or row is doubled, so
        # that the others stay pairs.
        wide, high = step < steps[0], step < steps[1]
        height, width = layer.shape[:2]
        if (wide and width % 2) or (high and height % 2):
            bottom, right = height % 2 * high, width % 2 * wide
            wider = cv2.copyMakeBorder(layer, 0, bottom, 0, right, cv2.BORDER_REPLICATE)
            layer = np.asarray(wider, np.uint8)
            height, width = layer.shape[:2]
        halved = (width // (1 + wide), height // (1 + high))
        layer = np.asarray(cv2.resize(layer, halved, interpolation=cv2.INTER_AREA), np.uint8)
    return layer, (factors[0], factors[1])


def _nodes(side: int, samples: int) -> tuple[Points, int]:
    """Give node positions along a side, in output pixels, and the samples from one to the next.

    Nodes lie in the middle of cells, one cell beyond each end, as `cv2.resize` expects it.
    """
    step = max(1, -(-side * samples // CELLS))
    count = -(-side * samples // step) + 2
    return (np.arange(count) - 0.5) * step / samples, step
