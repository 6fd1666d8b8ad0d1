"""Rates: how often somebody may ask, as a bucket of tokens that fills with time."""

import time
from collections import OrderedDict
from collections.abc import Callable

__all__ = ["Rates"]


class Rates:
    """A bucket for each of many names; those that are longest unused are forgotten.

    Bucket t of a rate of r a minute holds at most r tokens, gains r / 60 a second, and a request
    takes one.

    Args:
        most_names: Names remembered.
        clock: Seconds that never go back.
    """

    def __init__(
        self, most_names: int = 10_000, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._most = most_names
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, name: str, per_minute: int) -> float:
        """Take a token.

        Args:
            name: Whose.
            per_minute: The rate, at least 1.

        Returns:
            0.0, or the seconds after which there will be one; then none is taken.
        """
        now = self._clock()
        left, seen = self._buckets.get(name, (float(per_minute), now))
        left = min(float(per_minute), left + (now - seen) * per_minute / 60)
        wait = max(0.0, (1.0 - left) * 60 / per_minute)
        self._buckets[name] = (left if wait else left - 1.0, now)
        self._buckets.move_to_end(name)
        if len(self._buckets) > self._most:
            self._buckets.popitem(last=False)
        return wait
