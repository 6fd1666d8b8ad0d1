"""Reading a `View` from the database, whole or by what changed since the last one."""

import sqlite3
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from snapshelf.matching.distances import Distance
from snapshelf.store.index_file import IndexFile
from snapshelf.store.view import View

__all__ = ["embedding_blocks", "first_view", "next_view"]

BLOCK = 16_384

_ALL = """
    SELECT region.number, region.product, embedding.vector
    FROM region
    JOIN embedding ON embedding.region = region.number
    JOIN picture ON picture.number = region.picture
    WHERE picture.removed IS NULL
    ORDER BY region.number
"""
# CROSS JOIN keeps the order of the tables: from the few pictures that are new to their regions.
# SQLite itself would read all regions, since these come in the order that is asked for.
_ADDED = """
    SELECT region.number, region.product, embedding.vector
    FROM picture
    CROSS JOIN region ON region.picture = picture.number
    CROSS JOIN embedding ON embedding.region = region.number
    WHERE picture.added > ? AND picture.removed IS NULL
    ORDER BY region.number
"""
_REMOVED = """
    SELECT region.number FROM picture JOIN region ON region.picture = picture.number
    WHERE picture.removed > ?
"""


def embedding_blocks(
    db: sqlite3.Connection, dimension: int, *, after: int = 0
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]]:
    """Read the embeddings that are not removed, in blocks.

    Args:
        db: Inside a transaction.
        dimension: Length D of an embedding.
        after: Only those added after this version of the shelf.

    Yields:
        Region numbers (B,), product numbers (B,) and vectors (B, D), by rising region number.
    """
    cursor = db.execute(_ADDED, (after,)) if after else db.execute(_ALL)
    while rows := cursor.fetchmany(BLOCK):
        regions, products, blobs = zip(*rows, strict=True)
        vectors = np.frombuffer(b"".join(blobs), "<f4").reshape(len(rows), dimension)
        yield np.array(regions, np.int64), np.array(products, np.int64), vectors


def first_view(
    db: sqlite3.Connection,
    dimension: int,
    distance: Distance,
    version: int,
    index: IndexFile | None,
) -> View:
    """Read a view: all that the derived index does not hold.

    Args:
        db: Inside a transaction that sees `version`.
        dimension: Length of an embedding.
        distance: How embeddings are compared.
        version: The shelf's version.
        index: The derived index that the database names, None if it is lost or there is none.
    """
    built = 0 if index is None else index.version
    regions, products, vectors = _stack(embedding_blocks(db, dimension, after=built), dimension)
    view = View(version, built, distance, index, None, regions, products, vectors)
    return _without(view, _removed_since(db, built))


def next_view(db: sqlite3.Connection, dimension: int, version: int, view: View) -> View:
    """Read only what changed since an earlier view over the same derived index.

    Args:
        db: Inside a transaction that sees `version`.
        dimension: Length of an embedding.
        version: The shelf's version, later than the view's.
        view: The earlier view.
    """
    regions, products, vectors = _stack(
        embedding_blocks(db, dimension, after=view.version), dimension
    )
    grown = View(
        version,
        view.index_version,
        view.distance,
        view.index,
        view.alive,
        np.concatenate([view.regions, regions]),
        np.concatenate([view.products, products]),
        np.concatenate([view.vectors, vectors]),
    )
    return _without(grown, _removed_since(db, view.version))


def _stack(
    blocks: Iterator[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]],
    dimension: int,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]:
    empty = (np.empty(0, np.int64), np.empty(0, np.int64), np.empty((0, dimension), np.float32))
    regions, products, vectors = zip(empty, *blocks, strict=True)
    return np.concatenate(regions), np.concatenate(products), np.concatenate(vectors)


def _removed_since(db: sqlite3.Connection, version: int) -> NDArray[np.int64]:
    return np.array([number for (number,) in db.execute(_REMOVED, (version,))], np.int64)


def _without(view: View, removed: NDArray[np.int64]) -> View:
    if not len(removed):
        return view
    alive = view.alive
    if view.index is not None:
        gone = np.isin(view.index.regions, removed)
        alive = ~gone if alive is None else alive & ~gone
    keep = ~np.isin(view.regions, removed)
    return View(
        view.version,
        view.index_version,
        view.distance,
        view.index,
        alive,
        view.regions[keep],
        view.products[keep],
        view.vectors[keep],
    )
