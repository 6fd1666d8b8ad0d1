"""Tables of text with a header line: what CSV, Google's TSV and Shopify's export share."""

import csv
from collections.abc import Generator

from snapshelf.catalog.entry import Problem
from snapshelf.catalog.limits import MAX_FIELD, MAX_RECORD
from snapshelf.catalog.readers.lines import RecordLines, TooLongError
from snapshelf.catalog.row import Header, Row, Value
from snapshelf.catalog.source import UNREADABLE, Source
from snapshelf.errors import FeedError

__all__ = ["read_table"]

REASONS = {
    "unexpected end of data": (
        "has a quoted field that is not closed before the file ends: the rows after this line "
        "are read as rows of their own"
    ),
    "field larger than field limit": (
        f"is longer than {MAX_FIELD} characters: perhaps a quote is not closed, and the rows "
        "after this line are read as rows of their own"
    ),
    "expected after": (
        "has a quoted field that goes on after its closing quote: perhaps a quote is not closed, "
        'or a quote within the field is not written twice ("")'
    ),
}


def read_table(source: Source, delimiter: str) -> Generator[Header | Row | Problem, None, None]:
    """Read a table whose first row names the columns (RFC 4180 with any delimiter).

    A row whose quotes do not match is a `Problem`, and reading goes on with the line after its
    first, so it swallows no other row. Empty rows are passed over. Cells of columns with the
    same name become a list; cells of a column without a name are passed over.

    Args:
        source: The feed.
        delimiter: One character.

    Yields:
        The header, with no names of its own, then the rows.

    Raises:
        FeedError: If the feed cannot be read, or has no header line that can be.
    """
    with source.open_text() as text:
        lines = RecordLines(text, source.path.name)
        columns: tuple[str, ...] | None = None
        width = 0
        is_repeated = False
        # A reader that failed may be in the middle of a field, so each failure needs a new one.
        cells = csv.reader(lines, delimiter=delimiter, strict=True)
        while True:
            lines.begin_record()
            try:
                record = next(cells)
            except StopIteration:
                break
            except (csv.Error, TooLongError) as error:
                reason = _reason(error)
                if columns is None:
                    raise FeedError(f"{source.path.name}: its header line {reason}") from None
                lines.take_back()
                cells = csv.reader(lines, delimiter=delimiter, strict=True)
                yield Problem(lines.start, "", reason)
                continue
            if not any(record):
                continue
            if columns is None:
                columns = _column_names(record, source)
                width = max(number for number, name in enumerate(columns, 1) if name)
                is_repeated = len(set(columns)) < len(columns)
                yield Header(tuple(name for name in dict.fromkeys(columns) if name))
            elif len(record) < width or any(record[len(columns) :]):
                yield Problem(
                    lines.start,
                    "",
                    f"has {len(record)} cells where the header has {width}: is a delimiter or a "
                    "quote too many or missing?",
                )
            elif is_repeated:
                yield Row(lines.start, _merged(columns, record))
            else:
                yield Row(lines.start, dict(zip(columns, record, strict=False)))
        if columns is None:
            raise FeedError(f"{source.path.name} is empty: its first line must name the columns")


def _column_names(record: list[str], source: Source) -> tuple[str, ...]:
    names = tuple(name.strip() for name in record)
    if not any(names):
        raise FeedError(f"{source.path.name}: its header line names no column")
    if UNREADABLE.search("".join(names)):
        raise FeedError(
            f"{source.path.name}: its header line is not valid {source.codec().upper()}; save the "
            "feed as UTF-8 or name its encoding"
        )
    return names


def _merged(columns: tuple[str, ...], record: list[str]) -> dict[str, Value]:
    fields: dict[str, Value] = {}
    for column, cell in zip(columns, record, strict=False):
        before = fields.get(column)
        if not before:
            fields[column] = cell
        elif cell:
            fields[column] = [*([before] if isinstance(before, str) else before), cell]
    return fields


def _reason(error: csv.Error | TooLongError) -> str:
    if isinstance(error, TooLongError):
        return f"is longer than {MAX_RECORD} characters: perhaps a quote is not closed"
    for sign, reason in REASONS.items():
        if sign in str(error):
            return reason
    return f"is no row of a table: {error}"
