"""`Video`: the frames of a clip, read one after the other."""

from collections.abc import Generator, Iterator
from pathlib import Path

import av
from av.container import InputContainer
from av.packet import Packet
from av.video.frame import VideoFrame as DecodedFrame
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream

from snapshelf.errors import VideoError
from snapshelf.media.frame_clock import FrameClock
from snapshelf.media.frame_times import FrameTimes
from snapshelf.media.video_frame import VideoFrame
from snapshelf.media.video_limits import VideoLimits
from snapshelf.media.video_opening import opened_video
from snapshelf.media.video_picture import display_matrix, to_picture

__all__ = ["Video"]

_PACKETS = 4
"""Packets for each frame at most, such as fields and broken ones, before a clip is given up."""
_SLACK = 1.0
"""Seconds by which a clip may end before its header says."""
_MARGIN = 1e-6
"""Seconds: a frame at a bound may come out a little before it, as 5.9999999999."""


class Video:
    """A clip of any container of `CONTAINERS` and any codec that FFmpeg decodes.

    The file is opened for each reading, through Python, and FFmpeg may open nothing else: a clip
    that names other files or addresses is refused. Memory does not grow with the clip's length.

    Args:
        source: The file, or its bytes.
        limits: Bounds.

    Raises:
        VideoError: If it is no clip, is beyond a bound, has no pictures, or is damaged so that
            nothing can be read.
        TypeError: If `source` is neither a path nor bytes.

    Attributes:
        header: What the clip says of itself.
    """

    def __init__(
        self,
        source: Path | bytes,
        limits: VideoLimits = VideoLimits(),  # noqa: B008
    ) -> None:
        self._source = source
        self._limits = limits
        self._warnings: list[str] = []
        with opened_video(source, limits) as (_, _, header):
            self.header = header

    @property
    def warnings(self) -> tuple[str, ...]:
        """What went wrong in the latest reading, as far as it has come; empty where nothing did."""
        return tuple(self._warnings)

    def frames(self, rate: float | None = None) -> Generator[VideoFrame, None, None]:
        """Read the clip from its beginning.

        A broken stream gives what can be decoded, and `warnings` tell what is missing.

        Args:
            rate: Frames each second at most, see `FrameClock`; None for all.

        Yields:
            The frames in the order in which they are shown, at least one.

        Raises:
            ValueError: If `rate` is not above 0.
            VideoError: If not one frame can be decoded, or the file has gone.
        """
        clock = FrameClock(rate)
        warnings: list[str] = []
        self._warnings = warnings
        return self._read(clock, warnings)

    def _read(self, clock: FrameClock, warnings: list[str]) -> Generator[VideoFrame, None, None]:
        limits = self._limits
        with opened_video(self._source, limits) as (container, stream, header):
            reformatter = VideoReformatter()
            times = FrameTimes(stream)
            aspect = stream.sample_aspect_ratio
            index, time = -1, 0.0
            size: tuple[int, int] | None = None
            matrix: bytes | None = None
            for frame in _decoded(container, stream, limits, warnings):
                if frame.width * frame.height > limits.max_pixels:
                    warnings.append(
                        f"reading stopped at {time:.1f} s: a frame of {frame.width} x "
                        f"{frame.height} pixels, at most {limits.max_pixels:,} are accepted"
                    )
                    break
                index += 1
                time = times.of(frame)
                late = time >= limits.max_seconds - _MARGIN
                if late or index >= limits.max_frames:
                    if not (late and limits.cut_longer):
                        warnings.append(
                            f"only the first {index:,} frames, before {time:.1f} s, were read"
                        )
                    break
                if size is not None and size != (frame.width, frame.height):
                    warnings.append(
                        f"from {time:.1f} s frames are {frame.width} x {frame.height} pixels, "
                        f"before {size[0]} x {size[1]}"
                    )
                if size != (frame.width, frame.height):
                    size, matrix = (frame.width, frame.height), display_matrix(frame)
                if clock.takes(time):
                    picture = to_picture(
                        frame, reformatter, matrix=matrix, aspect=aspect, longest=limits.longest
                    )
                    yield VideoFrame(index, time, picture)
            else:
                if header.seconds is not None and times.end + _SLACK < header.seconds:
                    warnings.append(
                        f"the frames end after {times.end:.1f} s, and the header says "
                        f"{header.seconds:.1f} s: the file is cut short or damaged"
                    )
            if index < 0:
                raise VideoError(
                    "the clip holds no frame that can be decoded; save it again as MP4 or WebM"
                )


def _decoded(
    container: InputContainer, stream: VideoStream, limits: VideoLimits, warnings: list[str]
) -> Iterator[DecodedFrame]:
    """Decode what can be decoded, and tell at the end what could not."""
    broken = patched = 0
    try:
        for count, packet in enumerate(_packets(container, stream, warnings)):
            if count >= _PACKETS * limits.max_frames:
                warnings.append(f"reading stopped after {count:,} packets")
                break
            try:
                frames = stream.decode(packet)
            except (av.FFmpegError, ValueError):
                broken += 1
                continue
            for frame in frames:
                patched += frame.is_corrupt
                yield frame
    finally:
        if broken:
            warnings.append(f"{broken:,} pieces of the stream are damaged and were left out")
        if patched:
            warnings.append(f"{patched:,} frames are damaged and may look wrong")


def _packets(
    container: InputContainer, stream: VideoStream, warnings: list[str]
) -> Iterator["Packet[VideoStream] | None"]:
    """Give the packets of a stream, in the end one that flushes the decoder."""
    try:
        yield from container.demux(stream)
    except (av.FFmpegError, ValueError) as error:
        warnings.append(f"the file cannot be read to its end: {error}")
        yield None
