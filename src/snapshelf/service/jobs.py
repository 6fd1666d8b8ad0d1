"""Work that outlasts a request: queued in bounds, worked on behind searches, kept for a while."""

import asyncio
import os
import sys
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress

from prometheus_client import Gauge, Histogram

from snapshelf.service.failures import EXPECTED, FAILED, problem_of
from snapshelf.service.job import Job
from snapshelf.service.job_kind import JobKind
from snapshelf.service.job_work import Cancelled, JobWork, Work
from snapshelf.service.logs import log, log_failure
from snapshelf.service.measures import Measures
from snapshelf.service.problems import ProblemError, problem_fields

__all__ = ["Jobs", "Place"]

NICENESS = 10
"""By how much a thread that works on jobs steps back behind those of searches."""


class Place:
    """One of the places for jobs, until it is given back or a job has it."""

    def __init__(self, give_back: Callable[[], None]) -> None:
        self._give_back: Callable[[], None] | None = give_back

    def give_back(self) -> None:
        """Let another job in; twice does no harm."""
        give_back, self._give_back = self._give_back, None
        if give_back is not None:
            give_back()


class Jobs:
    """A bounded queue of jobs of one kind; for the event loop's thread only.

    The work has threads of its own, which the operating system lets run behind those of searches
    where it can (Linux). Jobs are in memory and end with the service.

    Args:
        kind: What they are called, how many, how long, how much is remembered.
        measures: Failures are counted there.
        in_work: Told how many there are; None to tell nobody.
        seconds: Told of each how long it took, by ``outcome``; None to tell nobody.
    """

    def __init__(
        self,
        kind: JobKind,
        measures: Measures,
        *,
        in_work: Gauge | None = None,
        seconds: Histogram | None = None,
    ) -> None:
        self.kind = kind
        self._measures = measures
        self._in_work = in_work
        self._seconds = seconds
        self._taken = 0
        self._jobs: dict[str, Job] = {}
        self._ended: dict[str, Job] = {}
        self._futures: dict[str, Future[bytes]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._usual_s = 10.0
        self._stopping = False
        self._pool = ThreadPoolExecutor(
            kind.workers, thread_name_prefix=f"snapshelf-{kind.name}", initializer=_step_back
        )

    def place(self) -> Place:
        """Take a place for a job, before what it is about has arrived.

        Raises:
            ProblemError: If there is none.
        """
        self._refuse_when_stopping()
        if self._taken >= self.kind.most:
            raise ProblemError(
                "busy",
                f"{self._taken} {self.kind.name}s are waiting or under way; try again",
                retry_after_s=min(60.0, self._usual_s),
            )
        self._take(1)
        return Place(lambda: self._take(-1))

    def start(
        self,
        work: Work,
        *,
        request_id: str,
        owner: str = "",
        place: Place | None = None,
        when_over: Callable[[], None] = lambda: None,
    ) -> Job:
        """Put a job into the queue.

        Args:
            work: Does it.
            request_id: Names the request in logs and problems.
            owner: See `Job`.
            place: Is given back when the work has ended; None to take one.
            when_over: Called once then, in a thread, also if the work was never begun.

        Raises:
            ProblemError: If there is no place, or the service is about to stop.
        """
        self._refuse_when_stopping()
        place = place or self.place()
        job = Job(owner)
        self._jobs[job.id] = job
        loop = asyncio.get_running_loop()
        future = self._pool.submit(self._work, job, work, loop)
        self._futures[job.id] = future
        task = loop.create_task(self._see_off(job, future, place, request_id, when_over))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return job

    def find(self, job_id: str, owner: str = "") -> Job | None:
        """Give a job to its owner, None if there is none, or none any more."""
        job = self._jobs.get(job_id)
        return job if job is not None and job.owner == owner else None

    def latest(self) -> Job | None:
        """Give the job that was started last, None if none is remembered."""
        return next(reversed(self._jobs.values()), None)

    def cancel(self, job: Job) -> None:
        """Have a job end as soon as it can; nothing happens to one that is over."""
        if self._give_up(job) or self.kind.ends_at_once:
            job.cancel()

    def forget(self, job: Job) -> None:
        """Forget a job that is over, with what came of it."""
        self._jobs.pop(job.id, None)
        self._ended.pop(job.id, None)

    async def stop(self) -> None:
        """Take no more jobs, give up those that are there, and wait until their work has ended."""
        self._stopping = True
        for job in self._jobs.values():
            self._give_up(job)
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.to_thread(self._pool.shutdown)

    def _refuse_when_stopping(self) -> None:
        if self._stopping:
            raise ProblemError("unavailable", "the service is about to stop", retry_after_s=5)

    def _take(self, places: int) -> None:
        self._taken += places
        if self._in_work is not None:
            self._in_work.set(self._taken)

    def _give_up(self, job: Job) -> bool:
        """Have the work on a job end; gives whether it was never begun."""
        job.stop.set()
        future = self._futures.get(job.id)
        return future is not None and future.cancel()

    def _work(self, job: Job, work: Work, loop: asyncio.AbstractEventLoop) -> bytes:
        """Work on a job; in a thread."""
        under_way = JobWork(job, self.kind, loop)
        try:
            return work(under_way)
        finally:
            under_way.show()

    async def _see_off(
        self,
        job: Job,
        future: Future[bytes],
        place: Place,
        request_id: str,
        when_over: Callable[[], None],
    ) -> None:
        """Wait for the work on a job, and end it by what came of it."""
        start = time.monotonic()
        try:
            job.succeed(await asyncio.wrap_future(future))
        except (asyncio.CancelledError, Cancelled):
            if self._stopping:
                told = f"the service has stopped; {self.kind.again}"
                job.fail(problem_fields(ProblemError("unavailable", told), request_id))
            else:
                job.cancel()
        except EXPECTED as error:
            job.fail(problem_fields(problem_of(error), request_id))
        except Exception as error:
            self._measures.errors.labels(type(error).__name__).inc()
            log_failure(request_id, error)
            job.fail(problem_fields(ProblemError("failed", FAILED), request_id))
        finally:
            del self._futures[job.id]
            place.give_back()
            self._note(job, time.monotonic() - start, request_id)
            self._remember(job)
            with suppress(OSError):
                await asyncio.to_thread(when_over)

    def _note(self, job: Job, seconds: float, request_id: str) -> None:
        self._usual_s += 0.3 * (seconds - self._usual_s)
        if self._seconds is not None:
            self._seconds.labels(job.status).observe(seconds)
        log(
            self.kind.name,
            request_id=request_id,
            status=job.status,
            milliseconds=round(1000 * seconds),
        )

    def _remember(self, job: Job) -> None:
        """Keep a job for a while, unless it was forgotten already; others may have to go."""
        if job.id not in self._jobs:
            return
        self._ended[job.id] = job
        asyncio.get_running_loop().call_later(self.kind.kept_s, self.forget, job)
        while len(self._ended) > self.kind.kept or (
            len(self._ended) > 1
            and sum(each.size for each in self._ended.values()) > self.kind.kept_bytes
        ):
            self.forget(next(iter(self._ended.values())))


def _step_back() -> None:
    """Let searches go first: what this thread starts steps back with it."""
    if sys.platform == "linux":  # elsewhere the whole process would
        os.nice(NICENESS)
