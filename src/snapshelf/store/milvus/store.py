"""`MilvusStore`: a shelf kept in Milvus."""

import os
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from snapshelf.catalog.product import Product
from snapshelf.errors import ShelfError
from snapshelf.matching.distances import Distance, check_distance
from snapshelf.store.creation import check_names
from snapshelf.store.filters import Filter
from snapshelf.store.milvus.address import MilvusAddress
from snapshelf.store.milvus.cleaning import (
    clear_after_writers,
    drop_retired,
    remove_unused_blocks,
)
from snapshelf.store.milvus.completeness import Completeness
from snapshelf.store.milvus.connection import (
    Connection,
    MissingCollectionError,
    UnavailableError,
)
from snapshelf.store.milvus.descriptions import (
    DescriptionFiles,
    MissingFileError,
    features_place,
    is_inline,
    read_inline,
)
from snapshelf.store.milvus.hashes import numbers_text
from snapshelf.store.milvus.head import Head, write_head
from snapshelf.store.milvus.index_kind import IndexKind, choose_kind
from snapshelf.store.milvus.lease import HEAD, LEASE, Lease, find_head, head_name
from snapshelf.store.milvus.listing import list_products, read_facets
from snapshelf.store.milvus.reading import (
    chunks,
    count_seen,
    embedding_expression,
    known_contents,
    read_counts,
    read_embeddings,
    read_products,
    read_whole,
)
from snapshelf.store.milvus.rebuilding import finish_index, rebuild
from snapshelf.store.milvus.rows import Located, StoredProduct
from snapshelf.store.milvus.schema import create_embeddings, create_head, create_products
from snapshelf.store.milvus.searching import nearest_products
from snapshelf.store.milvus.writing import Writer, check_picture
from snapshelf.store.records import (
    Counts,
    Facets,
    Hit,
    KnownProduct,
    PictureRecord,
    ProductRecord,
    Run,
    StoredEmbeddings,
    StoredRecords,
)

__all__ = ["MilvusStore"]

T = TypeVar("T")

FLUSH_FROM = 5_000
"""Embeddings written from which a run ends with having them indexed; fewer are searched beside the
index, and Milvus writes them away by itself after a while."""

PATIENCE_S = 5.0
"""A server that does not answer, or not from the whole shelf, is waited for so long."""

POLL_S = 0.1

TRIES = 20
"""Times that a call begins anew where a commit came between its first and its last look."""


class MilvusStore:
    """A `VectorStore` in Milvus.

    Any number of processes, on any machines, may search while one writes; each call sees the
    latest commit as a whole. Safe to use from several threads; writing calls are for one thread at
    a time. Removing more than `writing.MOST_REMOVED` products at once is the one change that is
    made in several commits.

    Args:
        address: A shelf that `create` made.
        write: Take the writer's lease; needed for every call that changes something.

    Raises:
        ShelfError: If the server does not answer, there is no such shelf, or it is damaged.
        ShelfLockedError: If another writer holds the lease.
    """

    def __init__(self, address: MilvusAddress, *, write: bool = False) -> None:
        self._address = address
        self._closed = False
        self._lease: Lease | None = None
        self._files: DescriptionFiles | None = None
        self._connection = Connection(address)
        self._completeness = Completeness(self._connection)
        try:
            if write:
                self._lease = Lease(self._connection, address)
                self._writer = Writer(self._connection, self._lease, self._writable_files)
            head = self._head()
            self._shelf, self._dimension, self._distance = head.shelf, head.dimension, head.distance
            names = [
                n for n in (head.embeddings, head.products) if not self._connection.is_loaded(n)
            ]
            if names:
                self._connection.load(names, replicas=address.replicas)
            if self._lease is not None:
                self._writing()
                self._writer.tidy()
                files = self._description_files(head)
                clear_after_writers(self._connection, address, self._lease, files)
                drop_retired(self._connection, self._lease)
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
        """Make a new, empty store.

        Args:
            address: Where; there must be nothing of its name.
            dimension: Length D of an embedding, at least 1.
            properties: What the shelf notes about itself.
            distance: How embeddings are compared; Milvus has no L1 distance.

        Raises:
            ShelfError: If the server does not answer, there is something of this name, or Milvus
                lacks the distance.
            ValueError: If `dimension` is below 1, there is no such distance, or a property has a
                name of `RESERVED`.
        """
        if dimension < 1:
            raise ValueError(f"dimension must be at least 1, got {dimension}")
        if check_distance(distance) == "l1":
            raise ShelfError(
                f"{address}: this system compares embeddings by L1 distance, which Milvus does "
                "not: index it into a folder"
            )
        check_names(properties)
        connection = Connection(address)
        try:
            if find_head(connection, address) is not None:
                raise ShelfError(f"there is a shelf {address} already")
            kind = choose_kind(address.index, 0)
            made: list[str] = []
            try:
                made.append(create_embeddings(connection, address, dimension, kind))
                made.append(create_products(connection, address))
                head = Head(
                    shelf=uuid.uuid4().hex,
                    dimension=dimension,
                    distance=distance,
                    embeddings=made[0],
                    products=made[1],
                    index=kind,
                    partitioned=address.partitions > 1,
                    notes=dict(properties),
                )
                connection.load(made, replicas=address.replicas)
                made.append(head_name(address.name))
                create_head(connection, made[2])
                connection.alter(made[2], {HEAD: write_head(head), LEASE: ""})
                connection.point(address.name, made[2], new=True)
            except BaseException:
                for name in made:
                    with suppress(ShelfError):
                        connection.drop(name)
                raise
        finally:
            connection.close()

    @staticmethod
    def exists(address: MilvusAddress) -> bool:
        """Whether there is a store at an address.

        Raises:
            ShelfError: If the server does not answer, or has something else of that name.
        """
        connection = Connection(address)
        try:
            return find_head(connection, address) is not None
        finally:
            connection.close()

    @staticmethod
    def drop(address: MilvusAddress) -> None:
        """Remove a store with all it holds.

        Raises:
            ShelfLockedError: If another writer holds the lease.
            ShelfError: If there is none, or the server does not answer.
        """
        store = MilvusStore(address, write=True)
        try:
            assert store._lease is not None
            head, connection = store._lease.head, store._connection
            connection.drop_alias(address.name)
            retired = [name for name, _ in head.retired]
            for name in (*retired, head.embeddings, head.products, store._lease.name):
                connection.drop(name)
            files = store._description_files(head)
            if files is not None:
                files.remove(files.blocks())
        finally:
            store.close()

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
        """What the shelf notes about itself, such as the fingerprint of its system."""
        head = self._head()
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
        return str(self._head().version)

    @property
    def index(self) -> IndexKind:
        """The kind of index over the embeddings."""
        return self._head().index

    def note(self, name: str, value: str) -> None:
        """Set one of the `properties`.

        Raises:
            ValueError: If it is one of `RESERVED`.
        """
        check_names([name])
        lease = self._writing()
        head = lease.head
        lease.commit(replace(head, notes={**head.notes, name: value}))

    def last_run(self) -> Run | None:
        """The latest indexing run, None if there was none."""

        def read(head: Head) -> Run | None:
            if head.run is None or head.run.finished:
                return head.run
            seen = count_seen(self._connection, head, head.run.number)
            return replace(head.run, seen=seen)

        return self._read(read)

    def known(self, product_ids: Sequence[str]) -> Mapping[str, KnownProduct]:
        """Tell what is remembered of these products; unknown ones are left out."""
        found = self._read(lambda head: read_products(self._connection, head, product_ids))
        return {name: one.known for name, one in found.items()}

    def known_contents(self, contents: Sequence[str]) -> set[str]:
        """Tell which of these content digests have embeddings that can be taken over."""
        found = self._read(lambda head: known_contents(self._connection, head, contents))
        if self._lease is not None:
            found |= self._writer.known_contents().intersection(contents)
        return found

    def upsert(self, records: Sequence[ProductRecord], *, run: int) -> None:
        """Insert products, or replace them whole, and mark them as seen by an indexing run.

        Args:
            records: At most one for each product.
            run: Number of the run, as `begin_run` gave it.

        Raises:
            ValueError: If an embedding has the wrong dimension or is not finite, or there is not
                one description for each region.
        """
        for record in records:
            for picture in record.pictures:
                if picture.embeddings is not None:
                    self._check_dimension(picture.embeddings, f"embeddings of {picture.source!r}")
                check_picture(picture)
        self._writing()
        if records:
            self._writer.put(records, run=run)

    def touch(self, product_ids: Sequence[str], *, run: int) -> None:
        """Mark unchanged products as seen by an indexing run; unknown ones are ignored."""
        self._writing()
        if product_ids:
            self._writer.mark(product_ids, run=run)

    def delete(self, product_ids: Sequence[str]) -> int:
        """Remove products; gives how many there were."""
        self._writing()
        return self._writer.remove(product_ids)

    def begin_run(self, feed: str) -> int:
        """Note that an indexing run starts; gives its number, larger than all before."""
        lease = self._writing()
        number = lease.head.runs + 1
        run = Run(number, feed, os.getpid(), _now(), "", 0)
        lease.commit(replace(lease.head, runs=number, run=run))
        self._writer.forget_marks(number)
        return number

    def sweep(self, *, run: int) -> int:
        """Remove every product that a run has not seen; gives how many."""
        self._writing()
        return self._writer.remove_unseen(run)

    def end_run(self, *, run: int) -> None:
        """Note that a run is complete, and bring the derived index up to date."""
        lease = self._writing()
        head = lease.head
        if head.run is not None and head.run.number == run:
            ended = replace(head.run, finished=_now(), seen=count_seen(self._connection, head, run))
            lease.commit(replace(head, run=ended))
        self._writer.tidy()
        files = self._description_files(lease.head)
        remove_unused_blocks(self._connection, lease, files, self._writer.blocks_left)
        self._writer.blocks_left.clear()
        kind = choose_kind(self._address.index, lease.head.counts.embeddings, lease.head.index)
        if kind != lease.head.index:
            self.rebuild(kind)
        elif lease.head.unflushed >= FLUSH_FROM:
            finish_index(self._connection, lease)
        drop_retired(self._connection, lease)

    def rebuild(self, kind: IndexKind | None = None) -> None:
        """Build the collection of embeddings anew, by the address's settings, and swap it in.

        Args:
            kind: Of index; None for the one that the shelf has.
        """
        lease = self._writing()
        self._writer.tidy()
        rebuild(self._connection, self._address, lease, kind or lease.head.index)

    def search(
        self, queries: NDArray[np.float32], top: int, where: Filter | None = None
    ) -> list[list[Hit]]:
        """Find the products most similar to each query.

        Args:
            queries: (Q, D) float32, L2-normalised.
            top: Largest number of products for each query, at least 1.
            where: Only products that pass this filter.

        Returns:
            For each query its hits, most similar first, at most one a product (its best
            image); fewer than `top` only if no more products pass the filter.

        Raises:
            ValueError: If the queries have the wrong shape or are not finite, or `top` is
                below 1.
            FilterError: If the filter names an attribute that no product has.
        """
        self._check_dimension(queries, "queries")
        if top < 1:
            raise ValueError(f"top must be at least 1, got {top}")
        queries = np.ascontiguousarray(queries, np.float32)
        if not np.isfinite(queries).all():
            raise ValueError("queries must be finite: the encoder gave NaN or infinity")
        return self._read(
            lambda head: nearest_products(self._connection, head, queries, top, where)
        )

    def descriptions(self, regions: Sequence[int]) -> Mapping[int, bytes]:
        """Read what re-ranking needs of regions, given by number; those not there are left out."""
        numbers = sorted({number for number in regions if 0 < number < 2**63})

        def read(head: Head) -> dict[int, bytes]:
            described: dict[int, str] = {}
            for chunk in chunks(numbers, 1_000):
                expression = embedding_expression(head, None, f"region in {numbers_text(chunk)}")
                rows = self._connection.query(
                    head.embeddings, expression, ("region", "described"), head.timestamp
                )
                described |= {int(r["region"]): r["described"] for r in rows if r["described"]}
            return self._bodies(head, described)

        return self._read(read)

    def embeddings(self, where: Filter | None = None, *, main: bool = False) -> StoredEmbeddings:
        """Read the embeddings of products, to be compared with each other.

        Args:
            where: Only of products that pass this filter.
            main: Only those of each product's first picture.

        Returns:
            All of the latest version, in the order in which they were stored.

        Raises:
            FilterError: If the filter names an attribute that no product has.
        """
        return self._read(lambda head: read_embeddings(self._connection, head, where, main=main))

    def records(self, *, after: int = 0, most: int = 256) -> StoredRecords:
        """Read products with all that was stored with them, by rising number."""

        def read(head: Head) -> StoredRecords:
            whole, last = read_whole(self._connection, head, after, most)
            described = {
                (one.number, content, row): text
                for one, located in whole
                for content, each in located.items()
                for row, text in enumerate(each.described)
                if text
            }
            keys = list(described)
            bodies = self._bodies(head, dict(enumerate(described.values())))
            found = {key: bodies[place] for place, key in enumerate(keys) if place in bodies}
            return StoredRecords(tuple(_record(one, each, found) for one, each in whole), last)

        return self._read(read)

    def products(self, product_ids: Sequence[str]) -> Mapping[str, Product]:
        """Read products; those not in the store are left out."""
        found = self._read(lambda head: read_products(self._connection, head, product_ids))
        return {name: one.product for name, one in found.items()}

    def listed(
        self,
        *,
        after: str = "",
        limit: int,
        where: Filter | None = None,
        words: Sequence[str] = (),
    ) -> Sequence[Product]:
        """Read products in the order of their IDs; see `VectorStore.listed`."""
        if limit < 1:
            raise ValueError(f"limit must be at least 1, got {limit}")
        return self._read(
            lambda head: list_products(self._connection, head, after, limit, where, words)
        )

    def facets(self, most: int, where: Filter | None = None) -> Facets:
        """Tell what the products, or those that pass a filter, can be told apart by.

        Args:
            most: Largest number of categories, of brands and of currencies; the smallest are left
                out.
            where: Only products that pass this filter.

        Raises:
            FilterError: If the filter names an attribute that no product has.
            ValueError: If `most` is below 1.
        """
        if most < 1:
            raise ValueError(f"most must be at least 1, got {most}")
        return self._read(lambda head: read_facets(self._connection, head, most, where))

    def count(self, where: Filter | None = None) -> Counts:
        """Count what the store holds, or what of it passes a filter.

        Raises:
            FilterError: If the filter names an attribute that no product has.
        """
        return self._read(lambda head: read_counts(self._connection, head, where))

    def close(self) -> None:
        """Release the connection and the lease; the store cannot be used afterwards."""
        if self._closed:
            return
        self._closed = True
        if self._lease is not None:
            with suppress(ShelfError):
                self._writer.tidy()
            self._lease.release()
        self._connection.close()

    def _head(self) -> Head:
        """Give the latest state; a writer knows it, a reader asks."""
        self._check_open()
        if self._lease is not None:
            return self._lease.head
        found = find_head(self._connection, self._address)
        if found is None:
            raise ShelfError(
                f"there is no shelf {self._address}: make one with "
                f"`snapshelf index FEED --shelf {self._address}`"
            )
        head = found[1]
        if head.shelf != getattr(self, "_shelf", head.shelf):
            raise ShelfError(
                f"the shelf {self._address} was removed or replaced while it was open: "
                "open it again"
            )
        return head

    def _read(self, read: Callable[[Head], T]) -> T:
        """Read of the latest state; anew where a commit came in between.

        Raises:
            ShelfError: If that happens again and again.
        """
        deadline = time.monotonic() + PATIENCE_S
        for _ in range(TRIES):
            head = self._whole_head(deadline)
            try:
                result = read(head)
            except (MissingCollectionError, MissingFileError):
                if self._head() == head:
                    raise
                continue
            except UnavailableError:
                if time.monotonic() > deadline:
                    raise
                continue
            # Rows that a commit replaces are deleted right after it, so that some may be gone
            # before they were read; nothing of the state that still is the latest is.
            if self._lease is not None or self._head().version == head.version:
                return result
        raise ShelfError(
            f"{self._address} changes faster than it can be read: try again when it is not being "
            "written to"
        )

    def _whole_head(self, deadline: float) -> Head:
        """Give the latest state, once the server has all of it at hand.

        Args:
            deadline: By `time.monotonic`: a server that is away is waited for until then.

        Raises:
            UnavailableError: If it does not answer until then, or not from all the rows.
        """
        while True:
            try:
                head = self._head()
                self._completeness.check(head)
                return head
            except UnavailableError:
                if time.monotonic() > deadline:
                    raise
            time.sleep(POLL_S)

    def _writing(self) -> Lease:
        """Give the lease, once all that is to be changed is at hand."""
        self._check_open()
        if self._lease is None:
            raise ShelfError(
                f"{self._address} was opened for searching only; open it with write=True"
            )
        self._whole_head(time.monotonic() + PATIENCE_S)
        return self._lease

    def _description_files(self, head: Head) -> DescriptionFiles | None:
        """Give where large descriptions are, None where no place is named."""
        place = features_place(self._address.features, head.features)
        if self._files is None and place:
            self._files = DescriptionFiles(place, head.shelf)
        return self._files

    def _bodies(self, head: Head, described: Mapping[int, str]) -> dict[int, bytes]:
        """Read descriptions by what their rows say, given by any number."""
        found = {key: read_inline(text) for key, text in described.items() if is_inline(text)}
        large = {key: text for key, text in described.items() if not is_inline(text)}
        files = self._description_files(head) if large else None
        if files is not None:
            found |= files.read(large)
        return found

    def _writable_files(self) -> DescriptionFiles | None:
        """Give where large descriptions are to be written, and note it."""
        assert self._lease is not None
        lease = self._lease
        files = self._description_files(lease.head)
        if files is not None and not lease.head.features:
            place = features_place(self._address.features, "")
            lease.commit(replace(lease.head, features=place))
        return files

    def _check_dimension(self, array: NDArray[np.float32], name: str) -> None:
        if array.ndim != 2 or array.shape[1] != self._dimension:
            raise ValueError(
                f"{name} must have shape (N, {self._dimension}), got {tuple(array.shape)}"
            )

    def _check_open(self) -> None:
        if self._closed:
            raise ValueError(f"the store of {self._address} is closed: open it again")


def _record(
    one: StoredProduct,
    located: Mapping[str, Located],
    bodies: Mapping[tuple[int, str, int], bytes],
) -> ProductRecord:
    """Put together a product as it would be stored anew."""
    pictures = []
    for picture in one.known.pictures:
        each = located[picture.content]
        keys = [(one.number, picture.content, row) for row in range(len(each.regions))]
        described = tuple(bodies[key] for key in keys if key in bodies)
        pictures.append(
            PictureRecord(
                picture.source,
                picture.signature,
                picture.content,
                each.regions,
                each.vectors,
                described if described and len(described) == len(keys) else None,
            )
        )
    return ProductRecord(one.product, tuple(pictures))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
