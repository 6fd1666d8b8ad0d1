"""A feed that was sent: bounded, unpacked, under a name of ours, for as long as it is read."""

import secrets
import tempfile
import zlib
from pathlib import Path
from typing import BinaryIO

from snapshelf.service.own_folder import OwnFolder
from snapshelf.service.problems import ProblemError

__all__ = ["PREFIX", "unpack_feed"]

PREFIX = "snapshelf-feeds-"
"""Begins the name of the folder of all feeds that a process was sent."""

GZIP = b"\x1f\x8b"
BLOCK = 1 << 20
SUFFIXES = frozenset(
    (".csv", ".tsv", ".tab", ".jsonl", ".ndjson", ".xml", ".rss", ".atom", ".parquet", ".txt")
)


def unpack_feed(
    name: str, file: BinaryIO, most_bytes: int, into: OwnFolder
) -> "tempfile.TemporaryDirectory[str]":
    """Put a feed that was sent into a folder of its own, unpacked and under a name of ours.

    Args:
        name: As it was sent; only a known suffix of it is used.
        file: The feed, plain or packed with gzip.
        most_bytes: Of it, unpacked.
        into: Where the folder is made.

    Returns:
        The folder with the one file; to be cleaned up by the caller.

    Raises:
        ProblemError: If it is larger, empty, or no whole gzip file, or cannot be written.
    """
    plain = name.lower().removesuffix(".gz")
    suffix = Path(plain.replace("\\", "/").rpartition("/")[2]).suffix
    try:
        folder = tempfile.TemporaryDirectory(dir=into.path())
    except OSError:
        raise _cannot_write() from None
    try:
        target = (
            Path(folder.name) / f"{secrets.token_hex(16)}{suffix if suffix in SUFFIXES else ''}"
        )
        with target.open("xb") as written:
            _copy(file, written, most_bytes)
        if not target.stat().st_size:
            raise ProblemError("invalid", "the feed's file is empty")
    except OSError:
        folder.cleanup()
        raise _cannot_write() from None
    except BaseException:
        folder.cleanup()
        raise
    return folder


def _cannot_write() -> ProblemError:
    return ProblemError("unavailable", "feeds cannot be kept: is the disk full?", retry_after_s=60)


def _copy(file: BinaryIO, written: BinaryIO, most_bytes: int) -> None:
    head = file.read(len(GZIP))
    file.seek(0)
    unpacker = zlib.decompressobj(wbits=31) if head == GZIP else None
    size = 0
    while block := file.read(BLOCK):
        parts = [block]
        while parts:
            part = parts.pop()
            if unpacker is not None:
                try:
                    part = unpacker.decompress(part, BLOCK)
                except zlib.error:
                    raise ProblemError("invalid", "the feed is no whole gzip file") from None
                if unpacker.unconsumed_tail:
                    parts.append(unpacker.unconsumed_tail)
            size += len(part)
            if size > most_bytes:
                raise ProblemError(
                    "too-large", f"the feed has more than {most_bytes:,} bytes, unpacked"
                )
            written.write(part)
    if unpacker is not None and not unpacker.eof:
        raise ProblemError("invalid", "the feed is no whole gzip file: it ends early")
