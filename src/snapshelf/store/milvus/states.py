"""`States`: the latest state of a shelf, and reading of it while it may change."""

import time
from collections.abc import Callable
from typing import TypeVar

from snapshelf.errors import ShelfError
from snapshelf.store import refusals
from snapshelf.store.milvus.address import MilvusAddress
from snapshelf.store.milvus.completeness import Completeness
from snapshelf.store.milvus.connection import Connection
from snapshelf.store.milvus.connection_errors import MissingCollectionError, UnavailableError
from snapshelf.store.milvus.description_files import MissingFileError
from snapshelf.store.milvus.head import Head
from snapshelf.store.milvus.lease import Lease, find_head

__all__ = ["States"]

T = TypeVar("T")

PATIENCE_S = 5.0
"""A server that does not answer, or not from the whole shelf, is waited for so long."""

POLL_S = 0.1

TRIES = 20
"""Times that a call begins anew where a commit came between its first and its last look."""


class States:
    """The states of one shelf, of which each commit makes another; safe to share by threads.

    Args:
        connection: To the server.
        address: The shelf.
        lease: The hold of the shelf's writer, who knows the latest state; None for a reader, who
            asks for it.
    """

    def __init__(self, connection: Connection, address: MilvusAddress, lease: Lease | None) -> None:
        self._address = address
        self._connection = connection
        self._lease = lease
        self._completeness = Completeness(connection)
        self._shelf = ""
        self._closed = False

    def latest(self) -> Head:
        """Give the latest state.

        Raises:
            ShelfError: If there is no shelf, or another one than at the first call.
            ValueError: If this was closed.
        """
        self.check_open()
        if self._lease is not None:
            return self._lease.head
        found = find_head(self._connection, self._address)
        if found is None:
            raise refusals.missing(self._address)
        head = found[1]
        self._shelf = self._shelf or head.shelf
        if head.shelf != self._shelf:
            raise refusals.replaced(self._address)
        return head

    def read(self, read: Callable[[Head], T]) -> T:
        """Read of the latest state; anew where a commit came in between.

        Raises:
            ShelfError: If that happens again and again.
        """
        deadline = time.monotonic() + PATIENCE_S
        for _ in range(TRIES):
            head, whole = self._whole(deadline)
            try:
                result = read(whole)
            except (MissingCollectionError, MissingFileError):
                if self.latest() == head:
                    raise
                continue
            except UnavailableError:
                if time.monotonic() > deadline:
                    raise
                continue
            # Rows that a commit replaces are deleted right after it, so that some may be gone
            # before they were read; nothing of the state that still is the latest is.
            if self._lease is not None or self.latest().version == head.version:
                return result
        raise ShelfError(
            f"{self._address} changes faster than it can be read: try again when it is not being "
            "written to"
        )

    def whole(self) -> Head:
        """Wait for the server to have all of the latest state at hand.

        Returns:
            That state; it names as dead, besides, what was removed and has come back.

        Raises:
            UnavailableError: If it does not answer for a while, or not from all the rows.
        """
        return self._whole(time.monotonic() + PATIENCE_S)[1]

    def check_open(self) -> None:
        """Raise `ValueError` if this was closed."""
        if self._closed:
            raise refusals.closed(self._address)

    def close(self) -> bool:
        """Refuse all calls from here on; gives whether they were not refused before."""
        before, self._closed = self._closed, True
        return not before

    def _whole(self, deadline: float) -> tuple[Head, Head]:
        """Give the latest state, and as it is read, once the server has all of it.

        Args:
            deadline: It is waited for until then, a time of `monotonic`.
        """
        while True:
            try:
                head = self.latest()
                return head, self._completeness.check(head)
            except UnavailableError:
                if time.monotonic() > deadline:
                    raise
            time.sleep(POLL_S)
