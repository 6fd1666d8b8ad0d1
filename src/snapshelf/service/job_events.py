"""The events of a job, as a browser's `EventSource` reads them."""

import asyncio
from collections.abc import AsyncIterator

from snapshelf.service.clip_job import ClipJob
from snapshelf.service.clip_jobs import ClipJobs

__all__ = ["job_events", "last_event_number"]

_NAMES = {"done": b"done", "failed": b"failed", "cancelled": b"failed"}


def last_event_number(header: str | None) -> int:
    """Read ``Last-Event-ID``; 0 if there is none, or it is none of ours."""
    text = header or ""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


async def job_events(
    jobs: ClipJobs, job: ClipJob, *, after: int, keep_alive_s: float
) -> AsyncIterator[bytes]:
    """Tell of a job until it ends.

    Every event tells all that there is, so those that nobody has waited for are left out.

    Args:
        jobs: Counts the streams.
        job: The job.
        after: The number of the change that is known already, 0 for none.
        keep_alive_s: Silence after which a comment is sent, for proxies that close what is silent.

    Yields:
        Events ``progress``, and at the end ``done`` or ``failed``, whose data is the job.
    """
    with jobs.streaming():
        while True:
            if job.number > after:
                after = job.number
                name = _NAMES.get(job.status, b"progress")
                yield b"id: %d\nevent: %b\ndata: %b\n\n" % (after, name, job.written())
            if job.ended:
                return
            try:
                async with asyncio.timeout(keep_alive_s):
                    await job.changed_since(after)
            except TimeoutError:
                yield b":\n\n"
