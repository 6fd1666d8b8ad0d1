"""Tables of text with a header line: what CSV, Google's TSV and Shopify's export share."""

import csv
from collections.abc import Generator, Iterator

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
    columns: tuple[str, ...] = ()
    width = 0
    is_repeated = False
    with source.open_text() as text:
        for record in _records(RecordLines(text, source.path.name), delimiter):
            if not columns:
                columns = _column_names(record, source)
                width = max(number for number, name in enumerate(columns, 1) if name)
                is_repeated = len(set(columns)) < len(columns)
                yield Header(tuple(name for name in dict.fromkeys(columns) if name))
                continue
            if isinstance(record, Problem):
                yield record
                continue
            line, cells = record
            if len(cells) < width or any(cells[len(columns) :]):
                yield Problem(
                    line,
                    "",
                    f"has {len(cells)} cells where the header has {width}: is a delimiter or a "
                    "quote too many or missing?",
                )
            elif is_repeated:
                yield Row(line, _merged(columns, cells))
            else:
                yield Row(line, dict(zip(columns, cells, strict=False)))
    if not columns:
        raise FeedError(f"{source.path.name} is empty: its first line must name the columns")


def _records(lines: RecordLines, delimiter: str) -> Iterator[tuple[int, list[str]] | Problem]:
    """The line and cells of each record that is not empty, or what is wrong with it."""
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        lines.begin_record()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except (csv.Error, TooLongError) as error:
            yield Problem(lines.start, "", _reason(error))
            lines.take_back()
            # The old reader is in the middle of a field.
            reader = csv.reader(lines, delimiter=delimiter, strict=True)
            continue
        if any(cells):
            yield lines.start, cells


def _column_names(record: tuple[int, list[str]] | Problem, source: Source) -> tuple[str, ...]:
    if isinstance(record, Problem):
        raise FeedError(f"{source.path.name}: its header line {record.reason}")
    names = tuple(name.strip() for name in record[1])
    if not any(names):
        raise FeedError(f"{source.path.name}: its header line names no column")
    if UNREADABLE.search("".join(names)):
        raise FeedError(
            f"{source.path.name}: its header line is not valid {source.codec().upper()}",
            cure="save the feed as UTF-8 or name its encoding",
            about="encoding",
        )
    return names


def _merged(columns: tuple[str, ...], cells: list[str]) -> dict[str, Value]:
    fields: dict[str, Value] = {}
    for column, cell in zip(columns, cells, strict=False):
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
