"""Opening a shelf's SQLite database, and telling its errors in the user's words."""

import errno
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from snapshelf.errors import ShelfError
from snapshelf.store.schema import APPLICATION_ID, DESCRIPTION, SCHEMA, SCHEMA_VERSION

__all__ = ["connect", "create_database", "read_meta", "readable_errors", "sync", "transaction"]

BUSY_TIMEOUT_S = 30.0

_FULL = "the disk is full: make room and run the same command again"
_DAMAGED = "restore it from a backup, or index the feed into a new shelf"
_HINTS = {
    "SQLITE_FULL": _FULL,
    "SQLITE_IOERR": "reading or writing failed: check the disk and how much room it has",
    "SQLITE_READONLY": "it cannot be written: check the folder's permissions",
    "SQLITE_CANTOPEN": "it cannot be opened: check the path and its permissions",
    "SQLITE_BUSY": "another process holds it: wait for that one to finish",
    "SQLITE_NOTADB": "it is no shelf: give the folder that `snapshelf index` wrote",
}
_NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def connect(file: Path, *, write: bool) -> sqlite3.Connection:
    """Open an existing shelf database.

    Args:
        file: The database.
        write: Whether this connection may change it.

    Raises:
        ShelfError: If it is no shelf, damaged, or of another version of the format.
    """
    with readable_errors(file):
        db = sqlite3.connect(
            f"{file.resolve().as_uri()}?mode=rw",
            uri=True,
            isolation_level=None,
            timeout=BUSY_TIMEOUT_S,
            check_same_thread=False,
        )
        try:
            _check_identity(db, file)
            db.execute("PRAGMA synchronous = FULL")
            db.execute("PRAGMA foreign_keys = ON")
            db.execute("PRAGMA cache_size = -65536")
            if write:
                db.execute(DESCRIPTION)
            else:
                db.execute("PRAGMA query_only = ON")
        except BaseException:
            db.close()
            raise
    return db


def create_database(file: Path, meta: dict[str, str]) -> None:
    """Make a new, empty shelf database; all of it or nothing.

    Args:
        file: Where to put it; must not exist.
        meta: First content of the table ``meta``.
    """
    building = file.with_suffix(".building")
    with readable_errors(file):
        building.unlink(missing_ok=True)
        db = sqlite3.connect(building, isolation_level=None)
        try:
            db.execute("PRAGMA page_size = 8192")
            db.execute("PRAGMA journal_mode = WAL")
            db.executescript(f"BEGIN; {SCHEMA} COMMIT;")
            db.executemany("INSERT INTO meta VALUES (?, ?)", meta.items())
            db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        finally:
            db.close()  # the last connection's close folds the WAL into the file
        building.rename(file)
        sync(file.parent)


def sync(path: Path) -> None:
    """Wait until a file's content, or a folder's list of names, is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_meta(db: sqlite3.Connection, name: str, default: str | None = None) -> str:
    """Read one entry of the table ``meta``; without a default it must be there."""
    row = db.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
    if row is None and default is not None:
        return default
    if row is None:
        raise ShelfError(f"the shelf is damaged: it does not tell its {name}; index it again")
    return str(row[0])


@contextmanager
def transaction(db: sqlite3.Connection, *, write: bool) -> Iterator[None]:
    """Run statements as one transaction: all of them or, on any error, none."""
    db.execute("BEGIN IMMEDIATE" if write else "BEGIN")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        # After some errors, a full disk for one, SQLite has rolled back by itself.
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


@contextmanager
def readable_errors(file: Path) -> Iterator[None]:
    """Turn errors of SQLite and of the file system into a `ShelfError` that says what to do."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        name = getattr(error, "sqlite_errorname", "") or type(error).__name__
        # An extended name, such as SQLITE_READONLY_DIRECTORY, begins with its group's.
        hint = next((text for group, text in _HINTS.items() if name.startswith(group)), _DAMAGED)
        raise ShelfError(f"{file}: {error} ({name}); {hint}") from error
    except OSError as error:
        hint = _FULL if error.errno in _NO_SPACE else "check the folder, its disk and permissions"
        raise ShelfError(f"{file}: {error.strerror or error}; {hint}") from error


def _check_identity(db: sqlite3.Connection, file: Path) -> None:
    (application,) = db.execute("PRAGMA application_id").fetchone()
    if application != APPLICATION_ID:
        raise ShelfError(
            f"{file} is no shelf: it is an SQLite database of something else; "
            "give the folder that `snapshelf index` wrote"
        )
    (version,) = db.execute("PRAGMA user_version").fetchone()
    if version != SCHEMA_VERSION:
        raise ShelfError(
            f"{file} has shelf format {version}, this snapshelf reads format {SCHEMA_VERSION}; "
            "index the feed into a new shelf with this version"
        )
