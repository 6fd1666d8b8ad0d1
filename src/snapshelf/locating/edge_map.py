"""Edges of a picture: how strong each pixel's is, and which way it faces.

EdgeBoxes was published on the edges of a structured forest, a trained model that has to be fetched.
What it needs of them is that they are thin, and strong at the outlines of things. Here they are the
gradients of colour of a smoothed picture, of all channels at once, which need no model.

Di Zenzo: A Note on the Gradient of a Multi-Image, 1986; Canny: A Computational Approach to Edge
Detection, PAMI 1986, for the thinning.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from snapshelf.media.picture import RGB

__all__ = ["EdgeMap", "colour_edges", "thin"]

CONSERVATIVE = 1.01
"""An edge stays if it is nearly as strong as its neighbours, as EdgeBoxes' authors have it."""

REACH = (-2.0, -1.0, 1.0, 2.0)
"""Pixels across an edge that must not be stronger."""


@dataclass(frozen=True, slots=True, eq=False)
class EdgeMap:
    """The edges of a picture.

    Attributes:
        strength: (H, W) float32, [0, 1]; 0 but on thin lines.
        orientation: (H, W) float32, [0, pi): the direction across the edge, from the x axis
            towards y, which points down.
    """

    strength: NDArray[np.float32]
    orientation: NDArray[np.float32]


def colour_edges(picture: RGB, *, sigma: float, contrast: float) -> EdgeMap:
    """Find thin edges where the colour changes.

    The strength of a pixel is ``m / (m + contrast)``, m the root of the largest eigenvalue of the
    structure tensor, summed over the channels of Lab: the change of colour along the direction in
    which it changes most. Opposite changes in different channels do not cancel out.

    Args:
        picture: (H, W, 3) uint8, RGB, [0, 255], H and W at least 1.
        sigma: Pixels, positive: how much the picture is smoothed.
        contrast: In units of Lab a pixel (a step from black to white is 100 over some pixels),
            positive: the m of a strength of 0.5.

    Returns:
        (H, W) maps.
    """
    lab = cv2.cvtColor(picture.astype(np.float32) / 255, cv2.COLOR_RGB2Lab)
    smooth = cv2.GaussianBlur(lab, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE)
    x, y = (
        cv2.Scharr(smooth, cv2.CV_32F, *axis, scale=1 / 32, borderType=cv2.BORDER_REPLICATE)
        for axis in ((1, 0), (0, 1))
    )
    xx, xy, yy = ((one * other).sum(axis=2) for one, other in ((x, x), (x, y), (y, y)))
    largest = (xx + yy) / 2 + np.sqrt(((xx - yy) / 2) ** 2 + xy**2)
    change = np.sqrt(np.maximum(largest, 0))
    orientation = np.mod(0.5 * np.arctan2(2 * xy, xx - yy), np.pi)
    # The remainder of a tiny negative number is rounded to pi itself.
    orientation = np.where(orientation < np.pi, orientation, 0).astype(np.float32)
    strength = (change / (change + contrast)).astype(np.float32)
    return EdgeMap(thin(strength, orientation), orientation)


def thin(strength: NDArray[np.float32], orientation: NDArray[np.float32]) -> NDArray[np.float32]:
    """Keep what is strongest across the edge.

    Args:
        strength: (H, W) float32, [0, 1].
        orientation: (H, W) float32: the direction across.

    Returns:
        (H, W) float32: the strength, or 0 where a pixel across the edge, not farther than two
        pixels and interpolated linearly, is clearly stronger.
    """
    rows, columns = np.indices(strength.shape, np.float32)
    across, down = np.cos(orientation), np.sin(orientation)
    kept = np.ones(strength.shape, np.bool_)
    for distance in REACH:
        other = cv2.remap(
            strength,
            columns + np.float32(distance) * across,
            rows + np.float32(distance) * down,
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
        kept &= strength * CONSERVATIVE >= other
    return np.where(kept, strength, 0).astype(np.float32)
