"""What a reader gives: a `Header`, then a `Row` for each product, its fields not yet understood."""

from collections.abc import Callable, Generator, Mapping
from itertools import islice
from typing import NamedTuple

from snapshelf.catalog.entry import Problem
from snapshelf.catalog.source import Source
from snapshelf.errors import FeedError

__all__ = ["Header", "Reader", "Row", "Rows", "Value", "with_header"]

Value = str | list[str]
"""A field: one text, or several (pictures, levels of a category)."""

PEEKED_ROWS = 100


class Header(NamedTuple):
    """The columns of a feed.

    Attributes:
        columns: Every column, by the feed's own name.
        names: For each field of a `Product` the column names it is read from, the preferred
            first; None for the common names of `COMMON_NAMES`.
    """

    columns: tuple[str, ...]
    names: Mapping[str, tuple[str, ...]] | None = None


class Row(NamedTuple):
    """One product as the feed tells it.

    Attributes:
        line: Where it begins, as `Problem.line` counts.
        fields: From the feed's own column name to what stands there.
    """

    line: int
    fields: Mapping[str, Value]


Rows = Generator[Row | Problem, None, None]

Reader = Callable[[Source], Generator[Header | Row | Problem, None, None]]
"""A feed format: yields one `Header`, then a `Row` or a `Problem` for each product."""


def with_header(
    rows: Rows, names: Mapping[str, tuple[str, ...]] | None = None, always: tuple[str, ...] = ()
) -> Generator[Header | Row | Problem, None, None]:
    """Put a header before the rows of a format that has none.

    Args:
        rows: The rows; the first 100 are drawn to learn the columns.
        names: As `Header.names`.
        always: Columns that belong to the format whether or not a row has them.

    Yields:
        The header, then `rows`. An error of `rows` comes where it would have come.
    """
    columns = dict.fromkeys(always)
    first: list[Row | Problem] = []
    failure: FeedError | None = None
    try:
        for row in islice(rows, PEEKED_ROWS):
            first.append(row)
            if isinstance(row, Row):
                columns.update(dict.fromkeys(row.fields))
    except FeedError as error:
        if not first:
            raise
        failure = error
    yield Header(tuple(columns), names)
    yield from first
    if failure is not None:
        raise failure
    yield from rows
