"""Opening a clip so that FFmpeg reads this one file, within bounds, and nothing else."""

from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import NoReturn

import av
from av.container import InputContainer
from av.stream import Disposition
from av.video.codeccontext import VideoCodecContext
from av.video.stream import VideoStream

from snapshelf.errors import VideoError
from snapshelf.media.video_containers import CONTAINERS, DAMAGED, name_of_other
from snapshelf.media.video_file import open_video_file
from snapshelf.media.video_frame import VideoHeader
from snapshelf.media.video_limits import VideoLimits

__all__ = ["opened_video"]


@contextmanager
def opened_video(
    source: Path | bytes, limits: VideoLimits
) -> Iterator[tuple[InputContainer, VideoStream, VideoHeader]]:
    """Open a clip and check what its header says.

    Args:
        source: The file, or its bytes.
        limits: Bounds.

    Yields:
        The container, the stream of its moving pictures, and what they say of themselves.

    Raises:
        VideoError: If it is no clip, its header is beyond a bound, or it has no pictures.
        TypeError: If `source` is neither a path nor bytes.
    """
    with open_video_file(source, limits) as file:
        head = file.read(1024)
        file.seek(0)
        try:
            container = av.open(
                file,
                "r",
                # What is not on the list is refused before its reader sees the file.
                container_options={
                    "format_whitelist": ",".join(CONTAINERS),
                    "protocol_whitelist": "none",
                },
                options={"max_pixels": str(limits.max_pixels)},
                metadata_errors="replace",
                io_open=_refuse,
            )
        except (av.FFmpegError, ValueError, OSError, MemoryError) as error:
            raise VideoError(_why_not(source, head)) from error
        with container:
            stream = _picture_stream(container)
            header = _header(container, stream)
            _check_header(header, limits)
            stream.codec_context.options = {"max_pixels": str(limits.max_pixels)}
            yield container, stream, header


def _refuse(url: str, flags: int, options: object) -> NoReturn:  # noqa: ARG001
    raise PermissionError(f"a clip may not open {url}")


def _why_not(source: Path | bytes, head: bytes) -> str:
    name = "the file" if isinstance(source, bytes) else str(source)
    what = name_of_other(head)
    expected = "" if what == DAMAGED else ", expected a clip"
    return f"{name} is {what}{expected}; save it as MP4 or WebM, or get it again"


def _picture_stream(container: InputContainer) -> VideoStream:
    streams = [
        stream
        for stream in container.streams.video
        if not stream.disposition & Disposition.attached_pic
    ]
    if not streams:
        raise VideoError(
            "the file has sound only, no moving pictures"
            if container.streams.audio
            else "the file has no moving pictures"
        )
    best = container.streams.best("video")
    return best if isinstance(best, VideoStream) and best in streams else streams[0]


def _header(container: InputContainer, stream: VideoStream) -> VideoHeader:
    context: VideoCodecContext | None = stream.codec_context
    if context is None:
        raise VideoError(
            "the clip's codec is not known here; save it again as MP4 with H.264 or as WebM"
        )
    seconds = None
    if stream.duration and stream.time_base:
        seconds = float(stream.duration * stream.time_base)
    elif container.duration:
        seconds = container.duration / av.time_base
    rate: Fraction | None = stream.average_rate or stream.guessed_rate
    return VideoHeader(
        container=container.format.name,
        codec=context.name,
        size=(context.width, context.height),
        rate=float(rate) if rate else None,
        seconds=seconds if seconds and seconds > 0 else None,
    )


def _check_header(header: VideoHeader, limits: VideoLimits) -> None:
    width, height = header.size
    if width * height > limits.max_pixels:
        raise VideoError(
            f"the clip is {width} x {height} pixels ({width * height:,}), at most "
            f"{limits.max_pixels:,} are accepted; make it smaller"
        )
    seconds = header.seconds
    if seconds is not None and seconds > limits.max_seconds and not limits.cut_longer:
        raise VideoError(
            f"the clip takes {seconds:,.0f} s, at most {limits.max_seconds:,.0f} are accepted; "
            "cut it"
        )
