"""Reading a photo of a data set."""

from pathlib import Path

from snapshelf.errors import DatasetError, PictureError
from snapshelf.media.decode import decode_picture
from snapshelf.media.picture import RGB
from snapshelf.media.picture_file import read_picture_file

__all__ = ["read_photo"]


def read_photo(path: Path) -> RGB:
    """Read a photo that a data set names.

    Args:
        path: Its file.

    Returns:
        (H, W, 3) uint8, RGB, [0, 255].

    Raises:
        DatasetError: If it is missing or cannot be read; names the file.
    """
    try:
        return decode_picture(read_picture_file(path))
    except PictureError as error:
        where = "" if str(path) in str(error) else f"{path}: "
        raise DatasetError(f"{where}{error}; get the whole data set again") from error
