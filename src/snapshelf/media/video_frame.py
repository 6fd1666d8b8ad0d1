"""A frame of a clip, and what a clip's header tells of it."""

from dataclasses import dataclass

from snapshelf.media.picture import RGB

__all__ = ["VideoFrame", "VideoHeader"]


@dataclass(frozen=True, slots=True, eq=False)
class VideoFrame:
    """A picture of a clip and when it is shown.

    Attributes:
        index: How many frames of the clip come before it, those left out counted.
        time: Seconds since the clip's beginning; never less than that of the frame before.
        picture: (H, W, 3) uint8, RGB, [0, 255], upright; later frames may be of another size.
    """

    index: int
    time: float
    picture: RGB


@dataclass(frozen=True, slots=True)
class VideoHeader:
    """What is known of a clip before it is decoded. Headers may be wrong.

    Attributes:
        container: The container's name, such as ``"matroska,webm"``.
        codec: The codec's name, such as ``"h264"``.
        size: (width, height) in pixels as stored, before a rotation.
        rate: Frames each second on average; None where it does not say.
        seconds: None where it does not say.
    """

    container: str
    codec: str
    size: tuple[int, int]
    rate: float | None
    seconds: float | None
