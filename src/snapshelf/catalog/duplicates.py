"""Finds a product ID that stood in the feed before, without holding the IDs in memory."""

import sqlite3
from contextlib import closing
from hashlib import blake2b
from types import TracebackType
from typing import Self

__all__ = ["SeenIds"]

CACHE_KIB = 4096


class SeenIds:
    """The IDs seen so far with the line of each, on disk beyond a few MiB.

    They are kept as 16-byte digests in an unnamed SQLite file that the system removes, so a
    million of them need some 40 MB of disk. Use it as a context manager.
    """

    def __init__(self) -> None:
        # The iterator that owns this may be drawn from a worker thread, one at a time.
        self._database = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._database.execute("PRAGMA journal_mode = OFF")
        self._database.execute("PRAGMA synchronous = OFF")
        self._database.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        self._database.execute(
            "CREATE TABLE seen (digest BLOB PRIMARY KEY, line INTEGER NOT NULL) WITHOUT ROWID"
        )
        self._database.execute("BEGIN")
        self._cursor = self._database.cursor()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._cursor.close()
        self._database.close()

    def first_line(self, product_id: str, line: int) -> int | None:
        """Remember an ID, and tell where it stood first.

        Args:
            product_id: The ID.
            line: Where it stands now.

        Returns:
            The line where it stood first, None if this is the first time.
        """
        digest = blake2b(product_id.encode(), digest_size=16).digest()
        self._cursor.execute("INSERT OR IGNORE INTO seen VALUES (?, ?)", (digest, line))
        if self._cursor.rowcount == 1:
            return None
        with closing(
            self._database.execute("SELECT line FROM seen WHERE digest = ?", (digest,))
        ) as found:
            return int(found.fetchone()[0])
