"""Reading a table that a person wrote: CSV with named columns, and attributes in them."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from snapshelf.datasets.published_files import read_text
from snapshelf.datasets.training_item import AttributeValue
from snapshelf.errors import DatasetError

__all__ = ["attribute_value", "csv_rows"]


def csv_rows(
    path: Path, expected: str, *, columns: Sequence[str], more: bool = False
) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Read the rows of a CSV file, without those that are blank.

    Args:
        path: The file; its first row names the columns, in any order.
        expected: What the folder should be, for the error where the file is missing.
        columns: Columns that must be there.
        more: Whether any others may be there as well.

    Yields:
        Where the row ends, as ``FILE:LINE``, and its fields by column, without blanks at the ends.

    Raises:
        DatasetError: If the file cannot be read, a column is missing, not known, nameless or there
            twice, or a row has more or fewer fields than there are columns.
    """
    reader = csv.reader(io.StringIO(read_text(path, expected), newline=""), strict=True)
    header: list[str] | None = None
    try:
        for row in reader:
            if not any(field.strip() for field in row):
                continue
            where = f"{path}:{reader.line_num}"
            fields = [field.strip() for field in row]
            if header is None:
                header = _header(where, fields, columns, more=more)
            elif len(fields) != len(header):
                raise DatasetError(f"{where}: expected {len(header)} fields, got {len(fields)}")
            else:
                yield where, dict(zip(header, fields, strict=True))
    except csv.Error as error:
        raise DatasetError(f"{path}:{reader.line_num}: is no CSV: {error}") from error
    if header is None:
        raise DatasetError(
            f"{path}:1: expected the columns {', '.join(columns)}, got an empty file"
        )


def attribute_value(where: str, text: str) -> AttributeValue:
    """Read an attribute's value.

    Args:
        where: ``FILE:LINE``, for the error.
        text: ``group/value``, or ``value`` where the attribute has no groups.

    Raises:
        DatasetError: If there is a slash with nothing on one side.
    """
    group, slash, value = (part.strip() for part in text.partition("/"))
    if not slash:
        return text, text
    if not group or not value:
        raise DatasetError(f"{where}: expected 'group/value' or 'value', got {text!r}")
    return group, value


def _header(where: str, fields: list[str], columns: Sequence[str], *, more: bool) -> list[str]:
    missing = [column for column in columns if column not in fields]
    unknown = [] if more else [column for column in fields if column not in columns]
    if missing or unknown or len(set(fields)) != len(fields) or not all(fields):
        others = " and any others" if more else ""
        raise DatasetError(
            f"{where}: expected the columns {', '.join(columns)}{others}, each once and with a "
            f"name, got {fields}"
        )
    return fields
