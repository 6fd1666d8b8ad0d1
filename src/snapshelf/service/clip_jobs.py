"""Clips are searched one after the other, beside photos and behind them."""

import asyncio
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

from snapshelf.errors import SnapshelfError
from snapshelf.service.clip_bounds import ClipBounds
from snapshelf.service.clip_folder import ClipFile
from snapshelf.service.clip_job import ClipJob
from snapshelf.service.failures import FAILED, problem_of
from snapshelf.service.logs import log, log_failure
from snapshelf.service.measures import Measures
from snapshelf.service.problems import ProblemError, problem_fields

__all__ = ["ClipJobs", "ClipPlace", "Progress", "Work"]

Progress = Callable[[float], None]

Work = Callable[[Path, Progress], bytes]
"""Searches a clip; gives the answer as JSON. It calls the progress, a share in [0, 1], often: what
that raises, it lets through."""

TELL_S = 0.25
"""Seconds between two changes of a job's progress, at least."""

NICENESS = 10


class _StoppedError(Exception):
    """The job is not wanted any more."""


class ClipPlace:
    """One of the places for clips, until it is given back or handed to a job."""

    def __init__(self, give_back: Callable[[], None]) -> None:
        self._give_back: Callable[[], None] | None = give_back

    def give_back(self) -> None:
        """Let another clip in; twice does no harm."""
        give_back, self._give_back = self._give_back, None
        if give_back is not None:
            give_back()


class ClipJobs:
    """A bounded queue of clips; for the event loop's thread only, but for the work itself.

    The work has threads of its own, which the operating system lets run behind those of photos
    where it can (Linux).

    Args:
        bounds: How many, how long, how much is remembered.
        measures: Outcomes and times are noted there.
    """

    def __init__(self, bounds: ClipBounds, measures: Measures) -> None:
        self._bounds = bounds
        self._measures = measures
        self._taken = 0
        self._streams = 0
        self._jobs: OrderedDict[str, ClipJob] = OrderedDict()
        self._ended: OrderedDict[str, ClipJob] = OrderedDict()
        self._futures: dict[str, Future[bytes]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._usual_s = 10.0
        self._stopping = False
        self._pool = ThreadPoolExecutor(
            bounds.workers, thread_name_prefix="snapshelf-clip", initializer=_stand_back
        )

    def place(self) -> ClipPlace:
        """Take a place for a clip, before it has arrived.

        Raises:
            ProblemError: If there is none.
        """
        if self._stopping:
            raise ProblemError("unavailable", "the service is about to stop", retry_after_s=5)
        if self._taken >= self._bounds.most:
            raise ProblemError(
                "busy",
                f"{self._taken} clips are waiting or under way; try again",
                retry_after_s=min(60.0, self._usual_s),
            )
        self._taken += 1
        self._measures.clips_in_work.set(self._taken)
        return ClipPlace(self._give_back)

    def add(
        self, owner: str, clip: ClipFile, place: ClipPlace, work: Work, request_id: str
    ) -> ClipJob:
        """Put a clip into the queue.

        Args:
            owner: See `ClipJob`.
            clip: Is deleted when its job has ended, however that is.
            place: Is given back then.
            work: Searches it.
            request_id: Names the request in logs and problems.
        """
        job = ClipJob(owner)
        self._jobs[job.id] = job
        loop = asyncio.get_running_loop()
        future = self._pool.submit(self._work, job, clip.path, work, loop)
        self._futures[job.id] = future
        task = loop.create_task(self._wait_for(job, future, clip, place, request_id))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return job

    def find(self, job_id: str, owner: str) -> ClipJob:
        """Give a job to its owner.

        Raises:
            ProblemError: If there is none of this ID, or it is another's, which is the same.
        """
        job = self._jobs.get(job_id)
        if job is None or job.owner != owner:
            raise ProblemError(
                "not-found",
                "there is no such job; what has ended is forgotten after "
                f"{self._bounds.results_s:g} s, or when many more have ended since",
            )
        return job

    def cancel(self, job: ClipJob) -> None:
        """End a job; one that has ended already is forgotten."""
        if job.ended:
            self._forget(job.id)
            return
        job.cancel()
        future = self._futures.get(job.id)
        if future is not None:
            future.cancel()

    def check_streams(self) -> None:
        """See that one more stream of events may be opened.

        Raises:
            ProblemError: If there are too many.
        """
        if self._streams >= self._bounds.streams:
            raise ProblemError(
                "busy", "too many streams of events are open; ask for the job", retry_after_s=5
            )

    @contextmanager
    def streaming(self) -> Iterator[None]:
        """Count a stream of events for as long as it is open."""
        self._streams += 1
        try:
            yield
        finally:
            self._streams -= 1

    async def stop(self) -> None:
        """Take no more clips, give up those that are there, and wait until they are gone."""
        self._stopping = True
        for job in list(self._jobs.values()):
            if not job.ended:
                job.stop.set()
                future = self._futures.get(job.id)
                if future is not None:
                    future.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.to_thread(self._pool.shutdown)

    def _give_back(self) -> None:
        self._taken -= 1
        self._measures.clips_in_work.set(self._taken)

    def _work(self, job: ClipJob, path: Path, work: Work, loop: asyncio.AbstractEventLoop) -> bytes:
        """Search a clip; in a thread."""
        start = told = time.monotonic()
        ends = start + self._bounds.work_s
        loop.call_soon_threadsafe(job.go_on, 0.0)

        def progress(share: float) -> None:
            nonlocal told
            if job.stop.is_set():
                raise _StoppedError
            now = time.monotonic()
            if now > ends:
                raise ProblemError(
                    "timed-out",
                    f"the search takes more than {self._bounds.work_s:g} s; send a shorter clip",
                )
            if now - told >= TELL_S:
                told = now
                loop.call_soon_threadsafe(job.go_on, share)

        return work(path, progress)

    async def _wait_for(
        self,
        job: ClipJob,
        future: Future[bytes],
        clip: ClipFile,
        place: ClipPlace,
        request_id: str,
    ) -> None:
        start = time.monotonic()
        try:
            result = await asyncio.wrap_future(future)
            job.succeed(result)
        except (asyncio.CancelledError, _StoppedError):
            if not job.ended:
                stopped = ProblemError(
                    "unavailable", "the service has stopped; send the clip again"
                )
                job.fail(problem_fields(stopped, request_id))
        except (SnapshelfError, ProblemError) as error:
            job.fail(problem_fields(problem_of(error), request_id))
        except Exception as error:
            self._measures.errors.labels(type(error).__name__).inc()
            log_failure(request_id, error)
            job.fail(problem_fields(ProblemError("failed", FAILED), request_id))
        finally:
            self._futures.pop(job.id, None)
            place.give_back()
            self._note(job, time.monotonic() - start, request_id)
            with suppress(OSError):
                await asyncio.to_thread(clip.delete)

    def _note(self, job: ClipJob, seconds: float, request_id: str) -> None:
        self._usual_s += 0.3 * (seconds - self._usual_s)
        self._measures.clip_seconds.labels(job.status).observe(seconds)
        log("clip", request_id=request_id, status=job.status, milliseconds=round(1000 * seconds))
        if job.id not in self._jobs:
            return
        self._ended[job.id] = job
        asyncio.get_running_loop().call_later(self._bounds.results_s, self._forget, job.id)
        while len(self._ended) > self._bounds.results or (
            len(self._ended) > 1
            and sum(each.size for each in self._ended.values()) > self._bounds.results_bytes
        ):
            self._forget(next(iter(self._ended)))

    def _forget(self, job_id: str) -> None:
        self._jobs.pop(job_id, None)
        self._ended.pop(job_id, None)


def _stand_back() -> None:
    """Let other threads run first, where a thread can have a niceness of its own."""
    with suppress(OSError, AttributeError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
