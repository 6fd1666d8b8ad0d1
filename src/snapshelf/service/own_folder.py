"""A folder of one process: the next one removes what a killed one left."""

import os
import shutil
import stat
import tempfile
from contextlib import suppress
from pathlib import Path
from threading import Lock

from filelock import FileLock, Timeout

__all__ = ["OwnFolder"]

LOCK = "lock"


class OwnFolder:
    """A folder that only its owner can read, made when it is first needed.

    It is locked for as long as the process lives. A service that was killed leaves its folder
    behind; the next one that makes a folder of the same kind removes those that nobody locks.

    Args:
        prefix: Begins the names of all folders of its kind.
        parent: Where to make it; None for the system's temporary folder.
    """

    def __init__(self, prefix: str, parent: Path | None = None) -> None:
        self._prefix = prefix
        self._parent = parent
        self._mutex = Lock()
        self._made: tuple[Path, FileLock] | None = None

    def prepare(self) -> None:
        """Make it now, and remove what killed services left, before anybody waits for that."""
        with suppress(OSError):
            self.path()

    def path(self) -> Path:
        """Give the folder.

        Raises:
            OSError: If it cannot be made.
        """
        with self._mutex:
            if self._made is None:
                self._made = self._make()
            return self._made[0]

    def close(self) -> None:
        """Remove the folder and all that is in it."""
        with self._mutex:
            made, self._made = self._made, None
        if made is not None:
            made[1].release()
            shutil.rmtree(made[0], ignore_errors=True)

    def _make(self) -> tuple[Path, FileLock]:
        parent = Path(tempfile.gettempdir()) if self._parent is None else self._parent
        _sweep(parent, self._prefix)
        folder = Path(tempfile.mkdtemp(prefix=self._prefix, dir=parent))
        lock = FileLock(folder / LOCK)
        lock.acquire(timeout=0)
        return folder, lock


def _sweep(parent: Path, prefix: str) -> None:
    """Remove the folders of services that were killed; only one's own, and no links."""
    for folder in parent.glob(f"{prefix}*"):
        with suppress(OSError, Timeout):
            status = folder.lstat()
            own = not hasattr(os, "geteuid") or status.st_uid == os.geteuid()
            if own and stat.S_ISDIR(status.st_mode) and (folder / LOCK).exists():
                with FileLock(folder / LOCK, timeout=0):
                    pass
                shutil.rmtree(folder, ignore_errors=True)
