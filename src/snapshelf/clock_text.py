"""Times of a clip in words."""

from collections.abc import Sequence

__all__ = ["clock_text", "spans_text"]

_MOST = 3


def clock_text(seconds: float) -> str:
    """Write a time as players show it, with tenths.

    Args:
        seconds: Since the clip's beginning, at least 0.

    Example:
        >>> clock_text(3.14), clock_text(75), clock_text(3723.96)
        ('0:03.1', '1:15.0', '1:02:04.0')
    """
    tenths = round(10 * seconds)
    minutes, tenths = divmod(tenths, 600)
    hours, minutes = divmod(minutes, 60)
    rest = f"{tenths // 10:02}.{tenths % 10}"
    return f"{hours}:{minutes:02}:{rest}" if hours else f"{minutes}:{rest}"


def spans_text(spans: Sequence[tuple[float, float]]) -> str:
    """Write when something is seen.

    Args:
        spans: First and last second of each appearance, in order, at least one.

    Returns:
        Each appearance; of more than three the first and last time, and how many there are.

    Example:
        >>> spans_text([(0.0, 1.5), (4.0, 4.0)])
        '0:00.0 to 0:01.5, 0:04.0'
        >>> spans_text([(0.0, 1.5), (4.0, 5.0), (6.0, 7.0), (8.0, 9.0)])
        '0:00.0 to 0:09.0, 4 times'
    """
    if len(spans) > _MOST:
        return f"{_span((spans[0][0], spans[-1][1]))}, {len(spans)} times"
    return ", ".join(_span(span) for span in spans)


def _span(span: tuple[float, float]) -> str:
    first, last = map(clock_text, span)
    return first if first == last else f"{first} to {last}"
