"""Indexing runs, and which products each has seen.

A product that a run stores says so in its own row. For one that the run finds unchanged a row is
written beside it, a mark, as rows are never changed: its ``part`` is -1, and its ``owner`` the
product.
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace

from snapshelf.store.milvus.connection import MOST_ROWS, Connection
from snapshelf.store.milvus.head import Head
from snapshelf.store.milvus.lease import Lease
from snapshelf.store.milvus.paging import every_row
from snapshelf.store.milvus.product_rows import mark_row
from snapshelf.store.milvus.reading import read_products
from snapshelf.store.milvus.visibility import products_of
from snapshelf.store.records import Run
from snapshelf.store.runs import now_text

__all__ = ["finish_run", "last_run", "mark_seen", "start_run", "unseen_products"]

MARK_BYTES = 200
"""About what a mark takes."""


def start_run(connection: Connection, lease: Lease, feed: str) -> int:
    """Note that a run of this process starts, and forget what those before have seen.

    Returns:
        Its number.
    """
    number = lease.head.runs + 1
    run = Run(number, feed, os.getpid(), now_text(), "", 0)
    lease.commit(replace(lease.head, runs=number, run=run))
    connection.delete_where(lease.head.products, f"part == -1 and run < {number}")
    return number


def finish_run(connection: Connection, lease: Lease, run: int) -> None:
    """Note that a run is complete, and what it has seen, if it is the latest."""
    head = lease.head
    if head.run is not None and head.run.number == run:
        seen = _count_seen(connection, head, run)
        lease.commit(replace(head, run=replace(head.run, finished=now_text(), seen=seen)))


def last_run(connection: Connection, head: Head) -> Run | None:
    """Give the latest run, None if there was none."""
    if head.run is None or head.run.finished:
        return head.run
    return replace(head.run, seen=_count_seen(connection, head, head.run.number))


def mark_seen(
    connection: Connection, lease: Lease, product_ids: Sequence[str], *, run: int
) -> None:
    """Note that a run has seen products; unknown ones are ignored."""
    stored = read_products(connection, lease.head, product_ids)
    if not stored:
        return
    first = lease.number(len(stored))
    rows = [
        mark_row(first + place, one.number, run=run) for place, one in enumerate(stored.values())
    ]
    connection.insert(lease.head.products, rows, MARK_BYTES)
    # Whoever counts what was seen sees these.
    lease.commit(replace(lease.head, timestamp=connection.now()))


def unseen_products(connection: Connection, head: Head, run: int) -> Iterator[list[int]]:
    """Read the numbers of the products that a run has not seen.

    The products that it has not stored are read block by block, and with each block the marks of
    just those: no more than a block is held.

    Yields:
        Rising numbers; a list may be empty.
    """
    others = products_of(head, None, "part == 0", f"run != {run}")
    for block in every_row(connection, head, head.products, "number", others, ()):
        numbers = [int(row["number"]) for row in block]
        marked = _marked(connection, head, run, numbers[0], numbers[-1])
        yield [number for number in numbers if number not in marked]


def _marked(connection: Connection, head: Head, run: int, first: int, last: int) -> set[int]:
    """Read which products of a range of numbers a run has marked."""
    rows = connection.query(
        head.products,
        f"part == -1 and run == {run} and owner >= {first} and owner <= {last}",
        ("owner",),
        head.timestamp,
    )
    if len(rows) < MOST_ROWS or first == last:
        return {int(row["owner"]) for row in rows}
    # A product may be marked more than once.
    middle = (first + last) // 2
    return _marked(connection, head, run, first, middle) | _marked(
        connection, head, run, middle + 1, last
    )


def _count_seen(connection: Connection, head: Head, run: int) -> int:
    unseen = sum(len(numbers) for numbers in unseen_products(connection, head, run))
    return head.counts.products - unseen
