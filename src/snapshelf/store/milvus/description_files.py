"""Where descriptions of regions are: small ones in rows, large ones in files that fsspec reaches.

A description for verifying by local features takes tens of kilobytes. Milvus keeps the fields of
loaded rows in memory, takes 64 KiB of text in one at most, and is asked for a shortlist's only: so
those go into object storage or a shared folder. Each batch writes one file there, its bodies one
after the other, before its rows, which name the file, the place in it and a checksum; a file never
changes, and is removed when no row names it any more.
"""

import base64
import binascii
import os
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from snapshelf.errors import ShelfError
from snapshelf.store.database import sync

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

__all__ = [
    "INLINE",
    "DescriptionFiles",
    "MissingFileError",
    "features_place",
    "inline",
    "is_inline",
    "read_inline",
]

INLINE = 1_024
"""Bytes of a description that are kept in its row: as many as an embedding of 256 numbers takes, so
that a row at most doubles."""

_SUFFIX = ".block"

HOW = (
    "set SNAPSHELF_FEATURES, or ?features= in the shelf's address, to a place that all machines "
    "reach, such as s3://bucket/folder or file:///mnt/shared/features"
)


class MissingFileError(ShelfError):
    """A file of descriptions is not there (any more)."""


def features_place(given: str, noted: str) -> str:
    """Tell where large descriptions are kept.

    Args:
        given: By the shelf's address, "" if it does not say.
        noted: By the shelf itself, "" if it has none yet.
    """
    return given or os.environ.get("SNAPSHELF_FEATURES", "") or noted


def inline(body: bytes) -> str:
    """Write a small description as the text of a row."""
    return "=" + base64.b64encode(body).decode()


def is_inline(described: str) -> bool:
    """Whether a description is in the row itself."""
    return described.startswith("=")


def read_inline(described: str) -> bytes:
    """Read back what `inline` wrote."""
    return base64.b64decode(described[1:])


class DescriptionFiles:
    """The files of one shelf's large descriptions.

    Args:
        place: Where the files of all shelves are, as fsspec writes it.
        shelf: Identity of the shelf, which names its folder there.

    Raises:
        ShelfError: If fsspec knows no such place, or lacks what it needs to reach it.
    """

    def __init__(self, place: str, shelf: str) -> None:
        try:
            import fsspec
        except ImportError:
            raise ShelfError(
                f"{place} is reached through fsspec: pip install 'snapshelf[cluster]'"
            ) from None
        self._place = place
        try:
            # No caches: another process writes what this one reads.
            found = fsspec.core.url_to_fs(f"{place.rstrip('/')}/{shelf}", use_listings_cache=False)
        except (ValueError, ImportError, TypeError) as error:
            raise ShelfError(
                f"SNAPSHELF_FEATURES={place} cannot be used: {error}; {HOW}"
            ) from error
        self._files: AbstractFileSystem = found[0]
        self._folder: str = found[1].rstrip("/")

    def write(self, block: int, bodies: Sequence[bytes]) -> list[str]:
        """Write a file; it is safe on the disk, or with the object store, after that.

        Args:
            block: Number of the file, never used before.
            bodies: The descriptions.

        Returns:
            For each what its row says.
        """
        path, data = self._path(block), b"".join(bodies)
        with self._errors(path):
            self._files.makedirs(self._folder, exist_ok=True)
            self._files.pipe_file(path, data)
            if self._is_local:
                with open(path, "rb") as file:
                    os.fsync(file.fileno())
                sync(Path(self._folder))
        described, start = [], 0
        for body in bodies:
            described.append(f"@{block}:{start}:{len(body)}:{zlib.crc32(body)}")
            start += len(body)
        return described

    def read(self, described: Mapping[int, str]) -> dict[int, bytes]:
        """Read descriptions, each by the range of its file.

        Args:
            described: What rows say, by any number.

        Raises:
            MissingFileError: If a file is not there.
            ShelfError: If one is damaged, or the place cannot be reached.
        """
        wanted = {key: _parse(text) for key, text in described.items()}
        # The same part of a picture that many products show is read once.
        parts = list(dict.fromkeys(wanted.values()))
        paths = [self._path(block) for block, _, _, _ in parts]
        starts = [start for _, start, _, _ in parts]
        ends = [start + size for _, start, size, _ in parts]
        with self._errors(self._folder):
            found: list[Any] = self._files.cat_ranges(paths, starts, ends, on_error="return")
        bodies = {}
        for part, path, body in zip(parts, paths, found, strict=True):
            _, _, size, checksum = part
            if isinstance(body, BaseException):
                with self._errors(path):
                    raise body
            if len(body) != size or zlib.crc32(body) != checksum:
                raise ShelfError(
                    f"{self._place}: {path} is damaged: restore it from a backup, or index the "
                    "feed into a new shelf"
                )
            bodies[part] = bytes(body)
        return {key: bodies[part] for key, part in wanted.items()}

    def blocks(self) -> list[int]:
        """Give the numbers of the files that are there."""
        with self._errors(self._folder):
            try:
                names = self._files.ls(self._folder, detail=False)
            except FileNotFoundError:
                return []
        stems = (name.rsplit("/", 1)[-1].removesuffix(_SUFFIX) for name in names)
        return sorted(int(stem) for stem in stems if stem.isdigit())

    def remove(self, blocks: Iterable[int]) -> None:
        """Remove files; those that are not there are ignored."""
        for block in blocks:
            path = self._path(block)
            with self._errors(path):
                try:
                    self._files.rm_file(path)
                except FileNotFoundError:
                    continue

    @property
    def _is_local(self) -> bool:
        protocol = self._files.protocol
        return "file" in ((protocol,) if isinstance(protocol, str) else protocol)

    def _path(self, block: int) -> str:
        return f"{self._folder}/{block}{_SUFFIX}"

    @contextmanager
    def _errors(self, path: str) -> Iterator[None]:
        try:
            yield
        except ShelfError:
            raise
        except FileNotFoundError as error:
            raise MissingFileError(
                f"{self._place}: {path} is missing: was the place of the shelf's descriptions "
                "emptied or moved? Restore it, or index the feed into a new shelf"
            ) from error
        # Each file system that fsspec reaches raises errors of its own.
        except Exception as error:
            raise ShelfError(
                f"{self._place}: {path}: {error}; check the place, how much room it has, and the "
                "permissions and credentials for it"
            ) from error


def _parse(described: str) -> tuple[int, int, int, int]:
    try:
        block, start, size, checksum = described.removeprefix("@").split(":")
        return int(block), int(start), int(size), int(checksum)
    except (ValueError, binascii.Error) as error:
        raise ShelfError(
            f"the shelf is damaged: {described[:40]!r} is no place of a description"
        ) from error
