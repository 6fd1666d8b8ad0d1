"""Ctrl-C and `kill`: the command ends in order if it can, and soon in any case."""

import os
import signal
import sys
from contextlib import suppress
from threading import Lock, Timer
from types import FrameType
from typing import NoReturn

__all__ = ["Interrupted", "end_now", "watch_signals"]

SIGNALS = (signal.SIGINT, signal.SIGTERM)

GRACE_S = 3.0
"""How long the command may take to end in order; a server that is silent takes longer."""

SHOW_CURSOR = "\x1b[?25h\n"

_ENDING = Lock()


class Interrupted(BaseException):
    """The user, or the system, asked the command to stop.

    No `Exception`, so that nothing on the way takes it for an error of its own work.

    Args:
        number: The signal's number.

    Attributes:
        exit_code: 128 and the signal's number, as shells have it: 130 for Ctrl-C.
    """

    def __init__(self, number: int) -> None:
        name = signal.Signals(number).name
        super().__init__(f"stopped by {name}; what a shelf has stored so far is kept")
        self.exit_code = 128 + number


def watch_signals() -> None:
    """Turn the first signal into an `Interrupted`; the next one ends the process at once.

    Where ending in order takes more than `GRACE_S`, the process ends all the same: a shelf
    stays at its last commit. A signal that the process was started to ignore, as under
    ``nohup``, stays ignored.
    """
    for number in SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _interrupt)


def _interrupt(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - Python's signature
    for each in SIGNALS:
        signal.signal(each, signal.SIG_DFL)
    interruption = Interrupted(number)
    end = Timer(GRACE_S, end_now, [interruption])
    end.daemon = True
    end.start()
    raise interruption


def end_now(interruption: Interrupted) -> NoReturn:
    """Tell of the interruption and end, leaving the terminal in order; no thread is waited for."""
    _ENDING.acquire()  # never released: of two threads that want to end, one does
    with suppress(Exception):
        stream = sys.__stderr__
        if stream is not None:
            stream.write(f"{SHOW_CURSOR if stream.isatty() else ''}error: {interruption}\n")
            stream.flush()
    os._exit(interruption.exit_code)
