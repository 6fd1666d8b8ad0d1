"""Whether two pictures have the same colours where their key points say that they show the same.

Varieties of a product often share a print and differ in colour, which key points do not see. Once a
mapping of one picture onto the other is verified, their colours can be laid upon each other.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from snapshelf.media.picture import RGB

__all__ = ["chroma_of", "colour_agreement"]

MARGIN = 5
"""Pixels of the candidate around its verified points that are compared too."""

LEAST = 20
"""Of fewer pixels that both pictures show nothing is said."""


def chroma_of(picture: RGB, side: int) -> NDArray[np.uint8]:
    """Make a picture small and leave its lightness away.

    Args:
        picture: (H, W, 3) uint8, RGB, [0, 255].
        side: Pixels of the longer side of what is given, at least 1.

    Returns:
        (h, w, 2) uint8, a and b of CIE L*a*b* plus 128; of grey, both are 128.

    Raises:
        ValueError: If `side` is below 1.
    """
    if side < 1:
        raise ValueError(f"side must be at least 1, got {side}")
    factor = side / max(picture.shape[:2])
    height, width = (max(1, round(length * factor)) for length in picture.shape[:2])
    method = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    small = cv2.resize(np.ascontiguousarray(picture), (width, height), interpolation=method)
    return np.ascontiguousarray(cv2.cvtColor(small, cv2.COLOR_RGB2LAB)[:, :, 1:], np.uint8)


def colour_agreement(
    query: NDArray[np.uint8],
    candidate: NDArray[np.uint8],
    mapping: NDArray[np.float64],
    points: NDArray[np.float32],
) -> float:
    """Correlate two pictures' colours where they show the same.

    The query is warped onto the candidate, and both are compared on the convex hull of the
    candidate's verified points, and a little around it. Each channel is taken less its mean there,
    so a cast of the light makes no difference; both together are correlated (zero-mean normalised
    cross-correlation).

    Args:
        query: (h, w, 2) uint8, as `chroma_of` gives it.
        candidate: (g, v, 2) uint8, likewise.
        mapping: (3, 3) float64, from the query to the candidate, x and y of both in units of their
            longer sides.
        points: (K, 2) float32, the verified points of the candidate in those units.

    Returns:
        In [-1, 1]; 0 where nothing can be said: too few pixels, or one picture without colours.
    """
    height, width = candidate.shape[:2]
    own, other = max(query.shape[:2]), max(height, width)
    # From pixels to units and on to pixels; OpenCV has (0, 0) in the middle of the first pixel.
    warp = _pixels(other) @ mapping @ np.linalg.inv(_pixels(own))
    moved = cv2.warpPerspective(query, warp, (width, height), flags=cv2.INTER_LINEAR)
    whole = np.full(query.shape[:2], 255, np.uint8)
    shown = cv2.warpPerspective(whole, warp, (width, height), flags=cv2.INTER_NEAREST)
    hull = cv2.convexHull(np.rint(points * other - 0.5).astype(np.int32))
    region = np.zeros((height, width), np.uint8)
    cv2.fillConvexPoly(region, hull, 255)
    around = cv2.dilate(region, np.ones((MARGIN, MARGIN), np.uint8))
    both = (around > 0) & (shown > 0)
    if both.sum() < LEAST:
        return 0.0
    one, two = (each[both].astype(np.float64) for each in (moved, candidate))
    one, two = one - one.mean(axis=0), two - two.mean(axis=0)
    length = float(np.sqrt((one**2).sum() * (two**2).sum()))
    return float((one * two).sum() / length) if length > 0 else 0.0


def _pixels(side: int) -> NDArray[np.float64]:
    """Give what maps units of the longer side to places of pixels."""
    return np.array([[side, 0, -0.5], [0, side, -0.5], [0, 0, 1]], np.float64)
