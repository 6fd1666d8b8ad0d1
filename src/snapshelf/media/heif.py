"""HEIC pictures, opened without registering anything with Pillow."""

from io import BytesIO

import pillow_heif
from PIL import Image

__all__ = ["heif_size", "load_heif", "open_heif"]


def open_heif(data: bytes) -> pillow_heif.HeifFile:
    """Read a HEIC file's boxes; nothing is decoded yet.

    Each call has a decoder of its own, so threads may call this at the same time.

    Args:
        data: The whole file.

    Returns:
        The file, whose primary picture will decode to 8 bits a channel.

    Raises:
        ValueError, EOFError, SyntaxError, RuntimeError, OSError: If the file is broken or uses
            a feature that libheif does not have.
    """
    return pillow_heif.open_heif(BytesIO(data), convert_hdr_to_8bit=True)


def heif_size(file: pillow_heif.HeifFile) -> tuple[int, int]:
    """Give the width and height that the primary picture's header declares, in pixels."""
    width, height = file.size
    return int(width), int(height)


def load_heif(file: pillow_heif.HeifFile) -> Image.Image:
    """Decode the primary picture, with the file's own rotation and cropping applied.

    Its EXIF block then says that it is upright, whatever the camera wrote: the rotation box is
    what counts in a HEIC file.
    """
    image: Image.Image = file.to_pillow()
    return image
