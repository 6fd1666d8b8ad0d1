"""Pictures fetched before, kept in a folder with what tells whether they have changed."""

import hashlib
import json
import logging
import os
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from snapshelf.media.content import content_hash

__all__ = ["CachedAnswer", "WebCache"]

_MAGIC = b"snapshelf web cache 1\n"
_MAX_HEADER_BYTES = 64 * 1024
_MAX_VALIDATOR = 1024
_STALE_S = 3600.0
_FREED = 0.9
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class CachedAnswer:
    """A picture's bytes and its validators.

    Attributes:
        data: The body, as it came.
        etag: The ETag header, or "".
        last_modified: The Last-Modified header, or "".
    """

    data: bytes
    etag: str = ""
    last_modified: str = ""


class WebCache:
    """A folder of answers, one file for each key, which threads and processes may share.

    A file is written under another name and renamed, so it is there whole or not at all, and
    its digest is checked when it is read: what is damaged counts as missing. When the files
    grow beyond `max_bytes`, those longest unused are removed until nine tenths of it are
    left; what other processes write in the meantime is seen only then. A cache that cannot be
    written to is logged as a warning and otherwise does without.

    Args:
        folder: Created when first written to.
        max_bytes: Largest size of all files together.

    Raises:
        ValueError: If `max_bytes` is negative.
    """

    def __init__(self, folder: Path, max_bytes: int) -> None:
        if max_bytes < 0:
            raise ValueError(f"max_bytes must not be negative, got {max_bytes}")
        self._folder = folder
        self._max_bytes = max_bytes
        self._lock = Lock()
        self._size: int | None = None

    def get(self, key: str) -> CachedAnswer | None:
        """Give what was kept under a key; None where there is nothing, or nothing whole."""
        path = self._path(key)
        try:
            content = path.read_bytes()
        except OSError:
            return None
        answer = _unpack(content, key)
        if answer is not None:
            with suppress(OSError):
                os.utime(path)
        return answer

    def put(self, key: str, answer: CachedAnswer) -> None:
        """Keep an answer under a key, in place of what was there."""
        content = _pack(answer, key)
        try:
            self._write(self._path(key), content)
            with self._lock:
                self._make_room(len(content))
        except OSError as error:
            _log.warning("the cache of fetched pictures cannot be written to: %s", error)

    def _path(self, key: str) -> Path:
        name = hashlib.blake2b(key.encode("utf-8", "surrogatepass"), digest_size=20).hexdigest()
        return self._folder / name[:2] / name[2:]

    def _write(self, path: Path, content: bytes) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(suffix=".tmp", dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            os.replace(name, path)
        except BaseException:
            with suppress(OSError):
                os.unlink(name)
            raise

    def _make_room(self, written: int) -> None:
        """Count what was written, and remove the longest unused files if it is too much."""
        if self._size is not None:
            self._size += written
            if self._size <= self._max_bytes:
                return
        files = sorted(self._files())
        self._size = sum(size for _, size, _ in files)
        if self._size <= self._max_bytes:
            return
        for _, size, path in files:
            if self._size <= self._max_bytes * _FREED:
                break
            with suppress(FileNotFoundError):
                os.unlink(path)
            self._size -= size

    def _files(self) -> list[tuple[float, int, str]]:
        """Last use, size and path of each file; what a killed writer left behind is removed."""
        now = time.time()
        found = []
        for folder in (entry for entry in os.scandir(self._folder) if entry.is_dir()):
            for file in os.scandir(folder):
                with suppress(FileNotFoundError):
                    status = file.stat(follow_symlinks=False)
                    if file.name.endswith(".tmp") and now - status.st_mtime > _STALE_S:
                        os.unlink(file)
                        continue
                    found.append((status.st_mtime, status.st_size, file.path))
        return found


def _pack(answer: CachedAnswer, key: str) -> bytes:
    header = {
        "key": key,
        "etag": _validator(answer.etag),
        "last_modified": _validator(answer.last_modified),
        "hash": content_hash(answer.data),
    }
    return _MAGIC + json.dumps(header).encode() + b"\n" + answer.data


def _validator(header: str) -> str:
    """A header fit to be sent back to the server, or "" for one that is not."""
    fit = header.isascii() and header.isprintable() and len(header) <= _MAX_VALIDATOR
    return header if fit else ""


def _unpack(content: bytes, key: str) -> CachedAnswer | None:
    if not content.startswith(_MAGIC):
        return None
    end = content.find(b"\n", len(_MAGIC), len(_MAGIC) + _MAX_HEADER_BYTES)
    try:
        header = json.loads(content[len(_MAGIC) : end])
        etag, last_modified = _validator(header["etag"]), _validator(header["last_modified"])
        kept_for, digest = header["key"], header["hash"]
    except (AttributeError, KeyError, RecursionError, TypeError, ValueError):
        return None
    data = content[end + 1 :]
    if end < 0 or kept_for != key or digest != content_hash(data):
        return None
    return CachedAnswer(data, etag, last_modified)
