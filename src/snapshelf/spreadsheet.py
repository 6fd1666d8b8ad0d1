"""Rows as CSV that can be opened in a spreadsheet without doing anything there."""

import csv
import io
from collections.abc import Iterable, Sequence

__all__ = ["csv_text"]

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a cell begins with that a spreadsheet would carry out."""


def csv_text(rows: Iterable[Sequence[object]]) -> str:
    r"""Write rows as lines of CSV.

    Args:
        rows: Cells; None is an empty one. A text that begins as a formula does gets an apostrophe
            before it, since titles may come from anywhere.

    Returns:
        The lines, each with its end.

    Example:
        >>> csv_text([["=1+1", -2, None, "a,b"]])
        '\'=1+1,-2,,"a,b"\n'
    """
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows([[_cell(one) for one in row] for row in rows])
    return text.getvalue()


def _cell(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value
