"""Pictures that customers asked to be kept, so that a link shows what they found.

Off unless whoever runs the service gives a folder. A picture is kept when its link is asked for and
not before, written anew so that nothing but its pixels is kept, and goes after some days.
"""

import os
import re
import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Lock

__all__ = ["KeptPictures"]

NAME = re.compile(r"[0-9a-f]{32}")


class KeptPictures:
    """A bounded folder of pictures; any number of threads and processes may use it.

    Args:
        folder: Made if missing, readable to its owner only. Only what has a name as given here
            is ever removed from it.
        most_bytes: Of all pictures; the oldest go first.
        seconds: How long a picture is kept.
        clock: Gives the Unix time in seconds.

    Raises:
        OSError: If the folder cannot be made.
    """

    def __init__(
        self,
        folder: Path,
        *,
        most_bytes: int,
        seconds: float,
        clock: Callable[[], float] = time.time,
    ) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder = folder
        self._most_bytes = most_bytes
        self._clock = clock
        self._lock = Lock()
        self.seconds = seconds

    def keep(self, jpeg: bytes) -> str:
        """Keep a picture.

        Args:
            jpeg: Its file.

        Returns:
            Its name, which cannot be guessed.

        Raises:
            OSError: If it cannot be written.
        """
        name = secrets.token_hex(16)
        with self._lock:
            partial = self._folder / f"{name}.partial"
            handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "wb") as stream:
                stream.write(jpeg)
            os.utime(partial, (self._clock(), self._clock()))
            partial.replace(self._folder / name)
            self._sweep()
        return name

    def read(self, name: str) -> bytes | None:
        """Read a picture; None if there is none of that name, or no more."""
        if not NAME.fullmatch(name):
            return None
        file = self._folder / name
        try:
            if file.stat().st_mtime + self.seconds <= self._clock():
                file.unlink(missing_ok=True)
                return None
            return file.read_bytes()
        except OSError:
            return None

    def _sweep(self) -> None:
        """Remove what is too old, and the oldest of what is too much."""
        kept = []
        for file in self._folder.iterdir():
            if NAME.fullmatch(file.name):
                with suppress(OSError):  # another process may have removed it
                    status = file.stat()
                    kept.append((status.st_mtime, status.st_size, file))
        total = 0
        for changed, size, file in sorted(kept, reverse=True):
            total += size
            if changed + self.seconds <= self._clock() or total > self._most_bytes:
                file.unlink(missing_ok=True)
