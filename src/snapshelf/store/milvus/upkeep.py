"""What a writer does for a shelf beside changing it: clearing up, and keeping its index."""

from contextlib import suppress
from dataclasses import dataclass

from snapshelf.errors import ShelfError
from snapshelf.store.milvus.address import MilvusAddress
from snapshelf.store.milvus.cleaning import (
    clear_after_writers,
    drop_retired,
    remove_unused_blocks,
)
from snapshelf.store.milvus.connection import Connection
from snapshelf.store.milvus.descriptions import Descriptions
from snapshelf.store.milvus.index_kind import IndexKind, choose_kind
from snapshelf.store.milvus.lease import Lease
from snapshelf.store.milvus.rebuilding import finish_index, rebuild
from snapshelf.store.milvus.writing import Writer

__all__ = ["Upkeep"]

FLUSH_FROM = 5_000
"""Embeddings written from which a run ends with having them indexed; fewer are searched beside the
index, and Milvus writes them away by itself after a while."""


@dataclass(frozen=True, slots=True)
class Upkeep:
    """The upkeep of one shelf, by its writer.

    Attributes:
        connection: To the server.
        address: The shelf, and the settings of a collection that is built anew.
        lease: The hold on it.
        writer: Which changes it.
        descriptions: Of its regions.
    """

    connection: Connection
    address: MilvusAddress
    lease: Lease
    writer: Writer
    descriptions: Descriptions

    def begin(self) -> None:
        """Clear away what the writers before have left."""
        self.writer.tidy()
        files = self.descriptions.files(self.lease.head)
        clear_after_writers(self.connection, self.address, self.lease, files)
        drop_retired(self.connection, self.lease)

    def after_run(self) -> None:
        """Clear away what a run has replaced, and bring the index up to date."""
        self.writer.tidy()
        files = self.descriptions.files(self.lease.head)
        left = self.writer.blocks_left
        remove_unused_blocks(self.connection, self.lease, files, left)
        left.clear()
        head = self.lease.head
        kind = choose_kind(self.address.index, head.counts.embeddings, head.index)
        if kind != head.index:
            self.rebuild(kind)
        elif head.unflushed >= FLUSH_FROM:
            finish_index(self.connection, self.lease)
        drop_retired(self.connection, self.lease)

    def rebuild(self, kind: IndexKind | None) -> None:
        """Build the collection of embeddings anew; None for the kind of index that it has."""
        self.writer.tidy()
        rebuild(self.connection, self.address, self.lease, kind or self.lease.head.index)

    def end(self) -> None:
        """Tidy up and release the lease, as far as the server answers."""
        with suppress(ShelfError):
            self.writer.tidy()
        self.lease.release()
