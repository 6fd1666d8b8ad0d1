"""A clip that is searched while its sender does something else."""

import asyncio
import secrets
from collections.abc import Mapping
from threading import Event
from typing import Any

from snapshelf.service.json_answer import join_objects, write_json

__all__ = ["ClipJob"]


class ClipJob:
    """A job; changed in the event loop's thread only.

    Every change has a number, by which a stream of events goes on where it broke off.

    Args:
        owner: Who may see it: the hash of an API key, "" for whoever knows its ID.

    Attributes:
        id: 192 random bits, so nobody guesses it.
        owner: As given.
        status: ``queued``, ``running``, ``done``, ``failed`` or ``cancelled``.
        progress: Share that is done, in [0, 1].
        number: Of the latest change, from 1.
        stop: Set to have whoever works on it give up.
    """

    def __init__(self, owner: str) -> None:
        self.id = secrets.token_urlsafe(24)
        self.owner = owner
        self.status = "queued"
        self.progress = 0.0
        self.number = 1
        self.stop = Event()
        self._result: bytes | None = None
        self._error: Mapping[str, Any] | None = None
        self._changed = asyncio.Event()

    @property
    def ended(self) -> bool:
        """Whether nothing will change any more."""
        return self.status in ("done", "failed", "cancelled")

    @property
    def size(self) -> int:
        """Bytes that its answer takes."""
        return len(self._result or b"")

    def go_on(self, progress: float) -> None:
        """Note that it is under way, and how far."""
        if not self.ended:
            self._change("running", min(1.0, max(self.progress, progress)))

    def succeed(self, result: bytes) -> None:
        """End it with an answer, JSON."""
        if not self.ended:
            self._result = result
            self._change("done", 1.0)

    def fail(self, error: Mapping[str, Any]) -> None:
        """End it with a problem."""
        if not self.ended:
            self._error = error
            self._change("failed", self.progress)

    def cancel(self) -> None:
        """End it for the sender; whoever works on it notices a little later."""
        self.stop.set()
        if not self.ended:
            self._change("cancelled", self.progress)

    def written(self) -> bytes:
        """Write it as JSON: ``id``, ``status``, ``progress``, ``error`` and ``result``."""
        told = write_json(
            {
                "id": self.id,
                "status": self.status,
                "progress": round(self.progress, 4),
                "error": self._error,
            }
        )
        if self._result is None:
            return join_objects(told, {"result": None})
        return told[:-1] + b',"result":' + self._result + b"}"

    async def changed_since(self, number: int) -> None:
        """Wait for a change after that of a number."""
        while self.number <= number and not self.ended:
            await self._changed.wait()

    def _change(self, status: str, progress: float) -> None:
        self.status = status
        self.progress = progress
        self.number += 1
        before, self._changed = self._changed, asyncio.Event()
        before.set()
