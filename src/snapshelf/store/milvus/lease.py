"""The lease of the one writer of a shelf, on whatever machine, and the commits made under it.

The collection that holds the head is renamed by each writer that takes the lease, to a name of its
own, and each commit is written to it by that name. Of two that rename it at once, one finds it
gone; and a writer that was taken for dead finds, when it wakes up, that it cannot commit any more.
So one writer at a time is certain, whatever the clocks say. That a lease expires, and is renewed
while its holder lives, only decides how long the others wait for one that died: machines whose
clocks differ by more than `EXPIRES_S` shut each other out, and lose nothing but their run.
"""

import contextlib
import json
import os
import socket
import threading
import time
import uuid
from dataclasses import dataclass, replace

from snapshelf.errors import ShelfError, ShelfLockedError
from snapshelf.store import refusals
from snapshelf.store.milvus.address import MilvusAddress
from snapshelf.store.milvus.connection import Connection
from snapshelf.store.milvus.connection_errors import MissingCollectionError
from snapshelf.store.milvus.head import Head, read_head, write_head

__all__ = ["HEAD", "LEASE", "Lease", "find_head", "head_name"]

HEAD = "snapshelf.head"
LEASE = "snapshelf.lease"
"""The properties that hold the head, and who may replace it."""

EXPIRES_S = 30
"""A writer that has not renewed its lease for so long is taken for dead."""

RESERVE = 1 << 20
"""Numbers reserved at a time."""


def head_name(name: str) -> str:
    """Give a new name for the collection that holds a shelf's head."""
    return f"{name}__head_{uuid.uuid4().hex[:12]}"


def find_head(connection: Connection, address: MilvusAddress) -> tuple[str, Head, str] | None:
    """Read the head of a shelf.

    Returns:
        The collection that holds it, the head, and the lease as it is written there; None if
        there is nothing of the shelf's name.

    Raises:
        ShelfError: If there is something else of that name, or the head is damaged.
    """
    found = connection.describe(address.name)
    if found is None:
        return None
    name, properties = found
    if HEAD not in properties:
        raise ShelfError(
            f"{address}: the server has a collection {name!r} that is no shelf: give another name"
        )
    return name, read_head(properties[HEAD]), properties.get(LEASE, "")


@dataclass(frozen=True, slots=True)
class _Holder:
    """Who holds a lease: a process of a machine, until a time in seconds since 1970."""

    host: str
    space: str
    process: int
    expires: float

    @property
    def is_dead(self) -> bool:
        """Whether the lease has expired, or its holder is gone for all to see from here."""
        if self.expires <= time.time():
            return True
        if not self.space or (self.host, self.space) != (socket.gethostname(), _process_space()):
            return False
        try:
            os.kill(self.process, 0)
        except ProcessLookupError:
            return True
        except OSError:
            return False
        return False


class Lease:
    """A writer's hold on a shelf; renews itself until it is released.

    Args:
        connection: To the server.
        address: The shelf.

    Attributes:
        clean: Whether the writer before released its lease, so that it left nothing half done.

    Raises:
        ShelfError: If there is no such shelf.
        ShelfLockedError: If another writer holds it.
    """

    def __init__(self, connection: Connection, address: MilvusAddress) -> None:
        self._connection = connection
        self._address = address
        self._lock = threading.RLock()
        self._released = threading.Event()
        self._sure = True
        self._attempted = 0
        self._abandoned: list[int] = []
        self._next = self._limit = 0
        self._gone = False
        self._name, self._head, self.clean = self._take()
        self._renewer = threading.Thread(
            target=self._renew, name=f"snapshelf-lease-{address.name}", daemon=True
        )
        self._renewer.start()

    @property
    def name(self) -> str:
        """The collection that holds the head, while this lease is held."""
        return self._name

    @property
    def head(self) -> Head:
        """The state of the latest commit; read again where an answer was lost."""
        with self._lock:
            if self._gone:
                raise self._lost()
            if not self._sure:
                # What is still on its way under the old name must not arrive any more.
                self._name = self._rename(self._name)
                self._head = self._found(self._name)[0]
                self._sure = True
                if self._attempted > self._head.version:
                    self._abandoned.append(self._attempted)
                self._attempted = 0
                self._head = self._without_abandoned(self._head)
            return self._head

    def number(self, count: int = 1) -> int:
        """Give the first of so many numbers that nothing has been called by.

        The lease keeps count of them itself; they are reserved before they are given.
        """
        with self._lock:
            first = self._next
            if first + count > self._limit:
                reserved = first + count + RESERVE
                self.commit(replace(self.head, reserved=reserved))
                self._limit = reserved
            self._next = first + count
            return first

    def abandon(self, version: int) -> None:
        """Have a batch left out of account whose rows were written in part."""
        with self._lock:
            self._abandoned.append(version)
            self._head = self._without_abandoned(self.head)

    def commit(self, head: Head) -> None:
        """Replace the head: what it says is so from here on.

        Raises:
            ShelfLockedError: If another writer has taken the lease.
            ShelfError: If the server does not answer; whether the commit was made shows when the
                head is read again.
        """
        with self._lock:
            text = write_head(head)
            self._attempted = head.version if head.version != self._head.version else 0
            try:
                self._connection.alter(self._name, {HEAD: text, LEASE: _write(self._holder())})
            except MissingCollectionError:
                raise self._lost() from None
            except BaseException:  # also where the user breaks it off
                self._sure = False
                raise
            self._head = head

    def release(self) -> None:
        """Let others write; a lease that was lost already is no error."""
        with self._lock:
            if self._released.is_set():
                return
            self._released.set()
            with contextlib.suppress(ShelfError):
                head = replace(self.head, reserved=self._next)
                self._connection.alter(self._name, {HEAD: write_head(head), LEASE: ""})
        self._renewer.join(timeout=1)

    def _without_abandoned(self, head: Head) -> Head:
        """Have all batches left out of account that this lease has seen fail.

        A head that is read again knows of those only that were abandoned before its commit.
        """
        for version in self._abandoned:
            if not any(gap.first <= version <= gap.last for gap in head.gaps):
                head = head.with_gap(version, version, _now())
        return head

    def _take(self) -> tuple[str, Head, bool]:
        found = find_head(self._connection, self._address)
        if found is None:
            raise refusals.missing(self._address)
        name, head, lease = found
        holder = _read(lease)
        if holder is not None and not holder.is_dead:
            raise self._locked(head, holder)
        name = self._rename(name)
        head, lease = self._found(name)
        # What the writer before may have written beside its last commit does not count.
        clean = not lease
        if not clean:
            head = head.with_gap(head.version + 1, head.reserved - 1, _now())
        self._next = max(head.reserved, head.version + 1)
        self._limit = self._next + RESERVE
        head = replace(head, reserved=self._limit)
        try:
            self._connection.alter(name, {HEAD: write_head(head), LEASE: _write(self._holder())})
        except MissingCollectionError:
            raise self._lost() from None
        return name, head, clean

    def _rename(self, name: str) -> str:
        """Take the collection of the head; gives its new name."""
        new = head_name(self._address.name)
        try:
            self._connection.rename(name, new)
        except MissingCollectionError:
            found = self._connection.describe(self._address.name)
            if found is None or found[0] != new:  # else it is only the answer that was lost
                raise self._lost() from None
        return new

    def _found(self, name: str) -> tuple[Head, str]:
        """Read the head again, which must be under this name still."""
        found = find_head(self._connection, self._address)
        if found is None or found[0] != name:
            raise self._lost()
        return found[1], found[2]

    def _renew(self) -> None:
        while not self._released.wait(EXPIRES_S / 3):
            with self._lock:
                # A lease that cannot be renewed is found lost, or the server away, by a commit.
                if not self._released.is_set():
                    try:
                        self._connection.alter(self._name, {LEASE: _write(self._holder())})
                    except MissingCollectionError:
                        self._gone = self._sure
                    except ShelfError:
                        continue

    def _holder(self) -> _Holder:
        expires = time.time() + EXPIRES_S
        return _Holder(socket.gethostname(), _process_space(), os.getpid(), expires)

    def _locked(self, head: Head, holder: _Holder) -> ShelfLockedError:
        run, left = head.run, max(1, round(holder.expires - time.time()))
        who = f"process {holder.process} of {holder.host}"
        doing = (
            f"{who} has been indexing {run.feed} since {run.started}"
            if run is not None and not run.finished
            else f"{who} holds its lease"
        )
        return ShelfLockedError(
            f"{self._address} is being written to: {doing}; wait for it to finish, or end it "
            f"(nothing it has committed is lost; its lease then ends within {left} s)"
        )

    def _lost(self) -> ShelfLockedError:
        self._gone = True
        return ShelfLockedError(
            f"{self._address} has been taken over by another writer: nothing that was committed "
            "is lost; wait for that one to finish, and run the same command again"
        )


def _now() -> int:
    return int(time.time())


def _process_space() -> str:
    """Tell which processes this one's numbers are of, "" where the system does not say."""
    try:
        return os.readlink("/proc/self/ns/pid")
    except OSError:
        return ""


def _write(holder: _Holder) -> str:
    return json.dumps([holder.host, holder.space, holder.process, holder.expires])


def _read(text: str) -> _Holder | None:
    """Read who holds a lease; nobody does where it was released or makes no sense."""
    try:
        host, space, process, expires = json.loads(text)
        return _Holder(str(host), str(space), int(process), float(expires))
    except (ValueError, TypeError):
        return None
