"""What an adapter needs of whoever reads its videos."""

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from snapshelf.errors import DatasetError
from snapshelf.media.picture import RGB

__all__ = ["VideoFrame", "VideoReader", "no_video"]


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


def no_video(path: Path) -> Iterator[VideoFrame]:
    """Refuse to read a video, where nothing is at hand that could.

    Raises:
        DatasetError: Always.
    """
    raise DatasetError(
        f"{path} cannot be read: there is no reader of videos, give one when the data set is opened"
    )
