"""The store on one machine: SQLite holds the truth, a faiss index derived from it is a cache."""

import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from snapshelf.catalog.product import Product
from snapshelf.errors import ShelfError
from snapshelf.matching.distances import Distance, check_distance
from snapshelf.store.connections import Connections
from snapshelf.store.creation import check_names, create_store, store_exists
from snapshelf.store.database import read_meta
from snapshelf.store.faceting import read_facets
from snapshelf.store.filters import Filter
from snapshelf.store.hits import read_hits
from snapshelf.store.reading import (
    known_contents,
    known_products,
    last_run,
    list_products,
    product_numbers,
    read_counts,
    read_descriptions,
    read_embeddings,
    read_products,
)
from snapshelf.store.record_reading import read_records
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
from snapshelf.store.refreshing import refresh_index
from snapshelf.store.view import View, nearest_products
from snapshelf.store.view_cache import ViewCache
from snapshelf.store.writing import (
    delete_products,
    mark_seen,
    next_version,
    put_product,
)

__all__ = ["EmbeddedStore"]


class EmbeddedStore:
    """A `VectorStore` in a folder.

    Any number of processes may search while one writes; each call sees the latest commit.
    Safe to use from several threads; writing calls are for one thread at a time.

    Args:
        folder: A folder that `create` made.
        write: Take the writer's lock; needed for every call that changes something.

    Raises:
        ShelfError: If there is no shelf in the folder, or it is damaged.
        ShelfLockedError: If another process is writing to it.
    """

    def __init__(self, folder: Path, *, write: bool = False) -> None:
        self._folder = folder
        self._connections = Connections(folder, write=write)
        try:
            with self._connections.reading() as db:
                self._dimension = int(read_meta(db, "dimension"))
                self._distance = _read_distance(db)
                self._views = ViewCache(
                    folder / "index",
                    shelf_id=read_meta(db, "shelf"),
                    dimension=self._dimension,
                    distance=self._distance,
                )
        except BaseException:
            self.close()
            raise

    @classmethod
    def create(
        cls,
        folder: Path,
        *,
        dimension: int,
        properties: Mapping[str, str],
        distance: Distance = "cosine",
    ) -> None:
        """Make a new, empty store.

        Args:
            folder: Made if missing; must not hold a shelf.
            dimension: Length D of an embedding, at least 1.
            properties: What the shelf notes about itself.
            distance: How embeddings are compared, see `snapshelf.matching.distances`.

        Raises:
            ShelfError: If the folder cannot be made, holds a shelf or other files.
            ShelfLockedError: If another process is making it.
            ValueError: If `dimension` is below 1, there is no such distance, or a property has a
                name of `RESERVED`.
        """
        create_store(folder, dimension=dimension, distance=distance, properties=properties)

    @staticmethod
    def exists(folder: Path) -> bool:
        """Whether a folder holds a store."""
        return store_exists(folder)

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
        with self._connections.reading() as db:
            return dict(db.execute("SELECT name, value FROM meta"))

    @property
    def version(self) -> str:
        """The number of the latest commit that changed what a search could find."""
        with self._connections.reading() as db:
            return read_meta(db, "version")

    def note(self, name: str, value: str) -> None:
        """Set one of the `properties`.

        Raises:
            ValueError: If it is one of `RESERVED`.
        """
        check_names([name])
        with self._connections.writing() as db:
            db.execute(
                "INSERT INTO meta VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = ?",
                (name, value, value),
            )

    def last_run(self) -> Run | None:
        """The latest indexing run, None if there was none."""
        with self._connections.reading() as db:
            return last_run(db)

    def known(self, product_ids: Sequence[str]) -> Mapping[str, KnownProduct]:
        """Tell what is remembered of these products; unknown ones are left out."""
        with self._connections.reading() as db:
            return known_products(db, product_ids)

    def known_contents(self, contents: Sequence[str]) -> set[str]:
        """Tell which of these content digests have embeddings that can be taken over."""
        with self._connections.reading() as db:
            return known_contents(db, contents)

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
        if not records:
            return
        with self._connections.writing() as db:
            version = next_version(db)
            for record in records:
                put_product(db, record, version=version, run=run)

    def touch(self, product_ids: Sequence[str], *, run: int) -> None:
        """Mark unchanged products as seen by an indexing run; unknown ones are ignored."""
        if product_ids:
            with self._connections.writing() as db:
                mark_seen(db, product_numbers(db, product_ids), run=run)

    def delete(self, product_ids: Sequence[str]) -> int:
        """Remove products; gives how many there were."""
        with self._connections.writing() as db:
            numbers = product_numbers(db, product_ids)
            if numbers:
                delete_products(db, numbers, version=next_version(db))
        return len(numbers)

    def begin_run(self, feed: str) -> int:
        """Note that an indexing run starts; gives its number, larger than all before."""
        with self._connections.writing() as db:
            (number,) = db.execute(
                "INSERT INTO run (feed, process, started) VALUES (?, ?, ?) RETURNING number",
                (feed, os.getpid(), _now()),
            ).fetchone()
        return int(number)

    def sweep(self, *, run: int) -> int:
        """Remove every product that a run has not seen; gives how many."""
        with self._connections.writing() as db:
            rows = db.execute(
                "SELECT number FROM product"
                " WHERE number NOT IN (SELECT product FROM seen WHERE run = ?)",
                (run,),
            )
            numbers = [number for (number,) in rows]
            if numbers:
                delete_products(db, numbers, version=next_version(db))
        return len(numbers)

    def end_run(self, *, run: int) -> None:
        """Note that a run is complete, and bring the derived index up to date."""
        with self._connections.writing() as db:
            db.execute("UPDATE run SET finished = ? WHERE number = ?", (_now(), run))
        with self._connections.outside_transaction() as db:
            refresh_index(
                db,
                self._folder / "index",
                dimension=self._dimension,
                distance=self._distance,
            )

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
        with self._snapshot() as (db, view):
            selection = self._views.selection(db, view, where)
            ranked = nearest_products(view, queries, top, selection)
            return [read_hits(db, view, regions, similarities) for regions, similarities in ranked]

    def descriptions(self, regions: Sequence[int]) -> Mapping[int, bytes]:
        """Read what re-ranking needs of regions, given by number; those not there are left out."""
        with self._connections.reading() as db:
            return read_descriptions(db, regions)

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
        with self._connections.reading() as db:
            return read_embeddings(db, self._dimension, where, main=main)

    def records(self, *, after: int = 0, most: int = 256) -> StoredRecords:
        """Read products with all that was stored with them, by rising number."""
        with self._connections.reading() as db:
            return read_records(db, self._dimension, after, most)

    def products(self, product_ids: Sequence[str]) -> Mapping[str, Product]:
        """Read products; those not in the store are left out."""
        with self._connections.reading() as db:
            return read_products(db, product_ids)

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
        with self._connections.reading() as db:
            return list_products(db, after, limit, where, words)

    def count(self, where: Filter | None = None) -> Counts:
        """Count what the store holds, or what of it passes a filter.

        Raises:
            FilterError: If the filter names an attribute that no product has.
        """
        with self._connections.reading() as db:
            return read_counts(db, where)

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
        with self._connections.reading() as db:
            return read_facets(db, most, where)

    def close(self) -> None:
        """Release files and the lock; the store cannot be used afterwards.

        A search under way in another thread comes to its end.
        """
        self._connections.close()

    def _check_dimension(self, array: NDArray[np.float32], name: str) -> None:
        if array.ndim != 2 or array.shape[1] != self._dimension:
            raise ValueError(
                f"{name} must have shape (N, {self._dimension}), got {tuple(array.shape)}"
            )

    @contextmanager
    def _snapshot(self) -> Iterator[tuple[sqlite3.Connection, View]]:
        """Read in one transaction that sees just the version of the view it comes with."""
        while True:
            with self._connections.reading() as db:
                view = self._views.at(db, int(read_meta(db, "version")))
                if view is not None:
                    yield db, view
                    return


def _read_distance(db: sqlite3.Connection) -> Distance:
    """Read how embeddings are compared; shelves from before there was a choice do not tell."""
    try:
        return check_distance(read_meta(db, "distance", "cosine"))
    except ValueError as error:
        raise ShelfError(
            f"the shelf was made by another version of snapshelf: {error}; search it with that "
            "one, or index the feed into a new shelf"
        ) from error


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
