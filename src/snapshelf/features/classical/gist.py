"""GIST: how strongly a picture's cells answer to Gabor filters, without torch or training.

Oliva, Torralba: Modeling the shape of the scene: a holistic representation of the spatial envelope,
2001; the numbers are those of the authors' published program: 4 scales of 8 orientations over
4 x 4 cells, 512 numbers.
"""

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

__all__ = ["CELLS", "LENGTH", "ORIENTATIONS", "gabor_filters", "gist", "prefilter"]

FloatArray = NDArray[np.float64]

ORIENTATIONS = (8, 8, 8, 8)
"""Of each scale, the finest first."""

CELLS = 4
"""On a side of the grid."""

LENGTH = sum(ORIENTATIONS) * CELLS * CELLS
"""Of a descriptor: 512."""

BORDER = 32
"""Pixels that a picture is continued by, mirrored, so that opposite sides do not meet."""

PREFILTER_BORDER = 5
CUTOFF = 4.0
"""Cycles of a picture that the local mean and contrast are taken up to."""


def gist(grey: FloatArray) -> FloatArray:
    """Describe a picture.

    With the picture whitened by `prefilter`, the answer to each filter is the magnitude of the
    complex, filtered picture; of it the mean over each cell is kept.

    Args:
        grey: (S, S) float64, [0, 255], S a multiple of 4 of at least 8.

    Returns:
        (512,) float64, at least 0: filter by filter, of each the cells row by row; zeros of a
        plain picture.

    Raises:
        ValueError: If the picture is of another shape.
    """
    side = grey.shape[0]
    if grey.ndim != 2 or grey.shape != (side, side) or side < 8 or side % CELLS:
        raise ValueError(
            f"grey must be (S, S) with S a multiple of {CELLS} from 8, got {grey.shape}"
        )
    border = min(BORDER, side)
    continued = np.pad(prefilter(grey), border, mode="symmetric")
    spectrum = np.fft.fft2(continued)
    answers = np.abs(np.fft.ifft2(spectrum * gabor_filters(side, border)))
    inner = answers[:, border : border + side, border : border + side]
    cell = side // CELLS
    cells = inner.reshape(len(inner), CELLS, cell, CELLS, cell).mean(axis=(2, 4))
    described: FloatArray = cells.ravel()
    return described


def prefilter(grey: FloatArray) -> FloatArray:
    """Take the slow changes of light out of a picture, and even its local contrast out.

    ``x = log(1 + grey)`` less ``x`` blurred, divided by 0.2 and the local deviation, where to blur
    is to multiply the spectrum by ``exp(-(f_x^2 + f_y^2) ln(2) / 4^2)``, f in cycles of the
    picture.

    Args:
        grey: (H, W) float64, [0, 255].

    Returns:
        (H, W) float64, around 0.
    """
    border = PREFILTER_BORDER
    image = np.pad(np.log1p(grey), border, mode="symmetric")
    rows, columns = (np.fft.fftfreq(length) * length for length in image.shape)
    scale = math.log(2) / CUTOFF**2
    blur = np.exp(-(rows[:, None] ** 2 + columns**2) * scale)
    even = image - np.fft.ifft2(np.fft.fft2(image) * blur).real
    deviation = np.sqrt(np.abs(np.fft.ifft2(np.fft.fft2(even**2) * blur)))
    filtered: FloatArray = (even / (0.2 + deviation))[border:-border, border:-border]
    return filtered


@lru_cache(maxsize=4)
def gabor_filters(side: int, border: int) -> FloatArray:
    """Give the filters' transfer functions.

    With ``r`` a frequency's distance from 0 in cycles per pixel and ``t`` its angle turned by that
    of the filter, into [-pi, pi], filter j of n at scale i is::

        exp(-10 * 0.35 * (r / (0.3 / 1.85^i) - 1)^2 - 2 pi * 16 n^2 / 32^2 * t^2)

    Args:
        side: Of the picture in pixels.
        border: It is continued by so many pixels.

    Returns:
        (32, side + 2 border, side + 2 border) float64, in [0, 1]; not to be written to.
    """
    length = side + 2 * border
    frequencies = np.fft.fftfreq(length)
    across, down = np.meshgrid(frequencies, frequencies)
    distance, angle = np.hypot(across, down), np.arctan2(down, across)
    filters = []
    for scale, count in enumerate(ORIENTATIONS):
        middle = 0.3 / 1.85**scale
        radial = 10 * 0.35 * (distance / middle - 1) ** 2
        narrowness = 2 * math.pi * 16 * count**2 / 32**2
        for number in range(count):
            turned = angle + math.pi / count * number
            turned = np.where(turned > math.pi, turned - 2 * math.pi, turned)
            filters.append(np.exp(-radial - narrowness * turned**2))
    made: FloatArray = np.stack(filters)
    made.setflags(write=False)
    return made
