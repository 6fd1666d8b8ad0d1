"""`Remembered`: what was costly to find out, kept in a file by a key, so that it is found once."""

import sqlite3
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

from snapshelf.errors import DatasetError

__all__ = ["Remembered"]

AT_ONCE = 500
"""Keys asked for in one query: SQLite takes no more than 999 in some versions."""


class Remembered:
    """Values of bytes by keys of bytes, in an SQLite file.

    Nothing is held in memory. What was put is there for the next process, and a kill at any moment
    loses no more than what was being put. May be used by several threads; a second process that
    writes waits. Use it in a ``with`` statement, or close it.

    Args:
        file: Made, with its folder, if it isn't there.

    Raises:
        DatasetError: If the file holds something else or cannot be read or written; so do all
            methods.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = threading.Lock()
        file.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._connection = sqlite3.connect(file, timeout=60, check_same_thread=False)
        except sqlite3.Error as error:
            raise self._broken(error) from error
        try:
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = NORMAL")
            with self._connection:
                self._connection.execute(
                    "CREATE TABLE IF NOT EXISTS remembered (key BLOB PRIMARY KEY, value BLOB)"
                )
        except sqlite3.Error as error:
            self._connection.close()
            raise self._broken(error) from error

    def get(self, keys: Sequence[bytes]) -> dict[bytes, bytes]:
        """Give the values of those keys that there are."""
        found: dict[bytes, bytes] = {}
        with self._lock:
            try:
                for start in range(0, len(keys), AT_ONCE):
                    some = keys[start : start + AT_ONCE]
                    marks = ",".join("?" * len(some))
                    found.update(
                        self._connection.execute(
                            f"SELECT key, value FROM remembered WHERE key IN ({marks})",  # noqa: S608
                            some,
                        )
                    )
            except sqlite3.Error as error:
                raise self._broken(error) from error
        return found

    def __contains__(self, key: bytes) -> bool:
        """Whether there is a value, which is not read."""
        with self._lock:
            try:
                found = self._connection.execute(
                    "SELECT 1 FROM remembered WHERE key = ?", (key,)
                ).fetchone()
            except sqlite3.Error as error:
                raise self._broken(error) from error
        return found is not None

    def put(self, values: Mapping[bytes, bytes]) -> None:
        """Keep values; all of them or none. A key that there is keeps its value."""
        with self._lock:
            try:
                with self._connection:
                    self._connection.executemany(
                        "INSERT OR IGNORE INTO remembered VALUES (?, ?)", values.items()
                    )
            except sqlite3.Error as error:
                raise self._broken(error) from error

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _broken(self, error: sqlite3.Error) -> DatasetError:
        return DatasetError(
            f"{self._file} cannot be used ({error}); remove it if it is damaged: what it held is "
            "found out again"
        )
