"""Making a new, empty embedded store."""

import uuid
from collections.abc import Mapping
from pathlib import Path

from filelock import FileLock, Timeout

from snapshelf.errors import ShelfError, ShelfLockedError
from snapshelf.matching.distances import Distance
from snapshelf.store import refusals
from snapshelf.store.checks import check_new_store
from snapshelf.store.database import create_database

__all__ = ["DATABASE", "LOCK", "create_store", "store_exists"]

DATABASE = "shelf.sqlite"
LOCK = "writer.lock"


def store_exists(folder: Path) -> bool:
    """Whether a folder holds a store."""
    return (folder / DATABASE).is_file()


def create_store(
    folder: Path, *, dimension: int, distance: Distance, properties: Mapping[str, str]
) -> None:
    """Make a new, empty store; see `EmbeddedStore.create`."""
    check_new_store(dimension, distance, properties)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        strangers = sorted(
            f.name for f in folder.iterdir() if not f.name.startswith((LOCK, "shelf."))
        )
    except OSError as error:
        raise ShelfError(
            f"the shelf's folder {folder} cannot be made: {error.strerror or error}; "
            "give another path"
        ) from error
    if strangers:
        raise ShelfError(
            f"{folder} is not empty ({strangers[0]}): give a new or empty folder for the shelf"
        )
    fixed = {
        "shelf": uuid.uuid4().hex,
        "dimension": str(dimension),
        "distance": distance,
        "version": "0",
        "index_version": "0",
    }
    try:
        with FileLock(folder / LOCK, timeout=0):
            if (folder / DATABASE).exists():
                raise refusals.exists_already(folder)
            create_database(folder / DATABASE, {**properties, **fixed})
    except Timeout:
        raise ShelfLockedError(
            f"another process is making a shelf in {folder}: wait for it to finish"
        ) from None
    except OSError as error:
        raise ShelfError(
            f"the shelf's folder {folder} cannot be written: {error.strerror or error}; "
            "give another path"
        ) from error
