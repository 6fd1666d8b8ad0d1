"""From an RGB picture to the bytes of a JPEG, for pages and reports."""

from io import BytesIO

import numpy as np
from PIL import Image

from snapshelf.media.picture import RGB

__all__ = ["encode_jpeg"]


def encode_jpeg(picture: RGB, *, longest_side: int | None = None, quality: int = 85) -> bytes:
    """Encode a picture as a baseline JPEG.

    Args:
        picture: (H, W, 3) uint8, RGB, [0, 255].
        longest_side: Shrink to this many pixels on the longest side; a smaller picture stays
            as it is. None keeps every picture's size.
        quality: 1 to 95, the higher the better.

    Returns:
        The file's bytes.

    Raises:
        TypeError: If `picture` is not uint8.
        ValueError: If `picture` has another shape, has no pixels or is longer than JPEG
            allows (65,535), or if `longest_side` or `quality` is out of range.
    """
    if picture.dtype != np.uint8:
        raise TypeError(f"picture must be uint8, got {picture.dtype}")
    if picture.ndim != 3 or picture.shape[2] != 3 or picture.size == 0:
        raise ValueError(f"picture must be (H, W, 3) with pixels, got {picture.shape}")
    if longest_side is not None and longest_side < 1:
        raise ValueError(f"longest_side must be at least 1, got {longest_side}")
    if not 1 <= quality <= 95:
        raise ValueError(f"quality must be 1 to 95, got {quality}")
    image = Image.fromarray(np.ascontiguousarray(picture))
    if longest_side is not None:
        image.thumbnail((longest_side, longest_side))
    if max(image.size) > 65_535:
        raise ValueError(f"a JPEG's sides have at most 65,535 pixels, got {image.size}")
    stream = BytesIO()
    image.save(stream, "JPEG", quality=quality)
    return stream.getvalue()
