"""Reading a picture file that the user names."""

import stat
from pathlib import Path

from snapshelf.errors import PictureError
from snapshelf.media.limits import Limits

__all__ = ["read_picture_file"]


def read_picture_file(path: Path, limits: Limits = Limits()) -> bytes:  # noqa: B008
    """Read the bytes of a picture file anywhere on this machine, within bounds.

    Args:
        path: The file; the user's own choice, so links are followed.
        limits: Its size is checked before it is read.

    Returns:
        The whole file, not yet known to be a picture.

    Raises:
        PictureError: If it is missing, no regular file, too large, or cannot be read.
    """
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            kind = "a folder" if stat.S_ISDIR(status.st_mode) else "no regular file"
            raise PictureError(f"{path} is {kind}, expected a picture file")
        if status.st_size > limits.max_bytes:
            raise PictureError(
                f"{path} has {status.st_size:,} bytes, more than the {limits.max_bytes:,} "
                "allowed; make the picture smaller"
            )
        with path.open("rb") as file:
            return file.read(limits.max_bytes)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise PictureError(f"{path} cannot be read: {reason}") from error
