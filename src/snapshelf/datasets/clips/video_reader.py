"""What an adapter needs of whoever reads its videos."""

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from snapshelf.errors import DatasetError, VideoError
from snapshelf.media.picture import RGB

__all__ = ["VideoFrame", "VideoReader", "read_video"]

ANY_SIZE = 1 << 20
"""Longer than any side that a frame may have, in pixels."""


class VideoFrame(Protocol):
    """One frame of a video, upright."""

    @property
    def picture(self) -> RGB:
        """(H, W, 3) uint8, RGB, [0, 255], as large as it is in the video."""
        ...

    @property
    def time(self) -> float:
        """In seconds from the start of the video."""
        ...


class VideoReader(Protocol):
    """Reads a video from its first frame on, and no more of it than is asked for."""

    def __call__(self, path: Path) -> Iterator[VideoFrame]:
        """Give the frames by rising time.

        Raises:
            SnapshelfError: If the video cannot be read; names the file.
        """
        ...


def read_video(path: Path) -> Iterator[VideoFrame]:
    """Read every frame of a video file, the default reader.

    Args:
        path: The video.

    Yields:
        The frames by rising time, upright and in their own size, since boxes are in its pixels.

    Raises:
        DatasetError: If the file is missing, is no video or cannot be decoded; names it.
    """
    # PyAV is imported with it, and few data sets are of videos.
    from snapshelf.media.video import Video
    from snapshelf.media.video_limits import VideoLimits

    try:
        yield from Video(path, VideoLimits(longest=ANY_SIZE)).frames()
    except VideoError as error:
        raise DatasetError(f"{path} cannot be read: {error}") from error
