"""Where a product's pictures are read from: files below a folder, and URLs."""

import os
import re
import stat
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Protocol

from snapshelf.errors import PictureError
from snapshelf.media.limits import Limits

__all__ = ["PictureSource", "UrlReader"]

_URL = re.compile(r"https?://", re.IGNORECASE)
_OTHER_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*://|(file|data|blob|about):", re.IGNORECASE)
_OPEN_FLAGS = (
    os.O_RDONLY
    | getattr(os, "O_BINARY", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)
)


class UrlReader(Protocol):
    """What reads a picture from the web: a `Fetcher`, or a stand-in for one."""

    def fetch(self, url: str) -> bytes:
        """Give the bytes behind a URL.

        Raises:
            PictureError: If they cannot be had.
        """
        ...


class PictureSource:
    """Reads the images that a feed names, and no other file.

    A path is taken relative to the feed's folder and may not leave it, neither by its own
    parts nor through a symbolic link; only a regular file is ever opened. Any number of
    threads may use one source.

    Args:
        root: The feed's folder.
        limits: `Limits.max_bytes` bounds what is read.
        fetcher: Reads URLs; without one they are refused.
    """

    def __init__(
        self,
        root: Path,
        *,
        limits: Limits = Limits(),  # noqa: B008
        fetcher: UrlReader | None = None,
    ) -> None:
        self._root = root.resolve()
        self._limits = limits
        self._fetcher = fetcher

    def signature(self, image: str) -> str:
        """Give something cheap that changes when a file is written; nothing is read.

        Args:
            image: A path relative to the root, or an http(s) URL.

        Returns:
            ``"MTIME_NS:SIZE"`` for a file, "" for a URL.

        Raises:
            PictureError: If the image is missing, no regular file, or may not be read.
        """
        if _URL.match(image):
            self._allowed_reader(image)
            return ""
        _, status = self._find(image)
        return f"{status.st_mtime_ns}:{status.st_size}"

    def read(self, image: str) -> bytes:
        """Read an image's bytes.

        Args:
            image: A path relative to the root, or an http(s) URL.

        Returns:
            The whole file, at most `Limits.max_bytes` long; not yet known to be a picture.

        Raises:
            PictureError: If the image is missing, too large, no regular file, or may not be
                read; the message names it.
        """
        if _URL.match(image):
            data = self._allowed_reader(image).fetch(image)
        else:
            data = self._read_file(image)
        self._check_size(image, len(data))
        return data

    def _allowed_reader(self, url: str) -> UrlReader:
        if self._fetcher is None:
            raise PictureError(
                f"{url}: URLs are not fetched here; give a file in the feed's folder"
            )
        return self._fetcher

    def _check_size(self, image: str, size: int) -> None:
        if size > self._limits.max_bytes:
            raise PictureError(
                f"{image}: larger than the {self._limits.max_bytes:,} bytes that are accepted; "
                f"make it smaller"
            )

    def _read_file(self, image: str) -> bytes:
        path, _ = self._find(image)
        try:
            handle = os.open(path, _OPEN_FLAGS)
        except OSError as error:
            raise PictureError(f"{image}: cannot be opened: {error.strerror}") from error
        with open(handle, "rb") as file:
            # The file may have been swapped since it was looked up.
            status = os.fstat(handle)
            _check_regular(image, status)
            self._check_size(image, status.st_size)
            try:
                return file.read(self._limits.max_bytes + 1)
            except OSError as error:
                raise PictureError(f"{image}: cannot be read: {error.strerror}") from error

    def _find(self, image: str) -> tuple[Path, os.stat_result]:
        """Resolve a path below the root, without opening anything."""
        _check_relative(image)
        try:
            path = (self._root / image).resolve(strict=True)
            status = path.stat()
        except FileNotFoundError as error:
            raise PictureError(f"{image}: no such file in the feed's folder") from error
        except OSError as error:
            raise PictureError(f"{image[:300]}: cannot be found: {error.strerror}") from error
        except RuntimeError as error:
            raise PictureError(f"{image}: cannot be found: its links lead in a circle") from error
        except ValueError as error:
            raise PictureError(f"{image!r}: cannot be found: not a path here") from error
        if not path.is_relative_to(self._root):
            raise PictureError(
                f"{image}: a link leads out of the feed's folder; put the file itself there"
            )
        _check_regular(image, status)
        return path, status


def _check_relative(image: str) -> None:
    """Refuse whatever is not plainly a path below a folder, on any system.

    Raises:
        PictureError: If the path is empty, absolute, a URL of another scheme, holds a NUL or
            climbs with ``..``.
    """
    if not image.strip():
        raise PictureError("the image's path is empty, expected a path or an http(s) URL")
    if "\0" in image:
        raise PictureError(f"{image!r}: a path holds no NUL character")
    if _OTHER_SCHEME.match(image):
        raise PictureError(f"{image[:80]}: only http and https URLs are read")
    windows = PureWindowsPath(image)
    if PurePosixPath(image).is_absolute() or windows.anchor:
        raise PictureError(f"{image}: must be relative to the feed's folder")
    if ".." in windows.parts:
        raise PictureError(f"{image}: may not climb out of the feed's folder with '..'")


def _check_regular(image: str, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        kind = "a folder" if stat.S_ISDIR(status.st_mode) else "a device, pipe or socket"
        raise PictureError(f"{image}: is {kind}, expected a picture's file")
