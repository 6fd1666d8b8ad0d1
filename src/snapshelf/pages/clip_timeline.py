"""When the items of a clip are seen, laid out along a line."""

from collections.abc import Sequence
from dataclasses import dataclass

from snapshelf.clock_text import clock_text, spans_text
from snapshelf.pages.render import data_uri
from snapshelf.shelf.result import ClipFacts, FoundItem

__all__ = ["Bar", "Tick", "Timeline", "TimelineRow", "timeline"]

_STEPS = (0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600)
"""Seconds from one tick to the next, of which the first that is wide enough is taken."""

_TICKS = 8
_LEAST_WIDTH = 0.6
"""Percent: a glimpse must be seen too."""


@dataclass(frozen=True, slots=True)
class Bar:
    """An appearance, in percent of the line."""

    left: float
    width: float


@dataclass(frozen=True, slots=True)
class Tick:
    """A time named below the line, in percent of it."""

    left: float
    text: str


@dataclass(frozen=True, slots=True)
class TimelineRow:
    """An item of a clip.

    Attributes:
        found: The item.
        picture: Of its best frame.
        seen: When, in words.
        bars: One for each appearance.
        best: Where its best frame is, in percent; None where it has none.
    """

    found: FoundItem
    picture: str
    seen: str
    bars: tuple[Bar, ...]
    best: float | None


@dataclass(frozen=True, slots=True)
class Timeline:
    """The line of a clip: a row for each item, and the times below."""

    rows: tuple[TimelineRow, ...]
    ticks: tuple[Tick, ...]
    length: str


def timeline(clip: ClipFacts, items: Sequence[FoundItem]) -> Timeline:
    """Lay out the line of a clip.

    Args:
        clip: Tells how long it is.
        items: Its items; those that tell no times have no bars.

    Returns:
        A row for each item, in the order given.
    """
    ends = [span[1] for found in items for span in found.item.spans]
    seconds = max([clip.seconds, *ends, 0.1])
    return Timeline(
        tuple(_row(found, seconds) for found in items),
        _ticks(seconds),
        clock_text(max(clip.seconds, 0.0)),
    )


def _row(found: FoundItem, seconds: float) -> TimelineRow:
    item = found.item
    bars = []
    for first, last in item.spans:
        width = max(100 * (last - first) / seconds, _LEAST_WIDTH)
        bars.append(Bar(min(100 * first / seconds, 100 - width), width))
    return TimelineRow(
        found,
        data_uri(item.best.jpeg) if item.best and item.best.jpeg else "",
        spans_text(item.spans) if item.spans else "",
        tuple(bars),
        100 * item.best.seconds / seconds if item.best else None,
    )


def _ticks(seconds: float) -> tuple[Tick, ...]:
    step = next((each for each in _STEPS if seconds / each <= _TICKS), seconds / _TICKS)
    count = int(seconds / step)
    return tuple(
        Tick(100 * number * step / seconds, clock_text(number * step).removesuffix(".0"))
        for number in range(count + 1)
    )
