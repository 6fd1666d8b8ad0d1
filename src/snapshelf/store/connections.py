"""`Connections`: a shelf's database, lent out for reading to any thread, for writing to one."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from snapshelf.store import refusals
from snapshelf.store.creation import DATABASE
from snapshelf.store.database import connect, readable_errors, transaction
from snapshelf.store.records import Run
from snapshelf.store.runs import last_run
from snapshelf.store.writer_lock import take_lock, writer_lock

__all__ = ["Connections"]


class Connections:
    """Connections to the database in a shelf's folder.

    Args:
        folder: The shelf's folder.
        write: Take the writer's lock, and open the database for writing too.

    Raises:
        ShelfError: If there is no shelf in the folder, or it is damaged.
        ShelfLockedError: If another process is writing to it.
    """

    def __init__(self, folder: Path, *, write: bool) -> None:
        self._folder = folder
        self._file = folder / DATABASE
        self._idle: list[sqlite3.Connection] = []
        self._closed = False
        self._writer: sqlite3.Connection | None = None
        self._lock = writer_lock(folder)
        if not self._file.is_file():
            raise refusals.missing(folder)
        self._identity = self._file_identity()
        if not write:
            return
        try:
            take_lock(self._lock, folder, self._latest_run)
            self._writer = connect(self._file, write=True)
        except BaseException:
            self.close()
            raise

    @property
    def idle(self) -> int:
        """How many connections wait to be lent out."""
        return len(self._idle)

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Read in one transaction, whose errors are in the user's words.

        Lends out an idle connection, or a new one; a list's pop and append are atomic.
        """
        self._check_open()
        try:
            db = self._idle.pop()
        except IndexError:
            db = connect(self._file, write=False)
        try:
            with readable_errors(self._file), transaction(db, write=False):
                yield db
        finally:
            self._idle.append(db)
            if self._closed:
                self.close()

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Write in one transaction, whose errors are in the user's words."""
        with self.outside_transaction() as db, transaction(db, write=True):
            yield db

    @contextmanager
    def outside_transaction(self) -> Iterator[sqlite3.Connection]:
        """Lend out the writer's connection, for work that has transactions of its own."""
        self._check_open()
        if self._writer is None:
            raise refusals.read_only(self._folder)
        with readable_errors(self._file):
            yield self._writer

    def close(self) -> None:
        """Close all connections, and release the lock.

        One that is lent out is closed when it comes back.
        """
        self._closed = True
        while self._idle:
            self._idle.pop().close()
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        self._lock.release()

    def _latest_run(self) -> Run | None:
        with self.reading() as db:
            return last_run(db)

    def _check_open(self) -> None:
        if self._closed:
            raise refusals.closed(self._folder)
        # A connection goes on with a deleted file, and a new one would see another shelf.
        if self._file_identity() != self._identity:
            raise refusals.replaced(self._folder)

    def _file_identity(self) -> tuple[int, int] | None:
        """Tell the database's file apart from one put in its place; None if it is gone."""
        try:
            status = self._file.stat()
        except OSError:
            return None
        return status.st_dev, status.st_ino
