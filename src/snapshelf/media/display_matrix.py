"""Which way up a clip is shown, from the display matrix of its container."""

from struct import unpack_from

import numpy as np

from snapshelf.media.picture import RGB

__all__ = ["turned"]

_BYTES = 36


def turned(picture: RGB, matrix: bytes | None) -> RGB:
    """Turn a picture the way that a display matrix says, to the nearest of the eight ways.

    Phones store their clips as the sensor reads them, with such a matrix beside: a stored point
    (x, y) is shown at (a x + c y, b x + d y), up to a shift.

    Args:
        picture: (H, W, 3) uint8, RGB.
        matrix: Nine int32 in the machine's byte order, a, b, u, c, d, v, x, y, w, as FFmpeg gives
            them; None or too few leave the picture as it is.

    Returns:
        (H, W, 3) or (W, H, 3) uint8, RGB, C-contiguous.
    """
    if matrix is None or len(matrix) < _BYTES:
        return picture
    a, b, _, c, d = unpack_from("=5i", matrix)
    if abs(a) + abs(d) < abs(b) + abs(c):
        picture, right, down = picture.transpose(1, 0, 2), c, b
    else:
        right, down = a, d
    if right < 0:
        picture = picture[:, ::-1]
    if down < 0:
        picture = picture[::-1]
    return np.ascontiguousarray(picture)
