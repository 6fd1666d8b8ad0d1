"""Opening a clip's file, and nothing but it, within bounds."""

import os
import stat
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from snapshelf.errors import VideoError
from snapshelf.media.video_limits import VideoLimits

__all__ = ["open_video_file"]


def open_video_file(source: Path | bytes, limits: VideoLimits) -> BinaryIO:
    """Open a clip for reading.

    Args:
        source: A file anywhere on this machine, the user's own choice, so links are followed; or
            the whole file's bytes.
        limits: `max_bytes` bounds it.

    Returns:
        A file that can be sought in; to be closed.

    Raises:
        VideoError: If it is missing, empty, no regular file, too large, or cannot be read.
        TypeError: If `source` is neither a path nor bytes.
    """
    if isinstance(source, bytes):
        _check_bytes("the clip", len(source), limits)
        return BytesIO(source)
    if not isinstance(source, Path):
        raise TypeError(f"source must be a Path or bytes, got {type(source).__name__}")
    try:
        # Without O_NONBLOCK, opening a named pipe would wait for somebody to write to it.
        handle = os.open(
            source, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
        )
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise VideoError(f"{source} cannot be read: {reason}") from error
    try:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            kind = "a folder" if stat.S_ISDIR(status.st_mode) else "no regular file"
            raise VideoError(f"{source} is {kind}, expected a clip's file")
        _check_bytes(str(source), status.st_size, limits)
    except BaseException:
        os.close(handle)
        raise
    return open(handle, "rb")


def _check_bytes(name: str, size: int, limits: VideoLimits) -> None:
    if not size:
        raise VideoError(f"{name} is empty, expected a clip")
    if size > limits.max_bytes:
        raise VideoError(
            f"{name} has {size:,} bytes, at most {limits.max_bytes:,} are accepted; make the clip "
            "shorter or smaller"
        )
