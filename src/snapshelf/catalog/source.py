"""The feed's file or folder: decompressed, decoded, and every failure to read it a `FeedError`."""

import codecs
import gzip
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path
from typing import IO, TextIO, cast

from snapshelf.errors import FeedError

__all__ = ["HEAD_BYTES", "UNREADABLE", "Source"]

HEAD_BYTES = 1 << 16
"""Bytes at the beginning of a feed (after decompression) that its format is recognised by."""

GZIP_MAGIC = b"\x1f\x8b"
BYTE_ORDER_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",  # before UTF-16, whose mark is the beginning of this one
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
XML_ENCODING = re.compile(rb"""<\?xml[^>]*?\sencoding=["']([A-Za-z0-9._-]+)["']""")

FIRST_MARK = 0x10FE00
UNREADABLE = re.compile("[\ud800-\udfff\U0010fe00-\U0010feff]")
"""Finds what cannot be text: a byte that could not be decoded, or half of a surrogate pair."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a feed is read from.

    Attributes:
        path: The feed's file or folder.
        encoding: The encoding of a text feed that has no byte order mark, None for what an
            XML declaration says, or UTF-8.
    """

    path: Path
    encoding: str | None = None

    @contextmanager
    def open_bytes(self) -> Iterator[IO[bytes]]:
        """Open the file, decompressed if it is gzip.

        Raises:
            FeedError: If it cannot be opened, or cannot be read to its end.
        """
        with self.readable(), self.path.open("rb") as file:
            is_gzip = file.read(2) == GZIP_MAGIC
            file.seek(0)
            if is_gzip:
                with gzip.GzipFile(fileobj=file) as unpacked:
                    yield cast("IO[bytes]", unpacked)
            else:
                yield file

    @contextmanager
    def open_text(self) -> Iterator[TextIO]:
        r"""Open the file as text, its line ends kept (``\n``, ``\r`` and ``\r\n``).

        A byte that cannot be decoded becomes a character of a private range that `UNREADABLE`
        finds, so that one bad row costs no other.

        Raises:
            FeedError: If it cannot be opened, or cannot be read to its end.
        """
        codecs.register_error("snapshelf-mark", _mark_unreadable)
        codec = self.codec()
        with (
            self.open_bytes() as file,
            TextIOWrapper(file, encoding=codec, errors="snapshelf-mark", newline="") as text,
        ):
            yield text

    def head(self) -> bytes:
        """The first `HEAD_BYTES` bytes, decompressed."""
        with self.open_bytes() as file:
            return file.read(HEAD_BYTES)

    def codec(self) -> str:
        """The text's encoding: by its byte order mark, as given, as XML declares, or UTF-8.

        Raises:
            FeedError: If the feed's XML declaration names an encoding that is not known.
        """
        head = self.head()
        for mark, codec in BYTE_ORDER_MARKS.items():
            if head.startswith(mark):
                return codec
        if self.encoding is not None:
            return self.encoding
        declared = XML_ENCODING.match(head)
        if declared is None:
            return "utf-8"
        name = declared[1].decode()
        if name.lower().startswith(("utf-16", "utf-32", "utf16", "utf32")):
            return "utf-8"  # the declaration could be read as ASCII, so it is wrong
        try:
            "".encode(name)
        except (LookupError, UnicodeError):
            raise FeedError(
                f"{self.path.name} declares the encoding {name!r}, which is not known",
                cure="give its encoding, such as 'utf-8' or 'cp1252'",
                about="encoding",
            ) from None
        return name

    @contextmanager
    def readable(self) -> Iterator[None]:
        """Turn every failure to read into a `FeedError` that names the feed."""
        try:
            yield
        except (OSError, EOFError, zlib.error, UnicodeError) as error:
            raise FeedError(
                f"{self.path} cannot be read: {error}",
                cure="is it whole, and may you read it?",
                about="place",
            ) from error


def _mark_unreadable(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    bad = error.object[error.start : error.end]
    return "".join(chr(FIRST_MARK + byte) for byte in bad), error.end
