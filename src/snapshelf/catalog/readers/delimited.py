"""CSV with any of the usual delimiters, and Google Merchant Center's tab-separated feed."""

from collections.abc import Generator

from snapshelf.catalog.entry import Problem
from snapshelf.catalog.readers.google import GOOGLE_NAMES
from snapshelf.catalog.readers.table import read_table
from snapshelf.catalog.row import Header, Row
from snapshelf.catalog.source import HEAD_BYTES, Source

__all__ = ["DELIMITERS", "find_delimiter", "read_csv", "read_google_tsv"]

DELIMITERS = ("\t", ";", ",", "|")


def read_csv(source: Source) -> Generator[Header | Row | Problem, None, None]:
    """Read a table with a header line, divided by commas, semicolons, tabs or bars.

    Args:
        source: The feed.

    Yields:
        The header, then the rows.
    """
    with source.open_text() as text:
        delimiter = find_delimiter(text.read(HEAD_BYTES)) or ","
    yield from read_table(source, delimiter)


def read_google_tsv(source: Source) -> Generator[Header | Row | Problem, None, None]:
    """Read a tab-separated feed of Google Merchant Center.

    Args:
        source: The feed.

    Yields:
        The header, its columns named as in Google's specification (``Image Link`` and
        ``g:image_link`` become ``image_link``), then the rows.
    """
    for row in read_table(source, "\t"):
        if isinstance(row, Header):
            columns = {name: _google_name(name) for name in row.columns}
            renamed = any(name != known for name, known in columns.items())
            yield Header(tuple(columns.values()), GOOGLE_NAMES)
        elif isinstance(row, Row) and renamed:
            yield Row(row.line, {columns[name]: value for name, value in row.fields.items()})
        else:
            yield row


def find_delimiter(head: str) -> str | None:
    """The delimiter of a table, by its first line.

    Args:
        head: The beginning of the table.

    Returns:
        The one of `DELIMITERS` that stands most often outside quotes, None if none does.
    """
    outside = []
    for number, part in enumerate(head.lstrip().split('"')):
        if number % 2 == 0:
            line = part.splitlines()[0] if part else ""
            outside.append(line)
            if line != part:
                break
    header = "".join(outside)
    best = max(DELIMITERS, key=header.count)
    return best if best in header else None


def _google_name(column: str) -> str:
    return column.strip().lower().removeprefix("g:").replace(" ", "_")
