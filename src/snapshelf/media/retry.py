"""What is worth another try, and when."""

import random
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

__all__ = ["TransientError", "retry_after", "retry_delay"]

_FIRST_S = 0.5
_LONGEST_S = 60.0


class TransientError(Exception):
    """A request failed in a way that may pass.

    Args:
        reason: What happened.
        after_s: How long the server asked to wait, in seconds; None where it did not say.
    """

    def __init__(self, reason: str, after_s: float | None = None) -> None:
        super().__init__(reason)
        self.after_s = after_s


def retry_delay(attempt: int, after_s: float | None) -> float:
    """Say how long to wait before the next try.

    Without a word from the server that is half a second, doubled with each failure, less up
    to half of it at random, so that many clients do not come back all at once.

    Args:
        attempt: How many tries have failed, from 1.
        after_s: What the server asked for, in seconds, or None.

    Returns:
        Seconds, in [0, 60].
    """
    if after_s is not None:
        return min(max(after_s, 0.0), _LONGEST_S)
    longest = min(_FIRST_S * 2.0 ** min(attempt - 1, 16), _LONGEST_S)
    return longest * random.uniform(0.5, 1.0)  # noqa: S311


def retry_after(header: str, now: datetime | None = None) -> float | None:
    """Read a Retry-After header (RFC 9110, section 10.2.3).

    Args:
        header: A number of seconds or an HTTP date; "" where there is no such header.
        now: The present, by default the clock's.

    Returns:
        Seconds from now, possibly negative for a date; None where the header says nothing.
    """
    text = header.strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        date = parsedate_to_datetime(text)
    except (TypeError, ValueError, OverflowError):
        return None
    if date.tzinfo is None:
        date = date.replace(tzinfo=UTC)
    return (date - (now or datetime.now(UTC))).total_seconds()
