"""Reading a table whose columns have names, with errors that name the row."""

import csv
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from snapshelf.datasets.published_files import read_text
from snapshelf.errors import DatasetError

__all__ = ["TEST", "TRAIN", "named_rows", "number"]

TRAIN, TEST = "train", "test"

LARGEST = 1e9
"""Seconds or pixels; more is damage."""


def named_rows(
    path: Path, needed: Sequence[str], others: Sequence[str], expected: str
) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Read the rows of a CSV file with a header, in any order of its columns.

    Args:
        path: The file; UTF-8, with or without a byte order mark.
        needed: Columns that must be there.
        others: Columns that may be there.
        expected: What the folder should be, for the error where the file is missing.

    Yields:
        Where the row is, as ``FILE:LINE``, and its fields by column, without blanks at the ends;
        of a column that is not there "". Empty rows are left out.

    Raises:
        DatasetError: If the file cannot be read or is no CSV, a column is missing, unknown or there
            twice, or a row has more or fewer fields than columns.
    """
    reader = csv.reader(read_text(path, expected).splitlines(keepends=True))
    try:
        header = [name.strip() for name in next(reader, [])]
        _check_header(path, header, needed, others)
        for row in reader:
            if not any(field.strip() for field in row):
                continue
            where = f"{path}:{reader.line_num}"
            if len(row) != len(header):
                raise DatasetError(f"{where}: expected {len(header)} fields, got {len(row)}")
            fields = dict.fromkeys((*needed, *others), "")
            fields.update(zip(header, (field.strip() for field in row), strict=True))
            yield where, fields
    except csv.Error as error:
        raise DatasetError(f"{path}:{reader.line_num}: is no CSV: {error}") from error


def number(where: str, column: str, text: str) -> float:
    """Read a number.

    Args:
        where: ``FILE:LINE``, for the error.
        column: The column's name, for the error.
        text: With a point, no comma.

    Raises:
        DatasetError: If it is no number, not finite, or absurdly large.
    """
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not abs(value) <= LARGEST:
        raise DatasetError(f"{where}: expected {column} to be a number, got {text[:40]!r}")
    return value


def _check_header(
    path: Path, header: Sequence[str], needed: Sequence[str], others: Sequence[str]
) -> None:
    known = (*needed, *others)
    missing = [name for name in needed if name not in header]
    unknown = [name for name in header if name not in known]
    if missing or unknown or len(set(header)) != len(header):
        optional = f" and perhaps {', '.join(others)}" if others else ""
        raise DatasetError(
            f"{path}:1: expected the columns {', '.join(needed)}{optional}, each once, "
            f"got {', '.join(header)[:200]!r}"
        )
