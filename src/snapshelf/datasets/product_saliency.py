"""Where a photo shows a known product, by colour and place, and the box that holds the most of it.

The box is the best of all on a coarse grid, as the branch and bound of Lampert, Blaschko, Hofmann:
Beyond Sliding Windows, CVPR 2008, would find it: that of the largest sum of saliency less a
constant.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from snapshelf.features.classical.foreground import foreground
from snapshelf.locating.region import Box
from snapshelf.media.picture import RGB

__all__ = ["best_box", "product_saliency"]

SIDE = 128
BINS = (8, 16, 16)
BLUR = (3.0, 1.5, 1.5)
"""In bins of lightness and of the two chromas: lamps change colours, and lightness most."""

BROAD = 0.3
"""How much of the background's colours is any colour."""

COLOUR = 0.3
"""How much the product's colours count; the rest is what stands out from the photo's border."""


def product_saliency(photo: RGB, shop: RGB, item: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Weigh the places of a photo by how likely they show the product of a shop picture.

    ``0.3 c / (c + b) + 0.7 sqrt(f / max f)``: c is how frequent the place's colour is in the item
    of the shop picture, b in the whole photo, three tenths of it any colour, and f `foreground`.

    Args:
        photo: (H, W, 3) uint8, RGB, [0, 255].
        shop: (h, w, 3) uint8, likewise.
        item: (h, w) bool, the item's pixels in the shop picture, one at least.

    Returns:
        (128, 128) float32 in [0, 1], the photo stretched to a square.
    """
    square = np.asarray(cv2.resize(photo, (SIDE, SIDE), interpolation=cv2.INTER_AREA), np.uint8)
    lab = np.asarray(cv2.cvtColor(square, cv2.COLOR_RGB2LAB), np.uint8)
    shop_lab = np.asarray(cv2.cvtColor(shop, cv2.COLOR_RGB2LAB), np.uint8)
    places = _bins(lab)
    own = _frequencies(_bins(shop_lab[item][None]))
    other = (1 - BROAD) * _frequencies(places) + BROAD / np.prod(BINS)
    ratio = (own / (own + other))[places]
    stands_out = foreground(lab[None])[0]
    saliency: NDArray[np.float32] = (
        COLOUR * ratio + (1 - COLOUR) * np.sqrt(stands_out / stands_out.max())
    ).astype(np.float32)
    return saliency


def best_box(weights: NDArray[np.float32]) -> tuple[Box, float]:
    """Find the box whose weights have the largest sum, of all.

    Args:
        weights: (N, M) float32, N and M at most about 32: time and memory grow with their squares.

    Returns:
        The box ``(x0, y0, x1, y1)`` in cells, and its sum; of equal ones the first by rows.

    Example:
        >>> best_box(np.float32([[-1, -1, -1], [-1, 2, 3]]))
        ((1.0, 1.0, 3.0, 2.0), 5.0)
    """
    height, width = weights.shape
    table = np.zeros((height + 1, width + 1))
    table[1:, 1:] = weights.cumsum(axis=0, dtype=np.float64).cumsum(axis=1)
    top, bottom = np.triu_indices(height + 1, 1)
    left, right = np.triu_indices(width + 1, 1)
    bands = table[bottom] - table[top]
    sums = bands[:, right] - bands[:, left]
    row, column = np.unravel_index(int(sums.argmax()), sums.shape)
    corners = (left[column], top[row], right[column], bottom[row])
    x0, y0, x1, y1 = (float(corner) for corner in corners)
    return (x0, y0, x1, y1), float(sums[row, column])


def _bins(lab: NDArray[np.uint8]) -> tuple[NDArray[np.intp], ...]:
    """Give the bin of each pixel's lightness and chromas; those stronger than 64 are at the end."""
    values = lab.astype(np.intp)
    return (
        values[..., 0] * BINS[0] // 256,
        np.clip((values[..., 1] - 64) * BINS[1] // 128, 0, BINS[1] - 1),
        np.clip((values[..., 2] - 64) * BINS[2] // 128, 0, BINS[2] - 1),
    )


def _frequencies(places: tuple[NDArray[np.intp], ...]) -> NDArray[np.float64]:
    """Count colours and smooth the counts, to a sum of 1; none is 0."""
    counts = np.zeros(BINS)
    np.add.at(counts, places, 1)
    for axis, (count, blur) in enumerate(zip(BINS, BLUR, strict=True)):
        away = np.arange(count)[:, None] - np.arange(count)
        kernel = np.exp(-0.5 * (away / blur) ** 2)
        kernel /= kernel.sum(axis=0)
        counts = np.moveaxis(np.tensordot(kernel, counts, (1, axis)), 0, axis)
    smooth: NDArray[np.float64] = counts / counts.sum()
    return smooth
