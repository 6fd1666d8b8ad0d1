"""`TimeLeft`: how long the rest of a long piece of work will take, from how long the first took."""

import time
from collections.abc import Callable, Sequence

__all__ = ["TimeLeft", "duration"]


class TimeLeft:
    """Goes through pieces of work one by one and says what is left.

    What was done before this process began is no measure of its speed: a piece that it went on
    with counts for the part that was done here. A piece of which no part was told counts whole.

    Args:
        costs: Of each piece, above 0, in any unit.
        clock: Gives the time in seconds.
    """

    def __init__(self, costs: Sequence[float], clock: Callable[[], float] = time.monotonic) -> None:
        self._ahead = list(costs)
        self._clock = clock
        self._began = clock()
        self._worked = 0.0
        self._part = 0.0

    def advance(self, part: float) -> None:
        """Count a part of the present piece, in [0, 1], as done."""
        self._part = min(1.0, self._part + part)

    def finish(self) -> None:
        """Go on to the next piece; a part of this one that `advance` left had been done before."""
        self._worked += self._ahead.pop(0) * (self._part or 1.0)
        self._part = 0.0

    def skip(self) -> None:
        """Go on to the next piece without this one, which turned out not to be there."""
        self._ahead.pop(0)
        self._part = 0.0

    @property
    def seconds(self) -> float | None:
        """What is left; None before anything is done."""
        here = self._part * self._ahead[0] if self._ahead else 0.0
        done = self._worked + here
        if not done:
            return None
        return (self._clock() - self._began) / done * (sum(self._ahead) - here)

    @property
    def text(self) -> str:
        """The same for people, such as ``about 2 h 10 min left``; empty before that."""
        seconds = self.seconds
        return "" if seconds is None else f"about {duration(seconds)} left"


def duration(seconds: float) -> str:
    """Write a time for people.

    Args:
        seconds: At least 0.

    Example:
        >>> duration(40), duration(125), duration(7800)
        ('1 min', '3 min', '2 h 10 min')
    """
    minutes = int(-(-seconds // 60)) or 1
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest} min" if hours else f"{rest} min"
