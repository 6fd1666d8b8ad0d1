"""Work that outlasts a request: queued, told of, cancelled, and kept for a while."""

import os
import secrets
import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Event, Lock
from typing import Any

from snapshelf.service.problems import ProblemError

__all__ = ["Cancelled", "Job", "Jobs", "Work"]

NICENESS = 10
"""Of a thread that works on jobs: searches come first."""


class Cancelled(Exception):  # noqa: N818 - no error
    """Ends the work of a job that was cancelled."""


@dataclass(slots=True, eq=False)
class Job:
    """A piece of work and what became of it; its own thread writes, any may read.

    Attributes:
        id: Unguessable.
        status: ``queued``, ``running``, ``done``, ``failed`` or ``cancelled``.
        progress: In [0, 1], never falling.
        so_far: What there is to tell before it is done.
        result: Of one that is done.
        error: Of one that failed.
        files: To be downloaded, by name.
        ended: When it came to its end, as `time.monotonic` counts; None before.
    """

    id: str = field(default_factory=lambda: secrets.token_urlsafe(18))
    status: str = "queued"
    progress: float = 0.0
    so_far: Mapping[str, Any] = field(default_factory=dict)
    result: Mapping[str, Any] | None = None
    error: ProblemError | None = None
    files: dict[str, bytes] = field(default_factory=dict)
    ended: float | None = None
    _stop: Event = field(default_factory=Event)

    @property
    def is_over(self) -> bool:
        """Whether nothing more will become of it."""
        return self.ended is not None

    @property
    def is_cancelled(self) -> bool:
        """Whether its work is to end."""
        return self._stop.is_set()

    def tell(self, progress: float, **so_far: Any) -> None:
        """Tell how far the work is; called by the work.

        Args:
            progress: In [0, 1].
            so_far: What there is to tell, replacing what was told.

        Raises:
            Cancelled: If the job was cancelled.
        """
        self.progress = max(self.progress, min(1.0, progress))
        if so_far:
            self.so_far = so_far
        self.check()

    def check(self) -> None:
        """Raise `Cancelled` if the job was cancelled."""
        if self._stop.is_set():
            raise Cancelled

    def cancel(self) -> None:
        """Have the work end as soon as it can; nothing happens to one that is over."""
        self._stop.set()


Work = Callable[[Job], Mapping[str, Any]]
"""Does the work of a job and gives its result; raises `ProblemError` for what the client did."""


class Jobs:
    """Does jobs of one kind, one after the other, in a thread of their own.

    Args:
        name: Of the thread.
        most_waiting: Jobs that may wait for the one under way; more are refused.
        most_kept: Jobs kept when they are over; the oldest goes.
        keep_s: How long one is kept then, seconds.
        on_failure: Called with an error that no work should raise.
    """

    def __init__(
        self,
        name: str,
        *,
        most_waiting: int,
        most_kept: int,
        keep_s: float,
        on_failure: Callable[[str, BaseException], None],
    ) -> None:
        self._most_waiting = most_waiting
        self._most_kept = most_kept
        self._keep_s = keep_s
        self._on_failure = on_failure
        self._jobs: OrderedDict[str, Job] = OrderedDict()
        self._lock = Lock()
        self._thread = ThreadPoolExecutor(
            1, thread_name_prefix=f"snapshelf-{name}", initializer=_step_back
        )

    def start(self, work: Work, *, when_over: Callable[[], None] = lambda: None) -> Job:
        """Queue a job.

        Args:
            work: Does it.
            when_over: Called once when the job is over, also if it was never begun.

        Raises:
            ProblemError: If too many wait.
        """
        job = Job()
        with self._lock:
            self._forget()
            if sum(not each.is_over for each in self._jobs.values()) > self._most_waiting:
                raise ProblemError(
                    "busy", "other work of this kind is under way; try again", retry_after_s=10
                )
            self._jobs[job.id] = job
        self._thread.submit(self._run, job, work, when_over)
        return job

    def find(self, job_id: str) -> Job | None:
        """Give a job, None if there is none, or none any more."""
        with self._lock:
            self._forget()
            return self._jobs.get(job_id)

    def latest(self) -> Job | None:
        """Give the job that was started last, None if none is kept."""
        with self._lock:
            self._forget()
            return next(reversed(self._jobs.values()), None)

    def cancel(self) -> None:
        """Cancel everything."""
        with self._lock:
            for job in self._jobs.values():
                job.cancel()

    def close(self) -> None:
        """Cancel everything, and wait for what is under way to end."""
        self.cancel()
        self._thread.shutdown()

    def _run(self, job: Job, work: Work, when_over: Callable[[], None]) -> None:
        try:
            job.check()
            job.status = "running"
            job.result = work(job)
            job.progress, job.status = 1.0, "done"
        except Cancelled:
            job.status = "cancelled"
        except ProblemError as problem:
            job.error, job.status = problem, "failed"
        except Exception as error:
            self._on_failure(job.id, error)
            job.error = ProblemError("failed", "the work failed, by the service's fault")
            job.status = "failed"
        finally:
            job.ended = time.monotonic()
            with suppress(Exception):
                when_over()

    def _forget(self) -> None:
        """Forget jobs that are over for long, or of which there are too many."""
        over = [each for each in self._jobs.values() if each.ended is not None]
        old = time.monotonic() - self._keep_s
        for number, job in enumerate(reversed(over)):
            if number >= self._most_kept or (job.ended or 0.0) < old:
                del self._jobs[job.id]


def _step_back() -> None:
    """Let searches go first: what this thread starts steps back with it."""
    if sys.platform == "linux":  # elsewhere the whole process would
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
