"""Finding, in a video, the frames that rows of a table tell of."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from snapshelf.datasets.clips.clip import ClipFrame
from snapshelf.datasets.clips.clip_rows import ClipRow
from snapshelf.datasets.clips.video_reader import VideoFrame, VideoReader
from snapshelf.errors import DatasetError
from snapshelf.locating.boxes import as_boxes, clip_boxes

__all__ = ["VideoTrack"]

FARTHEST = 1.0
"""Seconds from a row's time to the nearest frame: more means that the table is of another video."""


@dataclass(frozen=True, slots=True)
class VideoTrack:
    """An item followed through a video.

    Attributes:
        path: The video.
        rows: At least one, by rising time.
        read: Reads the video.
    """

    path: Path
    rows: tuple[ClipRow, ...]
    read: VideoReader

    def __call__(self) -> Iterator[ClipFrame]:
        """Give, for each row, the frame whose time is nearest to it.

        No more than two frames are held, and nothing is read behind the last one needed.

        Raises:
            DatasetError: If there is no frame near a row's time, or the row's box lies outside.
            SnapshelfError: As the reader.
        """
        waiting = iter(self.rows)
        row = next(waiting, None)
        last: VideoFrame | None = None
        for frame in self.read(self.path):
            while row is not None and last is not None and nearer(row.time, last, frame):
                yield self._framed(row, last)
                row = next(waiting, None)
            if row is None:
                return
            last = frame
        while row is not None:
            if last is None:
                raise DatasetError(f"{row.where}: {self.path} holds no frame, expected some")
            yield self._framed(row, last)
            row = next(waiting, None)

    def _framed(self, row: ClipRow, frame: VideoFrame) -> ClipFrame:
        if abs(frame.time - row.time) > FARTHEST:
            raise DatasetError(
                f"{row.where}: expected a frame of {self.path} at {row.time:g} s, the nearest one "
                f"is at {frame.time:g} s"
            )
        if row.box is None:
            return ClipFrame(frame.picture, frame.time, None)
        height, width = frame.picture.shape[:2]
        x0, y0, x1, y1 = clip_boxes(as_boxes([row.box]), (height, width))[0].tolist()
        if x1 <= x0 or y1 <= y0:
            raise DatasetError(
                f"{row.where}: expected a box in the frame of {width} x {height} pixels, got "
                f"{', '.join(f'{side:g}' for side in row.box)}"
            )
        return ClipFrame(frame.picture, frame.time, (x0, y0, x1, y1))


def nearer(time: float, frame: VideoFrame, following: VideoFrame) -> bool:
    """Whether a frame is nearer to a time than the next one is; of a tie the earlier one is."""
    return abs(frame.time - time) <= abs(following.time - time)
