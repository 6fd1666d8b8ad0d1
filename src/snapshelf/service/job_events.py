"""The events of a job, as a browser's `EventSource` reads them."""

import asyncio
from collections.abc import AsyncIterator

from snapshelf.service.job import Job
from snapshelf.service.job_answer import job_json
from snapshelf.service.problems import ProblemError

__all__ = ["JobEvents", "last_event_number"]

_NAMES = {"done": b"done", "failed": b"failed", "cancelled": b"failed"}


def last_event_number(header: str | None) -> int:
    """Read ``Last-Event-ID``; 0 if there is none, or it is none of ours."""
    text = header or ""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


class JobEvents:
    """A bounded number of streams of events; for the event loop's thread only.

    Args:
        most: Streams at a time.
        keep_alive_s: Silence after which a comment is sent, for proxies that close what is silent.
    """

    def __init__(self, *, most: int, keep_alive_s: float) -> None:
        self._most = most
        self._keep_alive_s = keep_alive_s
        self._open = 0

    def check(self) -> None:
        """See that one more stream may be opened.

        Raises:
            ProblemError: If there are too many.
        """
        if self._open >= self._most:
            raise ProblemError(
                "busy", "too many streams of events are open; ask for the job", retry_after_s=5
            )

    async def of(self, job: Job, *, after: int) -> AsyncIterator[bytes]:
        """Tell of a job until it ends.

        Every event tells all that there is, so those that nobody has waited for are left out.

        Args:
            job: The job.
            after: The number of the change that is known already, 0 for none.

        Yields:
            Events ``progress``, and at the end ``done`` or ``failed``, whose data is the job.
        """
        self._open += 1
        try:
            while True:
                if job.number > after:
                    after = job.number
                    name = _NAMES.get(job.status, b"progress")
                    yield b"id: %d\nevent: %b\ndata: %b\n\n" % (after, name, job_json(job))
                if job.is_over:
                    return
                try:
                    async with asyncio.timeout(self._keep_alive_s):
                        await job.changed_since(after)
                except TimeoutError:
                    yield b":\n\n"
        finally:
            self._open -= 1
