"""Reading a picture file that the user names."""

import os
import stat
from pathlib import Path

from snapshelf.errors import PictureError
from snapshelf.media.limits import Limits

__all__ = ["read_picture_file"]


def read_picture_file(path: Path, limits: Limits = Limits()) -> bytes:  # noqa: B008
    """Read the bytes of a picture file anywhere on this machine, within bounds.

    Args:
        path: The file; the user's own choice, so links are followed.
        limits: No more than `max_bytes` is ever read.

    Returns:
        The whole file, not yet known to be a picture.

    Raises:
        PictureError: If it is missing, no regular file, too large, or cannot be read.
    """
    try:
        # Without O_NONBLOCK, opening a named pipe would wait for somebody to write to it.
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            os.close(handle)
            kind = "a folder" if stat.S_ISDIR(status.st_mode) else "no regular file"
            raise PictureError(f"{path} is {kind}, expected a picture file")
        with open(handle, "rb") as file:
            # One byte more than allowed tells a file that grows while it is read.
            data = file.read(limits.max_bytes + 1)
        if len(data) > limits.max_bytes:
            raise PictureError(
                f"{path} has more than the {limits.max_bytes:,} bytes allowed; "
                "make the picture smaller"
            )
        return data
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise PictureError(f"{path} cannot be read: {reason}") from error
