"""A job as its work sees it: to be told of, to be given up, and with files to leave."""

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any

from snapshelf.service.job import Job
from snapshelf.service.job_kind import JobKind
from snapshelf.service.problems import ProblemError

__all__ = ["TELL_S", "Cancelled", "JobWork", "Work"]

TELL_S = 0.25
"""Seconds between two changes of a job's progress, at least."""


class Cancelled(Exception):  # noqa: N818 - no error
    """Ends the work of a job that is not wanted any more."""


class JobWork:
    """A job under way; for the thread of its work only.

    Args:
        job: The job.
        kind: Bounds it.
        loop: Whose thread changes the job.

    Attributes:
        id: Of the job.
        files: Put there what is to be downloaded once it is over.
    """

    def __init__(self, job: Job, kind: JobKind, loop: asyncio.AbstractEventLoop) -> None:
        self.id = job.id
        self.files = job.files
        self._job = job
        self._kind = kind
        self._loop = loop
        self._progress = 0.0
        self._so_far: Mapping[str, Any] = {}
        self._ends = time.monotonic() + kind.work_s
        self.show()

    @property
    def is_given_up(self) -> bool:
        """Whether the work is to end."""
        return self._job.stop.is_set()

    def tell(self, progress: float, **so_far: Any) -> None:
        """Tell how far the work is, and go on only if it is still wanted; to be called often.

        Args:
            progress: In [0, 1].
            so_far: What there is to tell, replacing what was told; left out to keep that.

        Raises:
            Cancelled: If it is not wanted any more.
            ProblemError: If it takes too long.
        """
        self.note(progress, **so_far)
        if self.is_given_up:
            raise Cancelled
        if time.monotonic() > self._ends:
            kind = self._kind
            raise ProblemError(
                "timed-out",
                f"the {kind.name} takes more than {kind.work_s:g} s; send a shorter one",
            )

    def note(self, progress: float, **so_far: Any) -> None:
        """Tell how far the work is, whether it is still wanted or not; as `tell` otherwise."""
        self._progress = progress
        self._so_far = so_far or self._so_far
        if time.monotonic() - self._shown >= TELL_S:
            self.show()

    def show(self) -> None:
        """Have the latest that was told be seen."""
        self._shown = time.monotonic()
        self._loop.call_soon_threadsafe(self._job.go_on, self._progress, self._so_far)


Work = Callable[[JobWork], bytes]
"""Does a job, in a thread of its own, and gives its result as JSON. It lets through what
`JobWork.tell` raises; of its other errors a client is told those that are expected, see
`snapshelf.service.failures`."""
