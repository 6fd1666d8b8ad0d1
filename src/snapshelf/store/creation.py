"""Making a new, empty embedded store."""

import uuid
from collections.abc import Iterable, Mapping
from pathlib import Path

from filelock import FileLock, Timeout

from snapshelf.errors import ShelfError, ShelfLockedError
from snapshelf.matching.distances import Distance, check_distance
from snapshelf.store.database import create_database

__all__ = ["DATABASE", "LOCK", "RESERVED", "check_names", "create_store", "store_exists"]

DATABASE = "shelf.sqlite"
LOCK = "writer.lock"

RESERVED = frozenset({"shelf", "dimension", "distance", "version", "index_version"})
"""Properties that the store itself keeps."""


def store_exists(folder: Path) -> bool:
    """Whether a folder holds a store."""
    return (folder / DATABASE).is_file()


def create_store(
    folder: Path, *, dimension: int, distance: Distance, properties: Mapping[str, str]
) -> None:
    """Make a new, empty store; see `EmbeddedStore.create`."""
    if dimension < 1:
        raise ValueError(f"dimension must be at least 1, got {dimension}")
    check_distance(distance)
    check_names(properties)
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
                raise ShelfError(f"there is a shelf in {folder} already")
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


def check_names(properties: Iterable[str]) -> None:
    """Refuse names of properties that the store itself keeps.

    Raises:
        ValueError: If one is in `RESERVED`.
    """
    if taken := RESERVED.intersection(properties):
        raise ValueError(f"the property {min(taken)!r} is kept by the store, give another name")
