"""`MilvusStore`: a shelf kept in Milvus."""

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from snapshelf.catalog.product import Product
from snapshelf.matching.distances import Distance
from snapshelf.store import refusals
from snapshelf.store.checks import (
    check_at_least_one,
    check_names,
    check_records,
    checked_queries,
    region_numbers,
)
from snapshelf.store.filters import Filter
from snapshelf.store.milvus.address import MilvusAddress
from snapshelf.store.milvus.connection import Connection
from snapshelf.store.milvus.contents import known_contents
from snapshelf.store.milvus.creation import create_store, drop_store, store_exists
from snapshelf.store.milvus.descriptions import Descriptions
from snapshelf.store.milvus.faceting import read_facets
from snapshelf.store.milvus.index_kind import IndexKind
from snapshelf.store.milvus.lease import Lease
from snapshelf.store.milvus.listing import list_products
from snapshelf.store.milvus.reading import read_counts, read_embeddings, read_products
from snapshelf.store.milvus.record_reading import read_records
from snapshelf.store.milvus.runs import finish_run, last_run, mark_seen, start_run
from snapshelf.store.milvus.searching import nearest_products
from snapshelf.store.milvus.states import States
from snapshelf.store.milvus.upkeep import Upkeep
from snapshelf.store.milvus.writing import Writer
from snapshelf.store.records import (
    Counts,
    Facets,
    Hit,
    KnownProduct,
    ProductRecord,
    Run,
    StoredEmbeddings,
    StoredRecords,
)

__all__ = ["MilvusStore"]


class MilvusStore:
    """A `VectorStore` in Milvus, which tells what each method takes, gives and refuses.

    Any number of processes, on any machines, may search while one writes; each call sees the
    latest commit as a whole. Removing more than `writing.MOST_REMOVED` products at once is the one
    change that is made in several commits.

    Args:
        address: A shelf that `create` made.
        write: Take the writer's lease; needed for every call that changes something.

    Raises:
        ShelfError: If the server does not answer, there is no such shelf, or it is damaged.
        ShelfLockedError: If another writer holds the lease.
    """

    def __init__(self, address: MilvusAddress, *, write: bool = False) -> None:
        self._address = address
        self._connection = Connection(address)
        self._descriptions = Descriptions(self._connection, address)
        self._upkeep: Upkeep | None = None
        try:
            lease = Lease(self._connection, address) if write else None
        except BaseException:
            self._connection.close()
            raise
        self._states = States(self._connection, address, lease)
        if lease is not None:
            files = partial(self._descriptions.files_to_write, lease)
            writer = Writer(self._connection, lease, files)
            self._upkeep = Upkeep(self._connection, address, lease, writer, self._descriptions)
        try:
            head = self._states.latest()
            self._dimension, self._distance = head.dimension, head.distance
            held = (head.embeddings, head.products)
            waiting = [name for name in held if not self._connection.is_loaded(name)]
            self._connection.load(waiting, replicas=address.replicas)
            if self._upkeep is not None:
                self._writing().begin()
        except BaseException:
            self.close()
            raise

    @classmethod
    def create(
        cls,
        address: MilvusAddress,
        *,
        dimension: int,
        properties: Mapping[str, str],
        distance: Distance = "cosine",
    ) -> None:
        """Make a new, empty store; see `make_store`.

        Raises:
            ShelfError: If the server does not answer, has something of this name already, or lacks
                the distance: Milvus has no L1 distance.
            ValueError: As `check_new_store` says.
        """
        create_store(address, dimension=dimension, distance=distance, properties=properties)

    @staticmethod
    def exists(address: MilvusAddress) -> bool:
        """Whether there is a store at an address.

        Raises:
            ShelfError: If the server does not answer, or has something else of that name.
        """
        return store_exists(address)

    @staticmethod
    def drop(address: MilvusAddress) -> None:
        """Remove a store with all it holds.

        Raises:
            ShelfLockedError: If another writer holds the lease.
            ShelfError: If there is none, or the server does not answer.
        """
        with closing(MilvusStore(address, write=True)) as store:
            lease = store._writing().lease
            files = store._descriptions.files(lease.head)
            drop_store(store._connection, address, lease, files)

    def close(self) -> None:
        """Release the connection and the lease."""
        if self._states.close():
            if self._upkeep is not None:
                self._upkeep.end()
            self._connection.close()

    # --- what the shelf is --------------------------------------------------------------------

    @property
    def dimension(self) -> int:
        """Length D of an embedding."""
        return self._dimension

    @property
    def distance(self) -> Distance:
        """How embeddings are compared."""
        return self._distance

    @property
    def properties(self) -> Mapping[str, str]:
        """What the shelf notes about itself, and the `RESERVED` ones."""
        head = self._states.latest()
        fixed = {
            "shelf": head.shelf,
            "dimension": str(head.dimension),
            "distance": head.distance,
            "version": str(head.version),
            "index_version": head.embeddings,
        }
        return {**head.notes, **fixed}

    @property
    def version(self) -> str:
        """The number of the latest commit that changed what a search could find."""
        return str(self._states.latest().version)

    @property
    def index(self) -> IndexKind:
        """The kind of index over the embeddings."""
        return self._states.latest().index

    def note(self, name: str, value: str) -> None:
        """Set one of the `properties`, in the head."""
        check_names([name])
        lease = self._writing().lease
        lease.commit(replace(lease.head, notes={**lease.head.notes, name: value}))

    # --- indexing -----------------------------------------------------------------------------

    def last_run(self) -> Run | None:
        """Give the run that the head notes; of one under way, what it has seen is counted."""
        return self._states.read(lambda head: last_run(self._connection, head))

    def known(self, product_ids: Sequence[str]) -> Mapping[str, KnownProduct]:
        """Read what is remembered of products."""
        found = self._states.read(lambda head: read_products(self._connection, head, product_ids))
        return {name: one.known for name, one in found.items()}

    def known_contents(self, contents: Sequence[str]) -> set[str]:
        """Read which contents have embeddings; the writer knows removed ones for a while."""
        found = self._states.read(lambda head: known_contents(self._connection, head, contents))
        if self._upkeep is not None:
            found |= self._upkeep.writer.removed.among(contents).keys()
        return found

    def begin_run(self, feed: str) -> int:
        """Note in the head that a run of this process starts."""
        return start_run(self._connection, self._writing().lease, feed)

    def upsert(self, records: Sequence[ProductRecord], *, run: int) -> None:
        """Store products in one commit."""
        check_records(records, self._dimension)
        writer = self._writing().writer
        if records:
            writer.put(records, run=run)

    def touch(self, product_ids: Sequence[str], *, run: int) -> None:
        """Mark products as seen, which is no new version."""
        lease = self._writing().lease
        if product_ids:
            mark_seen(self._connection, lease, product_ids, run=run)

    def delete(self, product_ids: Sequence[str]) -> int:
        """Remove products, in one commit up to `writing.MOST_REMOVED`."""
        return self._writing().writer.remove(product_ids)

    def sweep(self, *, run: int) -> int:
        """Remove the products that a run has not seen, in as many commits as `delete` would."""
        return self._writing().writer.remove_unseen(run)

    def end_run(self, *, run: int) -> None:
        """Note that a run is complete, clear up, and have what it wrote indexed."""
        upkeep = self._writing()
        finish_run(self._connection, upkeep.lease, run)
        upkeep.after_run()

    def rebuild(self, kind: IndexKind | None = None) -> None:
        """Build the collection of embeddings anew, by the address's settings, and swap it in.

        Args:
            kind: Of index; None for the one that the shelf has.
        """
        self._writing().rebuild(kind)

    # --- searching ----------------------------------------------------------------------------

    def search(
        self, queries: NDArray[np.float32], top: int, where: Filter | None = None
    ) -> list[list[Hit]]:
        """Search the latest state; exact up to `index_kind.FLAT_UP_TO` embeddings."""
        check_at_least_one("top", top)
        queries = checked_queries(queries, self._dimension)
        return self._states.read(
            lambda head: nearest_products(self._connection, head, queries, top, where)
        )

    def descriptions(self, regions: Sequence[int]) -> Mapping[int, bytes]:
        """Read descriptions from rows, and large ones from files."""
        numbers = region_numbers(regions)
        return self._states.read(lambda head: self._descriptions.read(head, numbers))

    # --- reading ------------------------------------------------------------------------------

    def embeddings(self, where: Filter | None = None, *, main: bool = False) -> StoredEmbeddings:
        """Read embeddings in the order in which they were stored."""
        return self._states.read(
            lambda head: read_embeddings(self._connection, head, where, main=main)
        )

    def records(self, *, after: int = 0, most: int = 256) -> StoredRecords:
        """Read whole products, in the order in which they were last stored."""
        check_at_least_one("most", most)
        return self._states.read(
            lambda head: read_records(self._connection, self._descriptions, head, after, most)
        )

    def products(self, product_ids: Sequence[str]) -> Mapping[str, Product]:
        """Read products as the feed gave them."""
        found = self._states.read(lambda head: read_products(self._connection, head, product_ids))
        return {name: one.product for name, one in found.items()}

    def listed(
        self,
        *,
        after: str = "",
        limit: int,
        where: Filter | None = None,
        words: Sequence[str] = (),
    ) -> Sequence[Product]:
        """Find a page by its IDs; for words that few products hold, all behind it are read."""
        check_at_least_one("limit", limit)
        return self._states.read(
            lambda head: list_products(self._connection, head, after, limit, where, words)
        )

    def count(self, where: Filter | None = None) -> Counts:
        """Give what the head says, or have Milvus count what passes a filter."""
        return self._states.read(lambda head: read_counts(self._connection, head, where))

    def facets(self, most: int, where: Filter | None = None) -> Facets:
        """Group by a few numbers of each product; of a group, the first one stored names it."""
        check_at_least_one("most", most)
        return self._states.read(lambda head: read_facets(self._connection, head, most, where))

    def _writing(self) -> Upkeep:
        """Give what changes the shelf and keeps it up, once all of it is at hand.

        Raises:
            ShelfError: If the store was opened for searching only, or the server does not answer.
        """
        self._states.check_open()
        if self._upkeep is None:
            raise refusals.read_only(self._address)
        self._upkeep.writer.leave_out(self._states.whole().dead)
        return self._upkeep
