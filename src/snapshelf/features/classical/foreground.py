"""Which pixels belong to the item: near the middle, and unlike the picture's border."""

import cv2
import numpy as np
from numpy.typing import NDArray

from snapshelf.features.classical.histogram import soft_histogram

__all__ = ["foreground"]

BINS = (8, 8, 8)
CHROMA_RANGE = 64.0
BORDER = 1 / 12
SPREAD = 0.45
CONTRAST = 4.0
BLUR = 1 / 96
DOUBT = 1e-4


def foreground(lab: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Weigh each pixel by how likely it shows the item.

    A colour's likelihood is ``c / (c + b)``, where b is its frequency in a ring along the
    border and c its frequency near the middle. Raised to a power it pushes down the white of a
    studio shot as well as the table of a street photo; a Gaussian about the middle does the
    rest. A picture of one colour is weighed by the Gaussian alone.

    Args:
        lab: (B, S, S, 3) uint8, CIE L*a*b* as OpenCV scales it: [0, 255], a and b about 128.

    Returns:
        (B, S, S) float32 in (0, 1].
    """
    pictures, side = lab.shape[:2]
    offsets = (np.arange(side, dtype=np.float32) + 0.5) / side * 2 - 1
    squares = offsets**2
    centre = np.exp(-(squares[:, None] + squares[None]) / (2 * SPREAD**2)).astype(np.float32)
    width = max(1, round(side * BORDER))
    ring = np.ones((side, side), np.float32)
    ring[width:-width, width:-width] = 0

    coordinates = _coordinates(lab)
    # Every second pixel each way is plenty to tell how frequent a colour is.
    sample = [axis[:, ::2, ::2].reshape(pictures, -1) for axis in coordinates]
    frequency = [
        soft_histogram(sample, BINS, np.broadcast_to(part, sample[0].shape))[:, 0] / part.sum()
        for part in (centre[::2, ::2].ravel(), ring[::2, ::2].ravel())
    ]
    likelihood = (frequency[0] + DOUBT) / (frequency[0] + frequency[1] + 2 * DOUBT)

    nearest = [
        np.clip(axis.astype(np.intp), 0, count - 1)
        for axis, count in zip(coordinates, BINS, strict=True)
    ]
    colour = np.ravel_multi_index(tuple(nearest), BINS).reshape(pictures, -1)
    weights = np.take_along_axis(likelihood**CONTRAST, colour, axis=1)
    smooth = [
        cv2.GaussianBlur(picture, (0, 0), max(0.5, side * BLUR))
        for picture in weights.reshape(pictures, side, side)
    ]
    result: NDArray[np.float32] = np.stack(smooth) * centre
    return result


def _coordinates(lab: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
    """Give each pixel's lightness and chromas, (B, S, S) each, in units of bins."""
    values = lab.astype(np.float32)
    return [
        values[..., 0] * (BINS[0] / 256),
        *(
            (values[..., axis] - (128 - CHROMA_RANGE)) * (BINS[axis] / (2 * CHROMA_RANGE))
            for axis in (1, 2)
        ),
    ]
