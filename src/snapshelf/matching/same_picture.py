"""Whether two pictures are copies of one: compared by their pixels, very small.

An embedding forgives a colour and a word on a pack, since it was made to find a product again in
another light. Of a copy that was scaled or compressed anew, the colours of large areas hardly
change; of two products that merely look alike, some do.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from snapshelf.media.picture import RGB

__all__ = ["SmallPicture", "is_same_picture", "shrink_picture"]

SIDE = 16
"""Pixels of a side that are compared."""

NEAR_BORDER = 16
"""Of 255, in each channel: a pixel as near to the border's median colour is taken for border."""

MOST_ON_AVERAGE = 4.0
MOST_ANYWHERE = 24.0
"""Of 255, averaged over the channels: how far copies are apart, over all pixels and in any one.

Of 381 pictures (81 of the grocery data, 150 each of the clothing data and the demo shop) all are
taken for copies of themselves compressed at quality 40, and 99 in 100 when scaled to a half and
compressed at 70. What tells a word on a pack is the second bound.
"""


@dataclass(frozen=True, slots=True, eq=False)
class SmallPicture:
    """A picture as it is compared.

    Attributes:
        whole: (16, 16, 3) float32, RGB, [0, 255], of all of it.
        inner: (16, 16, 3) float32, RGB, [0, 255], without a border of one colour.
    """

    whole: NDArray[np.float32]
    inner: NDArray[np.float32]


def shrink_picture(picture: RGB) -> SmallPicture:
    """Make what is compared of a picture.

    Args:
        picture: (H, W, 3) uint8, RGB, [0, 255], from 1 x 1.
    """
    return SmallPicture(_small(picture), _small(_without_border(picture)))


def is_same_picture(one: SmallPicture, other: SmallPicture) -> bool:
    """Tell whether pictures are copies of one, scaled, compressed or with more or less border.

    Example:
        >>> red, blue = np.zeros((2, 40, 30, 3), np.uint8)
        >>> red[10:30, 10:20, 0] = blue[10:30, 10:20, 2] = 200
        >>> is_same_picture(shrink_picture(red), shrink_picture(red[::2, ::2]))
        True
        >>> is_same_picture(shrink_picture(red), shrink_picture(blue))
        False
    """
    return _is_near(one.whole, other.whole) or _is_near(one.inner, other.inner)


def _is_near(one: NDArray[np.float32], other: NDArray[np.float32]) -> bool:
    apart = np.abs(one - other).mean(axis=2)
    return bool(apart.mean() <= MOST_ON_AVERAGE and apart.max() <= MOST_ANYWHERE)


def _small(picture: RGB) -> NDArray[np.float32]:
    image = Image.fromarray(np.ascontiguousarray(picture))
    return np.asarray(image.resize((SIDE, SIDE), Image.Resampling.BOX), np.float32)


def _without_border(picture: RGB) -> RGB:
    """Cut off what is of the border's colour; a picture of one colour stays as it is."""
    border = np.concatenate([picture[0], picture[-1], picture[:, 0], picture[:, -1]])
    away = np.abs(picture.astype(np.int16) - np.median(border, axis=0).astype(np.int16)).max(axis=2)
    rows = np.flatnonzero((away > NEAR_BORDER).any(axis=1))
    columns = np.flatnonzero((away > NEAR_BORDER).any(axis=0))
    if not len(rows):
        return picture
    return picture[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
