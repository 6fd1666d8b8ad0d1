"""Reading what a data set publishes: its lists, and the pictures that they name.

Lists come with or without a byte order mark and with line ends of any system. Every error names
the file, and the line where there is one.
"""

import io
import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from snapshelf.errors import DatasetError

__all__ = [
    "counted_rows",
    "find_picture",
    "inner_path",
    "numbered_lines",
    "read_text",
    "whole_number",
]

MOST_DIGITS = 12
"""Of any number in a list; longer ones are damage."""


def read_text(path: Path, expected: str) -> str:
    """Read a text file of a data set.

    Args:
        path: The file.
        expected: What the folder should be, for the error where the file is missing, such as
            "the Grocery Store Dataset's folder".

    Raises:
        DatasetError: If the file is missing, cannot be read or is no UTF-8 text.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise DatasetError(f"{path} is missing: expected {expected}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(f"{path} cannot be read ({error}), expected UTF-8 text") from error


def numbered_lines(path: Path, expected: str) -> Iterator[tuple[str, str]]:
    """Read the lines of a list, without those that are blank.

    Args:
        path: The file.
        expected: As `read_text` takes it.

    Yields:
        Where the line is, as ``FILE:LINE``, and its text without blanks at the ends.

    Raises:
        DatasetError: If the file cannot be read.
    """
    for number, line in enumerate(io.StringIO(read_text(path, expected), newline=None), start=1):
        if text := line.strip():
            yield f"{path}:{number}", text


def counted_rows(path: Path, expected: str) -> Iterator[tuple[str, list[str]]]:
    """Read a list as DeepFashion publishes them: a count, the names of the columns, the rows.

    Args:
        path: The file.
        expected: As `read_text` takes it.

    Yields:
        Where the row is, as ``FILE:LINE``, and its columns, which blanks separate.

    Raises:
        DatasetError: If the file cannot be read, does not begin with a count, or holds more or
            fewer rows than that; the last is found after all rows are read.
    """
    lines = numbered_lines(path, expected)
    where, first = next(lines, (f"{path}:1", ""))
    count = whole_number(where, first, "the number of rows")
    next(lines, None)
    found = 0
    for where, text in lines:
        found += 1
        yield where, text.split()
    if found != count:
        raise DatasetError(
            f"{path}: expected {count} rows, as its first line says, got {found}; "
            "get the whole file again"
        )


def whole_number(where: str, text: str, what: str) -> int:
    """Read a number that is not negative.

    Args:
        where: ``FILE:LINE``, for the error.
        text: Digits.
        what: What the number is, for the error.

    Raises:
        DatasetError: If it is anything else.
    """
    if not text.isascii() or not text.isdigit() or len(text) > MOST_DIGITS:
        raise DatasetError(f"{where}: expected {what} (a whole number), got {text[:40]!r}")
    return int(text)


def find_picture(
    root: Path, where: str, name: str, *, advice: str = "get the whole data set again"
) -> str:
    """Check a picture that a list names.

    Args:
        root: The folder that the name is relative to.
        where: ``FILE:LINE``, for the error.
        name: The path in the list, with slashes; it may begin with one.
        advice: What to do where there is no such file, for the error.

    Returns:
        The path relative to `root`, with slashes.

    Raises:
        DatasetError: If the path leaves the folder, or there is no such file.
    """
    relative = inner_path(where, name)
    if not os.path.isfile(root / relative):  # False, not an error, for any odd name
        raise DatasetError(f"{where}: there is no file {root / relative}; {advice}")
    return relative


def inner_path(where: str, name: str) -> str:
    """Check that a path in a list stays in the data set's folder, whether or not it is there.

    Args:
        where: ``FILE:LINE``, for the error.
        name: The path in the list, with slashes; it may begin with one.

    Returns:
        The path relative to the folder, with slashes.

    Raises:
        DatasetError: If the path leaves the folder.
    """
    relative = PurePosixPath(name.lstrip("/"))
    if ".." in relative.parts:
        raise DatasetError(f"{where}: the path {name!r} leaves the data set's folder")
    return relative.as_posix()
