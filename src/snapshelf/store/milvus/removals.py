"""What was removed lately: noted beside the products, and whether any of it has come back.

The head names products that were replaced or removed until Milvus has written their deletion away.
A server that is killed may forget even that, in the moments after. So, before the head forgets a
product, its number is noted in a row of the collection of products, thousands to a row: their
``part`` is -2, and no search or listing reads them. They are read where more rows are found than
the head counts: then some of those noted are there again, and are left out.
"""

import time
from collections.abc import Collection, Iterator

from snapshelf.store.milvus.connection import MOST_ROWS, Connection
from snapshelf.store.milvus.hashes import numbers_text
from snapshelf.store.milvus.head import Head
from snapshelf.store.milvus.lease import Lease
from snapshelf.store.milvus.paging import NUMBERS_A_QUERY, chunks, every_row
from snapshelf.store.milvus.product_rows import removal_row
from snapshelf.store.milvus.schema import TOKENS

__all__ = ["note_removals", "removed_lately", "still_there"]

KEPT_S = 86_400
"""A note is kept for so long. Milvus writes away what it was told within ten minutes."""

NOTE_BYTES = 8 * TOKENS
"""About what a note takes."""

NOTES_A_QUERY = 256


def note_removals(connection: Connection, lease: Lease, numbers: Collection[int]) -> None:
    """Note that products are no part of the shelf any more, and forget what was noted long ago.

    Args:
        connection: To the server.
        lease: The writer's hold on the shelf, whose head names the products still.
        numbers: Of the products.
    """
    now = int(time.time())
    parts = list(chunks(sorted(numbers), TOKENS))
    if not parts:
        return
    first, name = lease.number(len(parts)), lease.head.products
    rows = [removal_row(first + place, part, since=now) for place, part in enumerate(parts)]
    connection.insert(name, rows, NOTE_BYTES)
    connection.delete_where(name, f"part == -2 and run < {now - KEPT_S}")


def removed_lately(connection: Connection, head: Head) -> Iterator[list[int]]:
    """Read the numbers of the products whose removal is noted, the latest first.

    Yields:
        Numbers of one note after the other.
    """
    notes = [
        row["tokens"]
        for rows in every_row(
            connection,
            head,
            head.products,
            "number",
            "part == -2",
            ("tokens",),
            most=NOTES_A_QUERY,
        )
        for row in rows
    ]
    for tokens in reversed(notes):
        yield [int(number) for number in tokens]


def still_there(
    connection: Connection, head: Head, numbers: Collection[int], timestamp: int
) -> set[int]:
    """Give those of some products of which rows are left, or there again.

    Args:
        connection: To the server.
        head: Names the collections.
        numbers: Of the products.
        timestamp: Everything written up to then is seen.
    """
    left = set[int]()
    for part in chunks(sorted(numbers), NUMBERS_A_QUERY):
        text = numbers_text(part)
        for name, field, extra in (
            (head.embeddings, "product", ""),
            (head.products, "owner", " and part >= 0"),
        ):
            rows = connection.query(name, f"{field} in {text}{extra}", (field,), timestamp)
            # What does not fit into an answer may be of any of them.
            left.update(part if len(rows) == MOST_ROWS else (int(row[field]) for row in rows))
    return left
