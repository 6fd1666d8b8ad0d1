"""When the frames of a clip are shown."""

from av.video.frame import VideoFrame as DecodedFrame
from av.video.stream import VideoStream

__all__ = ["FrameTimes"]

_USUAL_STEP = 0.04


class FrameTimes:
    """Times from 0, never backwards, and also where a frame does not say.

    Args:
        stream: That the frames are of.
    """

    def __init__(self, stream: VideoStream) -> None:
        rate = stream.average_rate or stream.guessed_rate
        self._step = float(1 / rate) if rate else _USUAL_STEP
        self._zero: float | None = None
        if stream.start_time is not None and stream.time_base is not None:
            self._zero = float(stream.start_time * stream.time_base)
        self._last: float | None = None
        self._shown = 0.0

    def of(self, frame: DecodedFrame) -> float:
        """Give the seconds from the clip's beginning to a frame.

        Args:
            frame: Each of the clip's, in order.
        """
        shown = None if frame.pts is None or frame.time_base is None else frame.time
        if shown is not None and self._zero is None:
            self._zero = shown
        guess = 0.0 if self._last is None else self._last + self._step
        time = guess if shown is None or self._zero is None else shown - self._zero
        self._last = max(time, self._last or 0.0)
        base = frame.time_base
        self._shown = float(frame.duration * base) if frame.duration and base else self._step
        return self._last

    @property
    def end(self) -> float:
        """Seconds from the clip's beginning to the end of the latest frame."""
        return (self._last or 0.0) + self._shown
