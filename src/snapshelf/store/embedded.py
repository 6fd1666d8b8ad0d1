"""The store on one machine: SQLite holds the truth, a faiss index derived from it is a cache."""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from snapshelf.catalog.product import Product
from snapshelf.errors import ShelfError
from snapshelf.matching.distances import Distance, check_distance
from snapshelf.store.checks import (
    check_at_least_one,
    check_names,
    check_records,
    checked_queries,
    region_numbers,
)
from snapshelf.store.connections import Connections
from snapshelf.store.creation import create_store, store_exists
from snapshelf.store.database import read_meta
from snapshelf.store.faceting import read_facets
from snapshelf.store.filters import Filter
from snapshelf.store.hits import Hits, read_hits
from snapshelf.store.reading import (
    known_contents,
    known_products,
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
    KnownProduct,
    ProductRecord,
    Run,
    StoredEmbeddings,
    StoredRecords,
)
from snapshelf.store.refreshing import refresh_index
from snapshelf.store.runs import finish_run, last_run, mark_seen, start_run, unseen_products
from snapshelf.store.view import View, nearest_products
from snapshelf.store.view_cache import ViewCache
from snapshelf.store.writing import delete_products, next_version, note, put_product

__all__ = ["EmbeddedStore"]


class EmbeddedStore:
    """A `VectorStore` in a folder, which tells what each method takes, gives and refuses.

    Any number of processes may search while one writes; each call sees the latest commit.

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
        """Make a new, empty store in a folder, which is made if missing; see `make_store`.

        Raises:
            ShelfError: If the folder cannot be made, holds a shelf or other files.
            ShelfLockedError: If another process is making it.
            ValueError: As `check_new_store` says.
        """
        create_store(folder, dimension=dimension, distance=distance, properties=properties)

    @staticmethod
    def exists(folder: Path) -> bool:
        """Whether a folder holds a store."""
        return store_exists(folder)

    def close(self) -> None:
        """Release files and the lock; a search under way in another thread comes to its end."""
        self._connections.close()

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
        with self._connections.reading() as db:
            return dict(db.execute("SELECT name, value FROM meta"))

    @property
    def version(self) -> str:
        """The number of the latest commit that changed what a search could find."""
        with self._connections.reading() as db:
            return read_meta(db, "version")

    def note(self, name: str, value: str) -> None:
        """Set one of the `properties`."""
        check_names([name])
        with self._connections.writing() as db:
            note(db, name, value)

    # --- indexing -----------------------------------------------------------------------------

    def last_run(self) -> Run | None:
        """Read the latest run from the database."""
        with self._connections.reading() as db:
            return last_run(db)

    def known(self, product_ids: Sequence[str]) -> Mapping[str, KnownProduct]:
        """Read what is remembered of products."""
        with self._connections.reading() as db:
            return known_products(db, product_ids)

    def known_contents(self, contents: Sequence[str]) -> set[str]:
        """Read which contents have embeddings, those of removed pictures too."""
        with self._connections.reading() as db:
            return known_contents(db, contents)

    def begin_run(self, feed: str) -> int:
        """Note that a run of this process starts."""
        with self._connections.writing() as db:
            return start_run(db, feed)

    def upsert(self, records: Sequence[ProductRecord], *, run: int) -> None:
        """Store products in one transaction; a picture that stays keeps its regions."""
        check_records(records, self._dimension)
        if not records:
            return
        with self._connections.writing() as db:
            version = next_version(db)
            for record in records:
                put_product(db, record, version=version, run=run)

    def touch(self, product_ids: Sequence[str], *, run: int) -> None:
        """Mark products as seen, which is no new version."""
        if product_ids:
            with self._connections.writing() as db:
                mark_seen(db, product_numbers(db, product_ids), run=run)

    def delete(self, product_ids: Sequence[str]) -> int:
        """Remove products; their pictures stay in the file until the next index is built."""
        with self._connections.writing() as db:
            return _delete(db, product_numbers(db, product_ids))

    def sweep(self, *, run: int) -> int:
        """Remove the products that a run has not seen, in one transaction."""
        with self._connections.writing() as db:
            return _delete(db, unseen_products(db, run))

    def end_run(self, *, run: int) -> None:
        """Note that a run is complete, and build the derived index anew if it is out of date."""
        with self._connections.writing() as db:
            finish_run(db, run)
        with self._connections.outside_transaction() as db:
            refresh_index(
                db,
                self._folder / "index",
                dimension=self._dimension,
                distance=self._distance,
            )

    # --- searching ----------------------------------------------------------------------------

    def search(
        self, queries: NDArray[np.float32], top: int, where: Filter | None = None
    ) -> list[Hits]:
        """Search the view of the latest version: the derived index, and what is newer beside it."""
        check_at_least_one("top", top)
        queries = checked_queries(queries, self._dimension)
        with self._snapshot() as (db, view):
            selection = self._views.selection(db, view, where)
            ranked = nearest_products(view, queries, top, selection)
            return [read_hits(db, view, regions, similarities) for regions, similarities in ranked]

    def descriptions(self, regions: Sequence[int]) -> Mapping[int, bytes]:
        """Read descriptions; those of removed pictures too, as long as they are there."""
        with self._connections.reading() as db:
            return read_descriptions(db, region_numbers(regions))

    # --- reading ------------------------------------------------------------------------------

    def embeddings(self, where: Filter | None = None, *, main: bool = False) -> StoredEmbeddings:
        """Read embeddings in the order in which they were stored."""
        with self._connections.reading() as db:
            return read_embeddings(db, self._dimension, where, main=main)

    def records(self, *, after: int = 0, most: int = 256) -> StoredRecords:
        """Read whole products, in the order in which they were first stored."""
        check_at_least_one("most", most)
        with self._connections.reading() as db:
            return read_records(db, self._dimension, after, most)

    def products(self, product_ids: Sequence[str]) -> Mapping[str, Product]:
        """Read products as the feed gave them."""
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
        """Walk the index over IDs from `after` on, until there are enough."""
        check_at_least_one("limit", limit)
        with self._connections.reading() as db:
            return list_products(db, after, limit, where, words)

    def count(self, where: Filter | None = None) -> Counts:
        """Count in the tables, not in the index."""
        with self._connections.reading() as db:
            return read_counts(db, where)

    def facets(self, most: int, where: Filter | None = None) -> Facets:
        """Group the table of products; of a group, the product first stored gives its name."""
        check_at_least_one("most", most)
        with self._connections.reading() as db:
            return read_facets(db, most, where)

    @contextmanager
    def _snapshot(self) -> Iterator[tuple[sqlite3.Connection, View]]:
        """Read in one transaction that sees just the version of the view it comes with."""
        while True:
            with self._connections.reading() as db:
                view = self._views.at(db, int(read_meta(db, "version")))
                if view is not None:
                    yield db, view
                    return


def _delete(db: sqlite3.Connection, numbers: Sequence[int]) -> int:
    """Remove products, given by number, as a new version if there are any; gives how many."""
    if numbers:
        delete_products(db, numbers, version=next_version(db))
    return len(numbers)


def _read_distance(db: sqlite3.Connection) -> Distance:
    """Read how embeddings are compared; shelves from before there was a choice do not tell."""
    try:
        return check_distance(read_meta(db, "distance", "cosine"))
    except ValueError as error:
        raise ShelfError(
            f"the shelf was made by another version of snapshelf: {error}; search it with that "
            "one, or index the feed into a new shelf"
        ) from error
