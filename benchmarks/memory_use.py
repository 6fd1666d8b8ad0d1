"""How much memory this process has taken, its own apart from what it maps of files."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["MemoryUse", "watched_memory"]

STATUS = Path("/proc/self/status")
EVERY_S = 0.05
FIELDS = {"RssAnon": "own", "RssFile": "mapped", "VmHWM": "resident"}


class MemoryUse:
    """Most memory at any time, in MiB.

    Attributes:
        own: Of no file, which only ends with the process (Linux's RssAnon), as looked at every
            `EVERY_S` seconds.
        mapped: Pages of files that are mapped (RssFile), looked at likewise; they belong to the
            page cache, and the system takes them back where others need the room.
        resident: Both together, as the system notes it (VmHWM).
    """

    def __init__(self) -> None:
        self.own = self.mapped = self.resident = 0.0

    def look(self) -> None:
        """Take in how much it is now."""
        for line in STATUS.read_text().splitlines():
            name, _, rest = line.partition(":")
            if name in FIELDS:
                attribute = FIELDS[name]
                mib = int(rest.split()[0]) / 1024
                setattr(self, attribute, max(getattr(self, attribute), mib))

    def as_json(self, prefix: str) -> dict[str, int]:
        """Give the three numbers under names that begin with a word."""
        self.look()
        return {f"{prefix}_{name}_mib": round(getattr(self, name)) for name in FIELDS.values()}


@contextmanager
def watched_memory() -> Iterator[MemoryUse]:
    """Look at the memory again and again while something runs."""
    use, done = MemoryUse(), threading.Event()

    def watch() -> None:
        while not done.wait(EVERY_S):
            use.look()

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield use
    finally:
        done.set()
        thread.join()
        use.look()
