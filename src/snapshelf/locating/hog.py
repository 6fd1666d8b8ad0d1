"""Histograms of oriented gradients as deformable part models use them.

Felzenszwalb, Girshick, McAllester, Ramanan: Object Detection with Discriminatively Trained
Part-Based Models, PAMI 2010, Section 6: each cell has 18 orientations with and 9 without regard to
sign, normalised by four blocks and truncated, and the gradient energy of each block. A 32nd value
tells cells that lie outside the picture.
"""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from snapshelf.media.picture import RGB

__all__ = ["FEATURES", "hog", "pad_cells"]

ORIENTATIONS = 9
SIGNED = 2 * ORIENTATIONS

FEATURES = 32
"""Values of a cell: 18 signed orientations, 9 unsigned ones, 4 energies, 1 outside the picture."""

LARGEST = 0.2
"""Normalised values above are cut off (the paper's alpha)."""

ENERGY_WEIGHT = 0.2357
"""Of the sum over signed orientations; 1 / sqrt(18), as the authors' code has it."""

TIE = 1e-4
"""Of an orientation's width: as near to the middle between two the first one counts."""

SMALLEST_ENERGY = 1e-4
"""Added to a block's energy; pixel values are in [0, 255]."""


def hog(picture: RGB, cell: int) -> NDArray[np.float32]:
    """Describe the cells of a picture.

    A pixel counts with the colour channel of its strongest gradient, towards the nearest of 18
    orientations and, linearly, the four nearest cells. The picture's outermost cells, which lack
    neighbours to be normalised by, are left out.

    Args:
        picture: (H, W, 3) uint8, RGB, [0, 255].
        cell: Side of a cell in pixels, at least 2.

    Returns:
        (R, C, 32) float32, ``R = max(round(H / cell) - 2, 0)`` and C likewise; row r covers the
        pixels from ``(r + 1) cell`` on. The last value of each cell is 0: it lies inside.

    Raises:
        ValueError: If `cell` is below 2, or the picture of another shape or type.
    """
    if cell < 2:
        raise ValueError(f"cell must be at least 2 pixels, got {cell}")
    if picture.ndim != 3 or picture.shape[2] != 3 or picture.dtype != np.uint8:
        raise ValueError(f"picture must be (H, W, 3) uint8, got {picture.shape} of {picture.dtype}")
    # Half is rounded up, as the authors' code does.
    rows, columns = ((side + cell // 2) // cell for side in picture.shape[:2])
    if min(rows, columns) <= 2 or min(picture.shape[:2]) < 3:
        return np.zeros((max(rows - 2, 0), max(columns - 2, 0), FEATURES), np.float32)
    return _normalise(_histograms(picture, cell, rows, columns))


def pad_cells(
    cells: NDArray[np.float32], size: tuple[int, int], before: int
) -> NDArray[np.float32]:
    """Surround cells with such as lie outside the picture.

    Args:
        cells: (R, C, 32) float32.
        size: (rows, columns) of the result; what is too much at the end is cut off.
        before: Rows and columns to put in front.

    Returns:
        (rows, columns, 32) float32; new cells are 0 but for their last value, which is 1.
    """
    padded = np.zeros((*size, FEATURES), np.float32)
    padded[..., -1] = 1
    kept = cells[: max(size[0] - before, 0), : max(size[1] - before, 0)]
    padded[before : before + kept.shape[0], before : before + kept.shape[1]] = kept
    return padded


def _histograms(picture: RGB, cell: int, rows: int, columns: int) -> NDArray[np.float32]:
    """Count gradients into cells: (rows, columns, 18) float32."""
    magnitude, orientation = _gradients(picture)
    # Pixels of the outermost cells that the picture lacks repeat its last gradient, and those
    # that no cell takes are left out; the first row and column have no gradient.
    down, across = (
        np.minimum(np.arange(1, count * cell - 1), length - 2) - 1
        for count, length in ((rows, picture.shape[0]), (columns, picture.shape[1]))
    )
    if len(down) != magnitude.shape[0] or len(across) != magnitude.shape[1]:
        magnitude = magnitude[down][:, across]
        orientation = orientation[down][:, across]
    (top, below), (left, right) = (_neighbours(count * cell, cell) for count in (rows, columns))
    # One more cell on each side takes what would fall outside.
    width = (columns + 2) * SIGNED
    place = (top * width)[:, None] + (left * SIGNED)[None] + orientation
    length = (rows + 2) * width
    total = np.zeros(length)
    vertical = ((magnitude * (1 - below)[:, None], 0), (magnitude * below[:, None], width))
    for weight, step in vertical:
        for share, aside in ((1 - right, 0), (right, SIGNED)):
            counted = np.bincount(place.ravel(), (weight * share).ravel(), length)
            moved = step + aside
            total[moved:] += counted[: length - moved]
    cells = total.reshape(rows + 2, columns + 2, SIGNED)[1:-1, 1:-1]
    return cells.astype(np.float32)


def _gradients(picture: RGB) -> tuple[NDArray[np.float32], NDArray[np.intp]]:
    """Give magnitude and orientation of each pixel's strongest gradient, the border left out.

    Of channels with equal gradients the first counts.
    """
    layers = [_layer_gradients(layer) for layer in cv2.split(picture)]
    strongest_x, strongest_y, best = layers[0]
    for x, y, square in layers[1:]:
        stronger = square > best
        np.copyto(best, square, where=stronger)
        np.copyto(strongest_x, x, where=stronger)
        np.copyto(strongest_y, y, where=stronger)
    turn = np.arctan2(strongest_y, strongest_x) * np.float32(ORIENTATIONS / np.pi) + SIGNED
    # Of the two orientations beside a vertical gradient the first counts, as in the authors' code.
    orientation = np.ceil(turn - np.float32(0.5 + TIE)).astype(np.intp) % SIGNED
    return np.sqrt(best), orientation


def _layer_gradients(
    layer: NDArray[Any],
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    values = layer.astype(np.float32)
    x = values[1:-1, 2:] - values[1:-1, :-2]
    y = values[2:, 1:-1] - values[:-2, 1:-1]
    return x, y, x * x + y * y


def _neighbours(length: int, cell: int) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """Give, of the pixels 1 to length - 2, the cell before each (from 1) and the later's share."""
    position = (np.arange(1, length - 1) + 0.5) / cell - 0.5
    first = np.floor(position)
    return first.astype(np.intp) + 1, (position - first).astype(np.float32)


def _normalise(cells: NDArray[np.float32]) -> NDArray[np.float32]:
    """Normalise by the four blocks that each cell lies in: (rows - 2, columns - 2, 32)."""
    unsigned = cells[..., :ORIENTATIONS] + cells[..., ORIENTATIONS:]
    energy = np.einsum("ijk,ijk->ij", unsigned, unsigned)
    blocks = energy[:-1, :-1] + energy[1:, :-1] + energy[:-1, 1:] + energy[1:, 1:]
    inverse = 1 / np.sqrt(blocks + SMALLEST_ENERGY)
    signed, unsigned = cells[1:-1, 1:-1], unsigned[1:-1, 1:-1]
    features = np.zeros((*signed.shape[:2], FEATURES), np.float32)
    by_block = (inverse[1:, 1:], inverse[:-1, 1:], inverse[1:, :-1], inverse[:-1, :-1])
    for number, factor in enumerate(by_block):
        cut = np.minimum(signed * factor[..., None], LARGEST)
        features[..., :SIGNED] += 0.5 * cut
        features[..., SIGNED : SIGNED + ORIENTATIONS] += 0.5 * np.minimum(
            unsigned * factor[..., None], LARGEST
        )
        features[..., SIGNED + ORIENTATIONS + number] = ENERGY_WEIGHT * cut.sum(axis=2)
    return features
