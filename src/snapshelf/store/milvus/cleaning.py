"""Clearing away what is no part of a shelf any more: what dead writers left, and what was replaced.

None of it is ever seen by a reader, so that it can be done at leisure, and be broken off anywhere.
"""

import time
from collections.abc import Iterable
from dataclasses import replace

from snapshelf.errors import ShelfError
from snapshelf.store.milvus.address import MilvusAddress
from snapshelf.store.milvus.connection import Connection
from snapshelf.store.milvus.description_files import DescriptionFiles
from snapshelf.store.milvus.imports import open_imports
from snapshelf.store.milvus.lease import Lease
from snapshelf.store.milvus.schema import is_collection_of
from snapshelf.store.milvus.visibility import embeddings_of

__all__ = ["clear_after_writers", "drop_retired", "remove_unused_blocks"]

FORGET_GAPS_S = 3_600
"""A writer that was shut out may wake up and write rows that nobody sees; after this long none does
any more, and the head need not tell of them once they are deleted."""

READERS_S = 60
"""A search that began before a collection was replaced has ended after this long."""


def clear_after_writers(
    connection: Connection, address: MilvusAddress, lease: Lease, files: DescriptionFiles | None
) -> None:
    """Delete what writers before left half done.

    Args:
        connection: To the server.
        address: The shelf.
        lease: The hold on it.
        files: Where large descriptions are, None where no place is named.
    """
    head, now = lease.head, int(time.time())
    for gap in head.gaps:
        written = f"added >= {gap.first} and added <= {gap.last}"
        connection.delete_where(head.embeddings, written)
        connection.delete_where(head.products, written)
    if files is not None and head.gaps:
        files.remove(
            block
            for block in files.blocks()
            if any(gap.first <= block <= gap.last for gap in head.gaps)
        )
    if not lease.clean:
        used = {lease.name, head.embeddings, head.products, *(name for name, _ in head.retired)}
        for name in connection.collections():
            if is_collection_of(name, address.name) and name not in used:
                connection.drop(name)
        if (imports := open_imports(connection, address)) is not None:
            imports.clear(address.name)
    gaps = tuple(gap for gap in head.gaps if now - gap.since < FORGET_GAPS_S)
    if gaps != head.gaps:
        lease.commit(replace(head, gaps=gaps, timestamp=connection.now()))


def drop_retired(connection: Connection, lease: Lease, *, after_s: float = READERS_S) -> None:
    """Drop the collections that a rebuilt one has replaced, once no search reads them any more."""
    head, now = lease.head, time.time()
    old = {name for name, since in head.retired if now - since >= after_s}
    for name in old:
        connection.drop(name)
    if old:
        kept = tuple((name, since) for name, since in head.retired if name not in old)
        lease.commit(replace(head, retired=kept))


def remove_unused_blocks(
    connection: Connection, lease: Lease, files: DescriptionFiles | None, blocks: Iterable[int]
) -> None:
    """Remove those of some files of descriptions that no row names any more."""
    head = lease.head
    if files is None:
        return
    for block in sorted(blocks):
        expression = embeddings_of(head, None, f"block == {block}")
        try:
            if not connection.query(
                head.embeddings, expression, ("region",), head.timestamp, limit=1
            ):
                files.remove([block])
        except ShelfError:
            return  # the shelf is complete; the files take room, that is all
