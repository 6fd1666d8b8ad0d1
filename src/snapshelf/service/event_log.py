"""Events of a page, kept for later training in files that do not grow without end."""

import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from threading import Lock
from typing import Any

__all__ = ["EventLog"]


class EventLog:
    """JSON Lines, one event a line; any number of threads may add.

    Once a file has `most_bytes` it is renamed, ``NAME.1`` being the latest, and the oldest goes.
    What is added is handed to the operating system at once, and not forced onto the disk: a kill
    of the process loses nothing, a power cut may lose the last seconds.

    Args:
        file: Where to write; made with the first event.
        most_bytes: Size from which the next file is begun.
        most_files: Files kept, the one that is written to included.
    """

    def __init__(self, file: Path, *, most_bytes: int, most_files: int) -> None:
        self._file = file
        self._most_bytes = most_bytes
        self._most_files = most_files
        self._lock = Lock()

    def add(self, event: Mapping[str, Any]) -> None:
        """Add an event, with the time (UTC, ISO 8601).

        Args:
            event: What JSON can hold.

        Raises:
            OSError: If the file cannot be written.
        """
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        line = json.dumps({"time": now, **event}).encode() + b"\n"
        with self._lock:
            handle = os.open(self._file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                os.write(handle, line)
                full = os.fstat(handle).st_size >= self._most_bytes
            finally:
                os.close(handle)
            if full:
                self._begin_next()

    def _begin_next(self) -> None:
        names = [self._file, *(self._numbered(n) for n in range(1, self._most_files))]
        if len(names) == 1:
            self._file.unlink()
        for number in range(len(names) - 1, 0, -1):
            if names[number - 1].exists():
                names[number - 1].replace(names[number])

    def _numbered(self, number: int) -> Path:
        return self._file.with_name(f"{self._file.name}.{number}")
