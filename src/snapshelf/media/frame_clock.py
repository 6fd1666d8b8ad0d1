"""Which frames of a clip to take, so that they come at an even rate."""

import math

__all__ = ["FrameClock"]


class FrameClock:
    """Takes of each 1 / rate seconds of a clip the first frame.

    It goes by the times at which frames are shown, so a clip of variable frame rate gives as many
    of a slow stretch as of a quick one; where frames are rarer than the rate, all are taken, and
    none twice.

    Args:
        rate: Frames each second at most; None takes all.

    Raises:
        ValueError: If `rate` is not a finite number above 0.
    """

    def __init__(self, rate: float | None) -> None:
        if rate is not None and not (0 < rate < math.inf):
            raise ValueError(f"rate must be above 0 frames a second, or None for all, got {rate}")
        self._rate = rate
        self._tick = -1

    def takes(self, time: float) -> bool:
        """Tell whether to take the next frame.

        Args:
            time: Its time in seconds, at least 0; those of all frames, in order.
        """
        if self._rate is None:
            return True
        # Without the margin, a frame at 0.3 s would count into the tick that ends at 3 / 10 s.
        tick = math.floor(time * self._rate + 1e-6)
        if tick <= self._tick:
            return False
        self._tick = tick
        return True
