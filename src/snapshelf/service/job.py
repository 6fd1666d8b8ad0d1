"""A piece of work that goes on while its client does something else."""

import asyncio
import secrets
from collections.abc import Mapping
from threading import Event
from typing import Any

__all__ = ["Job"]


class Job:
    """A job; changed in the event loop's thread only, but for its files.

    Every change has a number, by which a stream of events goes on where it broke off.

    Args:
        owner: Who may see it: the hash of an API key, "" for whoever knows its ID.

    Attributes:
        id: 192 random bits, so nobody guesses it.
        owner: As given.
        status: ``queued``, ``running``, ``done``, ``failed`` or ``cancelled``.
        progress: Share that is done, in [0, 1], never falling.
        so_far: What there is to tell before it is done.
        result: JSON, of one that is done.
        error: A problem's fields, of one that failed.
        files: To be downloaded once it is over, by name; its work puts them there.
        number: Of the latest change, from 1.
        stop: Set to have whoever works on it give up.
    """

    def __init__(self, owner: str = "") -> None:
        self.id = secrets.token_urlsafe(24)
        self.owner = owner
        self.status = "queued"
        self.progress = 0.0
        self.so_far: Mapping[str, Any] = {}
        self.result: bytes | None = None
        self.error: Mapping[str, Any] | None = None
        self.files: dict[str, bytes] = {}
        self.number = 1
        self.stop = Event()
        self._changed = asyncio.Event()

    @property
    def is_over(self) -> bool:
        """Whether nothing will change any more."""
        return self.status in ("done", "failed", "cancelled")

    @property
    def size(self) -> int:
        """Bytes of what came of it."""
        return len(self.result or b"") + sum(map(len, self.files.values()))

    def go_on(self, progress: float, so_far: Mapping[str, Any]) -> None:
        """Note that it is under way, and how far."""
        if not self.is_over:
            self.so_far = so_far
            self._change("running", min(1.0, max(self.progress, progress)))

    def succeed(self, result: bytes) -> None:
        """End it with a result, JSON."""
        if not self.is_over:
            self.result = result
            self._change("done", 1.0)

    def fail(self, error: Mapping[str, Any]) -> None:
        """End it with a problem's fields."""
        if not self.is_over:
            self.error = error
            self._change("failed", self.progress)

    def cancel(self) -> None:
        """End it, since nobody wants it any more."""
        if not self.is_over:
            self._change("cancelled", self.progress)

    async def changed_since(self, number: int) -> None:
        """Wait for a change after that of a number."""
        while self.number <= number and not self.is_over:
            await self._changed.wait()

    def _change(self, status: str, progress: float) -> None:
        self.status = status
        self.progress = progress
        self.number += 1
        before, self._changed = self._changed, asyncio.Event()
        before.set()
