"""Opening a shelf's SQLite database, and telling its errors in the user's words."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from snapshelf.errors import ShelfError
from snapshelf.store.schema import APPLICATION_ID, SCHEMA, SCHEMA_VERSION

__all__ = ["connect", "create_database", "read_meta", "readable_errors", "transaction"]

BUSY_TIMEOUT_S = 30.0


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
            if not write:
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
    building.unlink(missing_ok=True)
    with readable_errors(file):
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


def read_meta(db: sqlite3.Connection, name: str) -> str:
    """Read one entry of the table ``meta``."""
    row = db.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
    if row is None:
        raise ShelfError(f"the shelf is damaged: it does not tell its {name}; index it again")
    return str(row[0])


@contextmanager
def transaction(db: sqlite3.Connection, *, write: bool) -> Iterator[None]:
    """Run statements as one transaction: all of them or, on any error, none."""
    db.execute("BEGIN IMMEDIATE" if write else "BEGIN")
    try:
        yield
    except BaseException:
        db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")


@contextmanager
def readable_errors(file: Path) -> Iterator[None]:
    """Turn SQLite's errors into a `ShelfError` that says what to do."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        name = getattr(error, "sqlite_errorname", "") or type(error).__name__
        hint = {
            "SQLITE_FULL": "the disk is full: make room and run the same command again",
            "SQLITE_READONLY": "it cannot be written: check the folder's permissions",
            "SQLITE_CANTOPEN": "it cannot be opened: check the path and its permissions",
            "SQLITE_BUSY": "another process holds it: wait for that one to finish",
            "SQLITE_NOTADB": "it is no shelf: give the folder that `snapshelf index` wrote",
        }.get(name, "restore it from a backup, or index the feed into a new shelf")
        raise ShelfError(f"{file}: {error} ({name}); {hint}") from error


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
