"""The dominant direction of the gradient around a keypoint."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["dominant_orientations"]

BINS = 36
WINDOW = 1.5
"""Standard deviation of the window that gradients are weighed by, over the keypoint's scale."""

REACH = 3.0
"""Half the window's side, in its standard deviations."""

SAMPLES = 15
"""Places each way at which the gradient is read."""


def dominant_orientations(
    levels: NDArray[np.float32],
    scales: NDArray[np.float64],
    x: NDArray[np.float32],
    y: NDArray[np.float32],
    scale: NDArray[np.float32],
) -> NDArray[np.float32]:
    """Find the direction that the gradients around each keypoint mostly point to.

    Lowe: Distinctive Image Features from Scale-Invariant Keypoints, IJCV 2004, section 5: a
    histogram of 36 directions, each gradient weighed by its strength and a Gaussian of 1.5
    scales; its largest bin, placed finely by a parabola. Unlike there, a keypoint gets one
    direction only, and gradients are read on a fixed grid over the window, at the nearest
    pixel of the level of the nearest scale.

    Args:
        levels: (L, H, W) float32, as `scale_space` gives them.
        scales: (L,) float64, pixels, in equal ratios.
        x: (N,) float32, pixels.
        y: (N,) float32, pixels.
        scale: (N,) float32, pixels, above 0.

    Returns:
        (N,) float32, degrees in [0, 360), clockwise from the x axis, since y points down; 0
        where there is no gradient.
    """
    padded = np.pad(levels, ((0, 0), (1, 1), (1, 1)), mode="edge")
    across = padded[:, 1:-1, 2:] - padded[:, 1:-1, :-2]
    down = padded[:, 2:, 1:-1] - padded[:, :-2, 1:-1]
    offset = np.linspace(-REACH * WINDOW, REACH * WINDOW, SAMPLES)
    below, right = (axis.ravel() for axis in np.meshgrid(offset, offset, indexing="ij"))
    window = np.exp(-(below**2 + right**2) / (2 * WINDOW**2))

    level = np.abs(np.log(scales)[None] - np.log(scale)[:, None]).argmin(axis=1)[:, None]
    row = np.rint(y[:, None] + below * scale[:, None]).astype(np.intp)
    column = np.rint(x[:, None] + right * scale[:, None]).astype(np.intp)
    height, width = levels.shape[1:]
    inside = (row >= 0) & (row < height) & (column >= 0) & (column < width)
    place = (level, np.clip(row, 0, height - 1), np.clip(column, 0, width - 1))
    gx, gy = across[place], down[place]
    weight = window * inside * np.hypot(gx, gy)
    histogram = _smooth(_histogram(np.arctan2(gy, gx) * (BINS / (2 * np.pi)), weight))

    top = histogram.argmax(axis=1)
    rows = np.arange(len(top))
    before, middle, after = (histogram[rows, (top + shift) % BINS] for shift in (-1, 0, 1))
    bend = 2 * middle - before - after
    peak = np.divide(after - before, 2 * bend, out=np.zeros(len(bend)), where=bend > 0)
    angle = ((top + peak) * (360 / BINS)) % 360
    # A hair below 0 comes out of the modulus as 360 itself once it is a float32.
    return np.where(histogram.any(axis=1), angle, 0).astype(np.float32) % np.float32(360)


def _histogram(turn: NDArray[np.float64], weight: NDArray[np.float64]) -> NDArray[np.float64]:
    """Count (N, P) directions in units of bins, whose middles are whole, between two bins each."""
    floor = np.floor(turn)
    share = turn - floor
    first = np.arange(len(turn))[:, None] * BINS
    lower = floor.astype(np.intp) % BINS
    total = np.zeros(len(turn) * BINS)
    for index, part in ((lower, 1 - share), ((lower + 1) % BINS, share)):
        total += np.bincount((first + index).ravel(), (weight * part).ravel(), minlength=len(total))
    return total.reshape(len(turn), BINS)


def _smooth(histogram: NDArray[np.float64]) -> NDArray[np.float64]:
    """Smooth circular histograms by ``(1, 4, 6, 4, 1) / 16``, as SIFT does in OpenCV."""
    shifted = {shift: np.roll(histogram, shift, axis=1) for shift in (-2, -1, 1, 2)}
    near, far = shifted[-1] + shifted[1], shifted[-2] + shifted[2]
    smooth: NDArray[np.float64] = (6 * histogram + 4 * near + far) / 16
    return smooth
