"""Whether a file is a clip or a photo, told by what it holds."""

from io import SEEK_SET
from pathlib import Path
from typing import BinaryIO

from snapshelf.errors import PictureError, VideoError
from snapshelf.media.formats import PictureFormat, detect_format
from snapshelf.media.video_containers import begins_like_clip
from snapshelf.media.video_file import open_video_file
from snapshelf.media.video_limits import VideoLimits

__all__ = ["CLIP_SUFFIXES", "is_clip"]

CLIP_SUFFIXES = (
    *(".mp4", ".m4v", ".mov", ".3gp", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".ts", ".mts"),
    *(".m2ts", ".ogv", ".flv", ".wmv", ".asf", ".mxf"),
)
"""Of names that are taken for a clip's where the content tells nothing."""

_HEAD = 512
_NO_BOUND = VideoLimits(max_bytes=2**62)


def is_clip(source: Path | bytes) -> bool:
    """Tell a clip from a photo.

    Nothing is decoded. A GIF is a clip if it has more than one frame; every other format that
    photos are read from is a photo, an animated PNG or WebP too.

    Args:
        source: A file, or its bytes.

    Returns:
        Whether it is to be read as a clip. What is neither, or cannot be read, goes by its name,
        and is told what is wrong with it by whoever reads it.
    """
    named = isinstance(source, Path) and source.name.lower().endswith(CLIP_SUFFIXES)
    try:
        with open_video_file(source, _NO_BOUND) as file:
            head = file.read(_HEAD)
            try:
                kind = detect_format(head)
            except PictureError:
                return begins_like_clip(head) or named
            return kind is PictureFormat.GIF and _has_second_frame(file)
    except (VideoError, OSError):
        return named


def _has_second_frame(file: BinaryIO) -> bool:
    """Walk over a GIF's blocks to the second frame, if any."""
    file.seek(10, SEEK_SET)
    flags = _byte(file)
    file.seek(13 + _table(flags), SEEK_SET)
    frames = 0
    while frames < 2:
        match file.read(1):
            case b"\x2c":
                frames += 1
                file.seek(8, 1)
                file.seek(_table(_byte(file)) + 1, 1)
                _skip_blocks(file)
            case b"\x21":
                file.seek(1, 1)
                _skip_blocks(file)
            case _:
                return False
    return True


def _table(flags: int) -> int:
    """Give the bytes of a table of colours."""
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def _skip_blocks(file: BinaryIO) -> None:
    while size := _byte(file):
        file.seek(size, 1)


def _byte(file: BinaryIO) -> int:
    """Read a byte, 0 at the file's end."""
    return int.from_bytes(file.read(1), "big")
