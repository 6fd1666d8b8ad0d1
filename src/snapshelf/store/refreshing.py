"""Bringing the derived index up to date with the database."""

import sqlite3
from pathlib import Path

from snapshelf.matching.distances import Distance
from snapshelf.store.database import read_meta, transaction
from snapshelf.store.index_file import open_index, remove_other_indexes, write_index
from snapshelf.store.reading import all_labels, count_changed, count_rows
from snapshelf.store.view_loading import embedding_blocks
from snapshelf.store.writing import purge_removed

__all__ = ["refresh_index"]

STALE_FROM = 256
STALE_SHARE = 0.05

CHECKPOINT_PATIENCE_MS = 500


def refresh_index(
    db: sqlite3.Connection, folder: Path, *, dimension: int, distance: Distance
) -> None:
    """Build the derived index anew where it is missing or lags far behind.

    It lags far behind when more than `STALE_FROM` pictures, and more than `STALE_SHARE` of its
    rows, came or went since it was built; fewer are searched beside it at little cost.

    Args:
        db: The writer's connection, outside a transaction.
        folder: Where the shelf's derived indexes lie.
        dimension: Length D of an embedding.
        distance: How embeddings are compared.
    """
    with transaction(db, write=False):
        shelf_id = read_meta(db, "shelf")
        version = int(read_meta(db, "version"))
        built = int(read_meta(db, "index_version"))
        remove_other_indexes(folder, built)
        index = open_index(
            folder, version=built, shelf_id=shelf_id, dimension=dimension, distance=distance
        )
        changed = count_changed(db, 0 if index is None else built)
        rows = 0 if index is None else len(index.regions)
        if changed <= max(STALE_FROM, STALE_SHARE * rows):
            return
        write_index(
            folder,
            version=version,
            shelf_id=shelf_id,
            dimension=dimension,
            distance=distance,
            blocks=embedding_blocks(db, dimension),
            labels=all_labels(db),
            rows=count_rows(db),
        )
    # Nobody else writes, so the version is still the one the index was built from.
    with transaction(db, write=True):
        db.execute("UPDATE meta SET value = ? WHERE name = 'index_version'", (str(version),))
        purge_removed(db, up_to=version)
    remove_other_indexes(folder, version)
    # Not worth waiting for a long search: the next checkpoint does what this one cannot.
    (patience,) = db.execute("PRAGMA busy_timeout").fetchone()
    db.execute(f"PRAGMA busy_timeout = {CHECKPOINT_PATIENCE_MS}")
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.execute(f"PRAGMA busy_timeout = {patience}")
