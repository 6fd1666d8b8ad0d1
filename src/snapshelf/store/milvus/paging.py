"""Reading more rows than Milvus gives in one answer, without holding them all."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar

from snapshelf.store.milvus.connection import MOST_ROWS, Connection
from snapshelf.store.milvus.expression import all_of
from snapshelf.store.milvus.head import Head

__all__ = ["NUMBERS_A_QUERY", "chunks", "every_row", "lots"]

V = TypeVar("V")

NUMBERS_A_QUERY = 500
"""Numbers that rows are asked for by."""

ANSWER_BYTES = 16 << 20
"""Read in one answer, about; Milvus sends no more than 64 MiB."""

BODY_BYTES = 4_000
"""About what a product's text takes that is a long one."""


def chunks(values: Sequence[V], size: int) -> Iterator[Sequence[V]]:
    """Cut a list into parts of at most a size."""
    for start in range(0, len(values), size):
        yield values[start : start + size]


def lots(sizes: Mapping[int, int], most: int) -> Iterator[list[int]]:
    """Cut numbers into lots whose sizes add up to at most a bound, or of one number alone."""
    lot: list[int] = []
    filled = 0
    for number, size in sizes.items():
        if lot and (filled + size > most or len(lot) == NUMBERS_A_QUERY):
            yield lot
            lot, filled = [], 0
        lot.append(number)
        filled += size
    if lot:
        yield lot


def every_row(
    connection: Connection,
    head: Head,
    name: str,
    key: str,
    expression: str,
    fields: Sequence[str],
    *,
    after: int = -1,
    most: int = MOST_ROWS - 1,
) -> Iterator[list[dict[str, Any]]]:
    """Read all rows that an expression is true of, in blocks, by their rising keys.

    A block is what a range of keys holds, so that it needs no order of Milvus's answers. Where the
    keys lie thin the ranges widen, and an answer that is full is asked for again by half its range.

    Args:
        connection: To the server.
        head: The state.
        name: The collection.
        key: Its primary key, a number.
        expression: True of the rows.
        fields: What to read of them.
        after: Those of larger keys than this.
        most: At most so many in a block.

    Yields:
        Blocks of rows, none empty.
    """
    vector_bytes = 4 * head.dimension if "vector" in fields else 0
    row_bytes = 1_000 + vector_bytes + (BODY_BYTES if "body" in fields else 0)
    most = max(1, min(most, ANSWER_BYTES // row_bytes))
    first, width = after + 1, most
    while first < head.reserved:
        rows = connection.query(
            name,
            all_of([f"{key} >= {first} and {key} < {first + width}", expression]),
            [key, *(field for field in fields if field != key)],
            head.timestamp,
            limit=most + 1,
        )
        if len(rows) > most:
            width = max(1, width // 2)
            continue
        if rows:
            yield sorted(rows, key=lambda row: int(row[key]))
        first += width
        if len(rows) <= most // 2:
            width *= 2
