"""Smooth random fields, which repeat at their edges so that they can be tiled."""

import numpy as np

from snapshelf.datasets.demo.raster import Plane, resized

__all__ = ["clouds", "ripples"]


def ripples(rng: np.random.Generator, height: int, width: int, rows: int, columns: int) -> Plane:
    """Random values on a grid of rows x columns, smoothly joined.

    Args:
        rng: Source of the values.
        height: Of the result, pixels.
        width: Of the result, pixels.
        rows: More rows make finer detail from top to bottom.
        columns: More columns make finer detail from left to right.

    Returns:
        (height, width) float32, mean about 0, standard deviation about 0.5; it can be tiled.
    """
    rows, columns = min(rows, height), min(columns, width)
    grid = np.pad(rng.standard_normal((rows, columns), np.float32), 2, mode="wrap")
    up, across = -(-height // rows), -(-width // columns)
    large = resized(grid, grid.shape[0] * up, grid.shape[1] * across)
    large = large[2 * up : (2 + rows) * up, 2 * across : (2 + columns) * across]
    return large if large.shape == (height, width) else resized(large, height, width)


def clouds(
    rng: np.random.Generator, height: int, width: int, cells: int, *, octaves: int = 4
) -> Plane:
    """Add up ripples of ever finer grids at ever smaller amplitudes.

    Args:
        rng: Source of the values.
        height: Of the result, pixels.
        width: Of the result, pixels.
        cells: Rows and columns of the coarsest grid.
        octaves: Number of grids, each twice as fine as the one before.

    Returns:
        (height, width) float32, about [-2, 2], mean about 0; it can be tiled.
    """
    total = np.zeros((height, width), np.float32)
    for octave in range(octaves):
        finer = cells * 2**octave
        total += ripples(rng, height, width, finer, finer) * np.float32(0.55**octave)
    return total
