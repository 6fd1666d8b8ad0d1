"""Lines of a text feed, none of them unbounded, which can be taken back."""

from collections import deque
from collections.abc import Iterator
from typing import Self, TextIO

from snapshelf.catalog.limits import MAX_RECORD
from snapshelf.errors import FeedError

__all__ = ["RecordLines", "TooLongError", "bounded_lines"]

MAX_TAKEN_BACK = 64 * MAX_RECORD


class TooLongError(Exception):
    """A record has more than `MAX_RECORD` characters."""


def bounded_lines(text: TextIO) -> Iterator[str]:
    """The lines of a text with their ends, an overlong one cut to `MAX_RECORD` + 1 characters.

    Args:
        text: Opened with ``newline=""``.

    Yields:
        Each line once, so that counting them gives line numbers.
    """
    readline = text.readline
    while line := readline(MAX_RECORD + 1):
        yield line
        if len(line) > MAX_RECORD:
            while line and not line.endswith(("\n", "\r")):
                line = readline(MAX_RECORD)


class RecordLines:
    """Iterates over lines and remembers those of the current record.

    Args:
        text: Opened with ``newline=""``.
        feed: The feed's name, for messages.

    Attributes:
        start: Line number of the current record's first line, from 1.
    """

    def __init__(self, text: TextIO, feed: str) -> None:
        self._lines = bounded_lines(text)
        self._feed = feed
        self._again: deque[str] = deque()
        self._record: list[str] = []
        self._size = 0
        self._taken_back = 0
        self.start = 1

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else next(self._lines)
        self._record.append(line)
        self._size += len(line)
        if self._size > MAX_RECORD:
            raise TooLongError
        return line

    def begin_record(self) -> None:
        """Say that the next line is the first of a record."""
        self.start += len(self._record)
        self._record.clear()
        self._size = 0

    def take_back(self) -> None:
        """Give the current record's lines again, without its first one.

        Raises:
            FeedError: If so much was taken back that the feed cannot be what it was taken for.
        """
        again = self._record[1:]
        self._taken_back += sum(map(len, again))
        if self._taken_back > MAX_TAKEN_BACK:
            raise FeedError(
                f"{self._feed} has too many rows with a quote that is not closed, the last in "
                f'line {self.start}; write a quote within a field twice ("") and quote the field'
            )
        self._again.extendleft(reversed(again))
        del self._record[1:]
