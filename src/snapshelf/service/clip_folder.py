"""Where clips lie while they are searched: a folder that does not outlive the service."""

import os
import shutil
import stat
import tempfile
from contextlib import suppress
from pathlib import Path
from threading import Lock

from filelock import FileLock, Timeout

from snapshelf.service.problems import ProblemError

__all__ = ["ClipFile", "ClipFolder"]

PREFIX = "snapshelf-clips-"
LOCK = "lock"


class ClipFolder:
    """A folder of clips, readable to its owner only.

    It is locked for as long as the process lives. A service that was killed leaves its folder
    behind; the next one that makes a folder removes those that nobody locks.

    Args:
        parent: Where to make it; None for the system's temporary folder.
        most_bytes: Of all clips in it.
    """

    def __init__(self, parent: Path | None, most_bytes: int) -> None:
        self._parent = parent
        self._most_bytes = most_bytes
        self._bytes = 0
        self._mutex = Lock()
        self._made: tuple[Path, FileLock] | None = None

    def prepare(self) -> None:
        """Make it now, and remove what killed services left, before anybody waits for that."""
        with self._mutex, suppress(OSError):
            if self._made is None:
                self._made = self._make()

    def new_file(self) -> "ClipFile":
        """Begin a clip.

        Raises:
            ProblemError: If the folder cannot be written.
        """
        try:
            with self._mutex:
                if self._made is None:
                    self._made = self._make()
                folder = self._made[0]
            handle, name = tempfile.mkstemp(dir=folder)
        except OSError:
            raise _cannot_write() from None
        return ClipFile(self, handle, Path(name))

    def take(self, size: int) -> None:
        """Count bytes of a clip.

        Raises:
            ProblemError: If there are too many.
        """
        with self._mutex:
            if self._bytes + size > self._most_bytes:
                raise ProblemError(
                    "busy", "the clips that wait fill the disk's share; try again", retry_after_s=30
                )
            self._bytes += size

    def give_back(self, size: int) -> None:
        """Count bytes off."""
        with self._mutex:
            self._bytes -= size

    def close(self) -> None:
        """Remove the folder and all that is in it."""
        with self._mutex:
            made, self._made = self._made, None
        if made is not None:
            made[1].release()
            shutil.rmtree(made[0], ignore_errors=True)

    def _make(self) -> tuple[Path, FileLock]:
        parent = Path(tempfile.gettempdir()) if self._parent is None else self._parent
        _sweep(parent)
        folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
        lock = FileLock(folder / LOCK)
        lock.acquire(timeout=0)
        return folder, lock


class ClipFile:
    """A clip on disk, or on its way there.

    Args:
        folder: Counts its bytes.
        handle: Of the file, open for writing.
        path: Of the file.

    Attributes:
        path: As given.
    """

    def __init__(self, folder: ClipFolder, handle: int, path: Path) -> None:
        self.path = path
        self._folder = folder
        self._file = os.fdopen(handle, "wb")
        self._size = 0

    def write(self, data: bytes) -> None:
        """Write more of it.

        Raises:
            ProblemError: If there is no room.
        """
        self._folder.take(len(data))
        self._size += len(data)
        try:
            self._file.write(data)
        except OSError:
            raise _cannot_write() from None

    def finish(self) -> Path:
        """End writing; gives where it lies."""
        try:
            self._file.close()
        except OSError:
            raise _cannot_write() from None
        return self.path

    def delete(self) -> None:
        """Remove it; twice does no harm."""
        with suppress(OSError):
            self._file.close()
        self.path.unlink(missing_ok=True)
        self._folder.give_back(self._size)
        self._size = 0


def _sweep(parent: Path) -> None:
    """Remove the folders of services that were killed; only one's own, and no links."""
    for folder in parent.glob(f"{PREFIX}*"):
        with suppress(OSError, Timeout):
            status = folder.lstat()
            own = not hasattr(os, "geteuid") or status.st_uid == os.geteuid()
            if own and stat.S_ISDIR(status.st_mode) and (folder / LOCK).exists():
                with FileLock(folder / LOCK, timeout=0):
                    pass
                shutil.rmtree(folder, ignore_errors=True)


def _cannot_write() -> ProblemError:
    return ProblemError("unavailable", "clips cannot be kept: is the disk full?", retry_after_s=60)
