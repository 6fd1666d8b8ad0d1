"""Long work that ends in order: the first signal asks it to stop, the next one ends at once."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

__all__ = ["Stop", "stop_on_signal"]

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Stop:
    """Which signal came.

    Attributes:
        signal: Its number; None if none came.
    """

    signal: int | None = None


@contextmanager
def stop_on_signal() -> Iterator[Stop]:
    """Note the first signal; a signal that is ignored, as under ``nohup``, stays so."""
    stop = Stop()
    before = {number: signal.getsignal(number) for number in SIGNALS}

    def note(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - Python's signature
        stop.signal = number
        for each in SIGNALS:
            signal.signal(each, signal.SIG_DFL)

    for number, handler in before.items():
        if handler is not signal.SIG_IGN:
            signal.signal(number, note)
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
