"""Where clips lie while they are searched: a folder that does not outlive the service."""

import os
import tempfile
from contextlib import suppress
from pathlib import Path
from threading import Lock

from snapshelf.service.own_folder import OwnFolder
from snapshelf.service.problems import ProblemError

__all__ = ["ClipFile", "ClipFolder"]

PREFIX = "snapshelf-clips-"


class ClipFolder:
    """A folder of clips, readable to its owner only.

    Args:
        parent: Where to make it; None for the system's temporary folder.
        most_bytes: Of all clips in it.
    """

    def __init__(self, parent: Path | None, most_bytes: int) -> None:
        self._folder = OwnFolder(PREFIX, parent)
        self._most_bytes = most_bytes
        self._bytes = 0
        self._mutex = Lock()

    def prepare(self) -> None:
        """Make it now, and remove what killed services left, before anybody waits for that."""
        self._folder.prepare()

    def new_file(self) -> "ClipFile":
        """Begin a clip.

        Raises:
            ProblemError: If the folder cannot be written.
        """
        try:
            handle, name = tempfile.mkstemp(dir=self._folder.path())
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
        self._folder.close()


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


def _cannot_write() -> ProblemError:
    return ProblemError("unavailable", "clips cannot be kept: is the disk full?", retry_after_s=60)
