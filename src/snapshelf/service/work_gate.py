"""Back-pressure: how many searches are taken in, and when to come back for one that is not."""

from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter

from snapshelf.service.measures import Measures
from snapshelf.service.problems import ProblemError

__all__ = ["WorkGate"]

WEIGHT = 0.1
LONGEST_S = 30.0


class WorkGate:
    """Takes in a bounded number of searches at a time; for the event loop's thread only.

    Args:
        most: How many.
        measures: Tells how many there are.
    """

    def __init__(self, most: int, measures: Measures) -> None:
        self._most = most
        self._inside = 0
        self._usual_s = 0.1
        self._measures = measures

    @contextmanager
    def enter(self) -> Iterator[None]:
        """Stay inside for the time of a search.

        Raises:
            ProblemError: If there are too many, with the time that the last of them needs.
        """
        if self._inside >= self._most:
            raise ProblemError(
                "busy",
                f"{self._inside} searches are under way or waiting; try again in a moment",
                retry_after_s=min(self._usual_s, LONGEST_S),
            )
        self._inside += 1
        self._measures.in_work.set(self._inside)
        start = perf_counter()
        try:
            yield
        finally:
            self._usual_s += WEIGHT * (perf_counter() - start - self._usual_s)
            self._inside -= 1
            self._measures.in_work.set(self._inside)
