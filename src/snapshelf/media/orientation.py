"""Which way up a camera held the picture, from its EXIF block."""

from struct import error as struct_error
from struct import unpack_from

from PIL import Image

__all__ = ["TRANSPOSE", "exif_orientation"]

_ORIENTATION = 0x0112
_SHORT = 3

TRANSPOSE = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What turns a picture upright, by its EXIF orientation; 1 needs nothing."""


def exif_orientation(exif: bytes) -> int:
    r"""Read the orientation from an EXIF block.

    This reads the one tag that matters: a full EXIF reader is slow, and warns about the many
    blocks that cameras and editors leave half broken.

    Args:
        exif: A TIFF structure, with or without the prefix ``Exif\0\0``.

    Returns:
        1 to 8; 1 (upright) where the block is broken or does not say.
    """
    tiff = exif.removeprefix(b"Exif\0\0")
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(tiff[:4])
    if order is None:
        return 1
    try:
        (directory,) = unpack_from(f"{order}I", tiff, 4)
        (count,) = unpack_from(f"{order}H", tiff, directory)
        for entry in range(directory + 2, directory + 2 + 12 * count, 12):
            tag, kind, _, value = unpack_from(f"{order}HHIH", tiff, entry)
            if tag == _ORIENTATION:
                return value if kind == _SHORT and 1 <= value <= 8 else 1
    except struct_error:
        return 1
    return 1
