"""A shop's catalogue, read from its product feed."""

import codecs
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from snapshelf.catalog.building import ProductBuilder
from snapshelf.catalog.columns import Columns, check_mapping, match_columns
from snapshelf.catalog.currency import CURRENCY_CODES
from snapshelf.catalog.duplicates import SeenIds
from snapshelf.catalog.entry import Entry, Problem
from snapshelf.catalog.formats import FORMATS
from snapshelf.catalog.recognition import recognise_format
from snapshelf.catalog.row import Header, Row
from snapshelf.catalog.source import Source
from snapshelf.errors import FeedError

__all__ = ["Catalog"]

HOST_NAME_CODECS = frozenset({"idna", "punycode"})
"""They are listed as text encodings, but cannot go on behind a bad byte."""


@dataclass(frozen=True, slots=True)
class Catalog:
    """The products of a feed, streamed: iterate over it, as often as you like.

    Make one with `Catalog.open`.

    Attributes:
        path: The feed's file or folder.
        format: The name of its format in `FORMATS`.
        columns: The columns given for fields of a product.
        encoding: The encoding given, None if none was.
        currency: ISO 4217 code for prices without a currency, "" for unknown.

    Example:
        >>> catalog = Catalog.open("feed.csv", columns={"id": "sku"})  # doctest: +SKIP
        >>> for found in catalog:  # doctest: +SKIP
        ...     print(found)
    """

    path: Path
    format: str
    columns: Mapping[str, str] = field(default_factory=dict)
    encoding: str | None = None
    currency: str = ""

    @classmethod
    def open(
        cls,
        path: Path | str,
        *,
        format: str | None = None,  # noqa: A002  # the word that everybody looks for
        columns: Mapping[str, str] | None = None,
        encoding: str | None = None,
        currency: str = "",
    ) -> "Catalog":
        """Open a feed: recognise its format and understand its columns.

        Args:
            path: The feed's file (may be packed with gzip), or a folder of pictures.
            format: A name of `FORMATS`; None to recognise it by the feed's content.
            columns: From a field of a product (`PRODUCT_FIELDS`) to the feed's column it is
                read from; an empty column name leaves the field unread. The rest is read from
                the columns with the usual names.
            encoding: Of a text feed without a byte order mark; None for UTF-8, or what an XML
                feed declares.
            currency: ISO 4217 code for prices without a currency.

        Returns:
            The catalogue.

        Raises:
            ValueError: If the format, encoding or currency is not known, or `columns` names a
                field that a product does not have.
            FeedError: If the feed is missing, empty or none of the formats, or if it has no
                column for the ID or the picture or lacks one named in `columns`.
        """
        mapping = dict(columns or {})
        check_mapping(mapping)
        if format is not None and format not in FORMATS:
            raise ValueError(f"format must be one of {', '.join(FORMATS)}, got {format!r}")
        if currency and currency not in CURRENCY_CODES:
            raise ValueError(
                f"currency must be a code of ISO 4217 such as EUR, or empty, got {currency!r}"
            )
        if encoding is not None:
            _check_encoding(encoding)
        source = Source(Path(path), encoding)
        if not source.path.exists():
            raise FeedError(
                f"{path} does not exist",
                cure="give a feed's file or a folder of pictures",
                about="place",
            )
        if not source.path.is_file() and not source.path.is_dir():
            raise FeedError(f"{path} is neither a file nor a folder")
        if format is None:
            format = recognise_format(source)  # noqa: A001
        catalog = cls(source.path, format, mapping, encoding, currency)
        with closing(FORMATS[format](source)) as rows:
            catalog._match(next(rows))
        return catalog

    @property
    def root(self) -> Path:
        """The folder that image paths are relative to."""
        return self.path if self.path.is_dir() else self.path.parent

    def __iter__(self) -> Iterator[Entry | Problem]:
        """Read the feed from its beginning.

        Yields:
            An `Entry` for each good row and a `Problem` for each bad one, in the feed's order;
            the problems of single pictures follow their product's entry.

        Raises:
            FeedError: If the feed cannot be read on from some place; what stands before it has
                been yielded.
        """
        source = Source(self.path, self.encoding)
        with closing(FORMATS[self.format](source)) as rows:
            columns = self._match(next(rows))
            encoding = "utf-8" if self.path.is_dir() else source.codec()
            builder = ProductBuilder(columns, currency=self.currency, encoding=encoding)
            try:
                with SeenIds() as seen:
                    for row in rows:
                        if isinstance(row, Row):
                            yield from _understand(row, builder, seen, columns["id"][0])
                        elif isinstance(row, Problem):
                            yield row
            except sqlite3.Error as error:
                raise FeedError(
                    f"the IDs of {self.path.name} cannot be kept in a temporary file: {error}; "
                    "is the disk full?"
                ) from error

    def _match(self, header: Header | Row | Problem) -> Columns:
        assert isinstance(header, Header), "a reader yields its header first"
        return match_columns(header, self.columns, feed=self.path.name)


def _understand(
    row: Row, builder: ProductBuilder, seen: SeenIds, id_column: str
) -> Iterator[Entry | Problem]:
    product, problems = builder.build(row)
    if product is not None:
        first = seen.first_line(product.id, row.line)
        if first is not None:
            where = f"it stood first in line {first}" if first else "it was there before"
            reason = f"is the ID of another product: {where}"
            yield Problem(row.line, id_column, reason, product.id)
            return
        yield Entry(product, row.line)
    yield from problems


def _check_encoding(name: str) -> None:
    try:
        "".encode(name)
        if codecs.lookup(name).name in HOST_NAME_CODECS:
            raise LookupError(name)
    except (LookupError, UnicodeError):
        raise ValueError(
            "encoding must name a text encoding that Python knows, such as utf-8, cp1252 or "
            f"utf-16, got {name!r}"
        ) from None
