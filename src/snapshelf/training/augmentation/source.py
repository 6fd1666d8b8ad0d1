"""What views are made from: a picture, the matte of its item, and the side it comes from."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from snapshelf.features.encoder import Domain
from snapshelf.media.picture import RGB
from snapshelf.training.augmentation.layers import Layer, opaque
from snapshelf.training.augmentation.matting import LEAST, MOST

__all__ = ["Source", "can_be_cut_out", "cut_out", "shows_plain_background"]

VISIBLE = 0.02
PLAIN_SPREAD = 10.0


@dataclass(frozen=True, slots=True)
class Source:
    """A picture of one item to make views from.

    Attributes:
        picture: (H, W, 3) uint8, RGB, [0, 255], of any size from 1 x 1.
        matte: (H, W) float32 in [0, 1], as `alpha_matte` gives it; None if it isn't known.
        domain: The side that the picture comes from.
    """

    picture: RGB
    matte: NDArray[np.float32] | None
    domain: Domain

    def __post_init__(self) -> None:
        """Refuse what is no picture, and a matte of another one.

        Raises:
            ValueError: Names the attribute, what was expected and what came.
        """
        picture, matte = self.picture, self.matte
        if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3:
            raise ValueError(
                f"picture must be (H, W, 3) uint8, got {picture.shape} {picture.dtype}"
            )
        if not picture.size:
            raise ValueError(f"picture must have pixels, got {picture.shape}")
        if matte is not None and (matte.shape != picture.shape[:2] or matte.dtype != np.float32):
            raise ValueError(
                f"matte must be {picture.shape[:2]} float32 as its picture, "
                f"got {matte.shape} {matte.dtype}"
            )


def can_be_cut_out(source: Source) -> bool:
    """Whether the source has a matte that covers neither almost nothing nor almost everything."""
    return source.matte is not None and LEAST <= cv2.mean(source.matte)[0] <= MOST


def shows_plain_background(source: Source) -> bool:
    """Whether the background that the matte leaves has one colour, as in a shop picture.

    Its standard deviation is then at most 10 levels in every channel.
    """
    return can_be_cut_out(source) and _background(source) is not None


def _background(source: Source) -> NDArray[np.float64] | None:
    """Give the mean colour of the background if it is plain; one pixel in four tells it."""
    assert source.matte is not None
    outside = (source.matte[::2, ::2] < VISIBLE).view(np.uint8)
    if not cv2.countNonZero(outside):
        return None
    part = np.ascontiguousarray(source.picture[::2, ::2])
    mean, spread = cv2.meanStdDev(part, mask=outside)
    return np.asarray(mean[:, 0], np.float64) if spread.max() <= PLAIN_SPREAD else None


def cut_out(source: Source) -> Layer:
    """Cut the item out, without a rim of the old background.

    An edge pixel shows ``I = a F + (1 - a) B``. Where the background B has one colour,
    ``a F = I - (1 - a) B`` is what the new background is added to; elsewhere F is taken to
    be I.

    Args:
        source: With a matte; all of the picture is taken where it is None.

    Returns:
        (h, w, 4) uint8, premultiplied, cut to where the item is.
    """
    picture = source.picture
    if source.matte is None:
        return opaque(picture)
    alpha = np.asarray(cv2.convertScaleAbs(source.matte, alpha=255), np.uint8)
    x, y, width, height = cv2.boundingRect((alpha > VISIBLE * 255).view(np.uint8))
    if not width:
        return np.zeros((1, 1, 4), np.uint8)
    background = _background(source)
    box = slice(y, y + height), slice(x, x + width)
    alpha, picture = alpha[box], picture[box]
    if background is not None:
        rest = [cv2.convertScaleAbs(255 - alpha, alpha=float(level) / 255) for level in background]
        # No colour may be stronger than its alpha: the background's noise would be.
        colour = cv2.min(cv2.subtract(picture, cv2.merge(rest)), cv2.merge([alpha] * 3))
    else:
        colour = cv2.multiply(picture, cv2.merge([alpha] * 3), scale=1 / 255)
    return np.asarray(cv2.merge([*cv2.split(colour), alpha]), np.uint8)
