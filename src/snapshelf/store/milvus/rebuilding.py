"""Building the collection of embeddings anew, with another index, and swapping it in at once."""

import time
from contextlib import suppress
from dataclasses import replace

from snapshelf.errors import ShelfError, ShelfLockedError
from snapshelf.store.milvus.address import MilvusAddress
from snapshelf.store.milvus.connection import Connection
from snapshelf.store.milvus.embedding_rows import EMBEDDING_FIELDS
from snapshelf.store.milvus.head import Head
from snapshelf.store.milvus.imports import open_imports
from snapshelf.store.milvus.index_kind import IndexKind
from snapshelf.store.milvus.lease import Lease
from snapshelf.store.milvus.paging import every_row
from snapshelf.store.milvus.schema import FILTER_FIELDS, create_embeddings
from snapshelf.store.milvus.visibility import embeddings_of

__all__ = ["finish_index", "rebuild"]

INDEX_S = 3_600.0
COUNT_S = 10.0
POLL_S = 0.2

IMPORT_FROM = 100_000
"""Embeddings from which a file that the server imports is the faster way; an import takes three
seconds at least."""


def rebuild(connection: Connection, address: MilvusAddress, lease: Lease, kind: IndexKind) -> None:
    """Build the collection of embeddings anew, and let the head name the new one.

    Searches go on in the old one meanwhile, and each sees one or the other. The old one is dropped
    later, see `cleaning`, and so is one that is broken off. The head names the collection, not an
    alias of Milvus's: an alias could be moved by a writer that has lost its lease.

    Args:
        connection: To the server.
        address: The shelf, with the settings of the new collection.
        lease: The hold on it.
        kind: Of index.
    """
    head = lease.head
    name = create_embeddings(connection, address, head.dimension, kind)
    try:
        _copy(connection, address, head, name)
        _wait_for_index(connection, name)
        connection.load([name], replicas=address.replicas)
        _check_copy(connection, head, name)
    except ShelfError:
        with suppress(ShelfError):
            connection.drop(name)
        raise
    changed = replace(
        lease.head,
        embeddings=name,
        index=kind,
        partitioned=address.partitions > 1,
        timestamp=connection.now(),
        unflushed=0,
        retired=(*head.retired, (head.embeddings, int(time.time()))),
    )
    try:
        lease.commit(changed)
    except ShelfLockedError:  # after other errors the head may name it
        connection.drop(name)
        raise


def finish_index(connection: Connection, lease: Lease) -> None:
    """Have everything written so far in files, and indexed there."""
    head = lease.head
    connection.flush(head.embeddings, head.products)
    _wait_for_index(connection, head.embeddings)
    lease.commit(replace(lease.head, unflushed=0))


def _copy(connection: Connection, address: MilvusAddress, head: Head, name: str) -> None:
    """Copy the rows of the embeddings of a state, all of which are in files after that."""
    fields = [*EMBEDDING_FIELDS, *FILTER_FIELDS, "added", "content_number"]
    expression = embeddings_of(head)
    blocks = every_row(connection, head, head.embeddings, "region", expression, fields)
    imports = open_imports(connection, address)
    if imports is not None and head.counts.embeddings >= IMPORT_FROM:
        imports.load(name, blocks)
        return
    for rows in blocks:
        connection.insert(name, rows, row_bytes=4 * head.dimension + 1_500)
    connection.flush(name)


def _check_copy(connection: Connection, head: Head, name: str) -> None:
    """Count the rows of a copy that was loaded.

    Raises:
        ShelfError: If they are not as many as they must be.
    """
    deadline = time.monotonic() + COUNT_S
    while (found := connection.count(name, "region >= 0", connection.now())) != (
        wanted := head.counts.embeddings
    ):
        if time.monotonic() > deadline:
            raise ShelfError(
                f"the new collection has {found:,} of {wanted:,} embeddings: the old one stays in "
                "use; run the same command again"
            )
        time.sleep(POLL_S)


def _wait_for_index(connection: Connection, name: str) -> None:
    deadline = time.monotonic() + INDEX_S
    while connection.unindexed(name, "vector") > 0 and time.monotonic() < deadline:
        time.sleep(POLL_S)
