"""The queue of jobs, with work that does as it is told: for clips, and for the catalogue team."""

import asyncio
import json
import os
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from snapshelf.errors import ModelError, ShelfError, VideoError
from snapshelf.service.clip_bounds import ClipBounds
from snapshelf.service.clip_folder import ClipFolder
from snapshelf.service.job import Job
from snapshelf.service.job_answer import found, job_json
from snapshelf.service.job_events import JobEvents, last_event_number
from snapshelf.service.job_kind import JobKind
from snapshelf.service.job_work import TELL_S, JobWork, Work
from snapshelf.service.jobs import Jobs
from snapshelf.service.measures import Measures
from snapshelf.service.problems import ProblemError
from snapshelf.service.settings import Settings
from snapshelf.service.team_work import TeamWork


class Held:
    """Work that waits at half of it until it is let go on."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.go = threading.Event()
        self.threads: set[str] = set()

    def __call__(self, job: JobWork) -> bytes:
        self.threads.add(threading.current_thread().name)
        self.begun.set()
        for _ in range(4_000):
            job.tell(0.5)
            if self.go.wait(0.005):
                return b'{"items":[]}'
        raise AssertionError("nobody lets it go on")


class Desk:
    """The queue of clips with its folder, and a short way to put something in."""

    def __init__(self, folder: Path, **bounds: object) -> None:
        self.bounds = ClipBounds(folder=folder, **bounds)
        self.measures = Measures()
        self.jobs = Jobs(
            self.bounds.jobs,
            self.measures,
            in_work=self.measures.clips_in_work,
            seconds=self.measures.clip_seconds,
        )
        self.folder = ClipFolder(folder, self.bounds.disk_bytes)

    def put(self, work: Work, owner: str = "") -> Job:
        place = self.jobs.place()
        clip = self.folder.new_file()
        clip.write(b"clip")
        path = clip.finish()

        def with_clip(job: JobWork) -> bytes:
            assert path.read_bytes() == b"clip"
            return work(job)

        return self.jobs.start(
            with_clip, request_id="request", owner=owner, place=place, when_over=clip.delete
        )

    def files(self) -> list[Path]:
        return [each for each in self.bounds.folder.glob("*/*") if each.name != "lock"]


async def ended(job: Job) -> dict:
    while not job.is_over:
        await asyncio.wait_for(job.changed_since(job.number), 30)
    return json.loads(job_json(job))


async def until(what: Callable[[], bool]) -> None:
    for _ in range(3_000):
        if what():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it does not come to that")


def run(folder: Path, play: Callable[[Desk], Awaitable[None]], **bounds: object) -> None:
    async def whole() -> None:
        desk = Desk(folder, **bounds)
        try:
            await play(desk)
        finally:
            await desk.jobs.stop()
        await until(lambda: not desk.files())
        desk.folder.close()
        assert not list(folder.iterdir())

    asyncio.run(asyncio.wait_for(whole(), 60))


def run_team(play: Callable[[Jobs], Awaitable[None]], **bounds: object) -> Measures:
    """Play with jobs as the team has them: over when their work is."""
    measures = Measures()
    kind = JobKind(**{"name": "feed", "most": 2, "kept": 8, "kept_s": 60.0} | bounds)

    async def whole() -> None:
        jobs = Jobs(kind, measures)
        try:
            await play(jobs)
        finally:
            await jobs.stop()

    asyncio.run(asyncio.wait_for(whole(), 60))
    return measures


def test_a_job_goes_from_queued_over_running_to_done(tmp_path: Path) -> None:
    async def play(desk: Desk) -> None:
        work = Held()
        job = desk.put(work)
        assert json.loads(job_json(job)) == {
            "id": job.id,
            "status": "queued",
            "progress": 0,
            "error": None,
            "result": None,
        }
        await until(lambda: job.progress == 0.5)
        assert job.status == "running"
        assert desk.jobs.find(job.id) is job is desk.jobs.latest()
        work.go.set()
        told = await ended(job)
        assert (told["status"], told["progress"], told["result"]) == ("done", 1, {"items": []})
        await until(lambda: not desk.files())
        assert all("snapshelf-clip" in name for name in work.threads)

    run(tmp_path, play)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (VideoError("the clip is none"), "clip-refused"),
        (ProblemError("timed-out", "late"), "timed-out"),
        (ShelfError("/secret is gone"), "unavailable"),
        (ModelError("/secret is no model"), "failed"),
        (RuntimeError("secret"), "failed"),
        (MemoryError("secret"), "failed"),
    ],
)
def test_a_failure_is_told_as_a_problem_and_the_next_clip_is_searched(
    tmp_path: Path, error: Exception, kind: str
) -> None:
    def fail(job: JobWork) -> bytes:
        raise error

    async def play(desk: Desk) -> None:
        told = await ended(desk.put(fail))
        assert (told["status"], told["result"]) == ("failed", None)
        assert told["error"]["type"] == f"urn:snapshelf:problem:{kind}"
        assert told["error"]["request_id"] == "request"
        assert "secret" not in str(told)
        counted = f'snapshelf_errors_total{{type="{type(error).__name__}"}} 1.0'
        assert (counted in desk.measures.text().decode()) == (kind == "failed")
        work = Held()
        work.go.set()
        assert (await ended(desk.put(work)))["status"] == "done"

    run(tmp_path, play)


def test_a_job_is_found_by_its_owner_only(tmp_path: Path) -> None:
    async def play(desk: Desk) -> None:
        job = desk.put(Held(), "mine")
        assert len({Job().id for _ in range(100)} | {job.id}) == 101
        assert len(job.id) == 32
        for job_id, owner in (
            (job.id, "theirs"),
            (job.id, ""),
            (job.id[:-1], "mine"),
            ("", "mine"),
        ):
            assert desk.jobs.find(job_id, owner) is None
            with pytest.raises(ProblemError, match=r"no such job; .* after 3600 s"):
                found(desk.jobs, job_id, owner)
        assert desk.jobs.find(job.id, "mine") is found(desk.jobs, job.id, "mine") is job

    run(tmp_path, play)


def test_the_queue_is_bounded_and_goes_in_order(tmp_path: Path) -> None:
    async def play(desk: Desk) -> None:
        works = [Held() for _ in range(3)]
        jobs = [desk.put(work) for work in works]
        with pytest.raises(ProblemError, match="3 clips are waiting or under way") as refused:
            desk.put(Held())
        assert refused.value.kind == "busy"
        assert int(refused.value.headers["Retry-After"]) >= 1
        await until(works[0].begun.is_set)
        assert not works[1].begun.is_set()
        assert [job.status for job in jobs[1:]] == ["queued", "queued"]
        for work, job in zip(works, jobs, strict=True):
            work.go.set()
            await ended(job)
        await until(lambda: not desk.files())
        await ended(desk.put(works[0]))

    run(tmp_path, play, most=3)


def test_a_cancelled_clip_is_over_at_once_and_goes(tmp_path: Path) -> None:
    async def play(desk: Desk) -> None:
        first, second = Held(), Held()
        running, queued = desk.put(first), desk.put(second)
        await until(first.begun.is_set)
        desk.jobs.cancel(queued)
        await until(lambda: len(desk.files()) == 1)
        desk.jobs.cancel(running)
        assert (running.status, queued.status) == ("cancelled", "cancelled")
        await until(lambda: not desk.files())
        assert not second.begun.is_set()
        desk.jobs.cancel(running)
        assert desk.jobs.find(running.id) is running
        desk.jobs.forget(running)
        assert desk.jobs.find(running.id) is None
        assert 'outcome="cancelled"} 2.0' in desk.measures.text().decode()
        assert "snapshelf_queue_clips 0.0" in desk.measures.text().decode()

    run(tmp_path, play)


def test_a_cancelled_clip_keeps_its_place_until_its_work_has_ended(tmp_path: Path) -> None:
    deaf, go = threading.Event(), threading.Event()

    def work(job: JobWork) -> bytes:
        deaf.set()
        assert go.wait(30)
        return b"{}"

    async def play(desk: Desk) -> None:
        job = desk.put(work)
        await until(deaf.is_set)
        desk.jobs.cancel(job)
        desk.jobs.forget(job)
        with pytest.raises(ProblemError, match="1 clips"):
            desk.jobs.place()
        go.set()
        await until(lambda: not desk.files())
        assert (job.status, job.result) == ("cancelled", None)
        desk.jobs.place().give_back()
        assert desk.jobs.find(job.id) is None

    run(tmp_path, play, most=1)


def test_the_teams_job_is_over_when_its_work_is() -> None:
    async def play(jobs: Jobs) -> None:
        over: list[int] = []
        held, begun = Held(), threading.Event()

        def stubborn(job: JobWork) -> bytes:
            begun.set()
            while not held.go.wait(0.002):
                job.note(0.1, read=3)
            job.files["kept"] = b"lines"
            job.tell(0.4)
            raise AssertionError("it is not wanted any more")

        running = jobs.start(stubborn, request_id="r", when_over=lambda: over.append(1))
        waiting = jobs.start(held, request_id="r", when_over=lambda: over.append(2))
        await until(begun.is_set)
        jobs.cancel(waiting)
        assert waiting.status == "cancelled", "nobody has begun it"
        await until(lambda: over == [2])
        jobs.cancel(running)
        assert running.status == "running"
        jobs.place()
        with pytest.raises(ProblemError, match="2 feeds are waiting or under way"):
            jobs.place()
        held.go.set()
        await ended(running)
        assert (running.status, running.so_far, running.progress) == ("cancelled", {"read": 3}, 0.4)
        assert running.files == {"kept": b"lines"}
        await until(lambda: over == [2, 1])
        assert not held.begun.is_set()

    run_team(play)


def test_what_is_told_last_is_seen_and_no_more_than_a_few_times_a_second() -> None:
    async def play(jobs: Jobs) -> None:
        def work(job: JobWork) -> bytes:
            for number in range(10_000):
                job.tell(number / 10_000, read=number)
            job.tell(0.25)
            return b"{}"

        began = time.monotonic()
        job = jobs.start(work, request_id="r")
        assert (await ended(job))["status"] == "done"
        assert job.so_far == {"read": 9_999}
        changes = job.number - 1
        assert 3 <= changes <= 3 + (time.monotonic() - began) / TELL_S

    run_team(play)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere threads have no niceness")
def test_work_steps_back_behind_whatever_the_service_is() -> None:
    async def play(jobs: Jobs) -> None:
        own = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
        found: list[int] = []

        def work(job: JobWork) -> bytes:
            found.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))
            return b"{}"

        await ended(jobs.start(work, request_id="r"))
        assert found == [min(19, own + 10)]
        assert os.getpriority(os.PRIO_PROCESS, threading.get_native_id()) == own

    run_team(play)


def test_progress_never_falls() -> None:
    job = Job()
    for share in (0.5, 0.25, 7.0):
        before = job.progress
        job.go_on(share, {})
        assert before <= job.progress <= 1
    job.cancel()
    job.go_on(1.0, {"late": 1})
    job.succeed(b"{}")
    job.fail({})
    assert (job.status, job.so_far, job.result, job.error) == ("cancelled", {}, None, None)


def test_work_that_takes_too_long_is_given_up(tmp_path: Path) -> None:
    async def play(desk: Desk) -> None:
        told = await ended(desk.put(Held()))
        assert told["error"]["type"].endswith("timed-out")
        assert "0.05 s" in told["error"]["detail"]

    run(tmp_path, play, work_s=0.05)


def test_ended_jobs_are_remembered_in_bounds(tmp_path: Path) -> None:
    async def put(desk: Desk, work: Work, times: int) -> list[Job]:
        jobs = []
        for _ in range(times):
            jobs.append(desk.put(work))
            await ended(jobs[-1])
            await until(lambda: not desk.files())
        return jobs

    async def play(desk: Desk) -> None:
        work = Held()
        work.go.set()
        jobs = await put(desk, work, 4)

        def known() -> list[bool]:
            return [desk.jobs.find(job.id) is job for job in jobs]

        assert known() == [False, False, True, True]
        await until(lambda: not any(known()))
        assert desk.jobs.latest() is None

    run(tmp_path, play, results=2, results_s=0.5)

    async def large(desk: Desk) -> None:
        jobs = await put(desk, lambda job: b'{"a":"' + b"b" * 40 + b'"}', 3)
        assert [desk.jobs.find(job.id) is job for job in jobs] == [False, True, True]

        def with_file(job: JobWork) -> bytes:
            job.files["a"] = bytes(200)
            return b"{}"

        jobs += await put(desk, with_file, 1)
        assert [desk.jobs.find(job.id) is job for job in jobs] == [False, False, False, True]

    run(tmp_path, large, results_bytes=100)


def test_a_stop_ends_all_in_order(tmp_path: Path) -> None:
    async def play(desk: Desk) -> None:
        work = Held()
        jobs = [desk.put(work), desk.put(Held())]
        await until(work.begun.is_set)
        arriving = desk.jobs.place()
        await desk.jobs.stop()
        for job in jobs:
            told = json.loads(job_json(job))
            assert told["status"] == "failed"
            assert "send the clip again" in told["error"]["detail"]
        with pytest.raises(ProblemError, match="about to stop"):
            desk.jobs.place()
        with pytest.raises(ProblemError, match="about to stop"):
            desk.jobs.start(Held(), request_id="r", place=arriving)

    run(tmp_path, play)


def test_the_team_has_a_queue_for_each_kind_of_work() -> None:
    async def whole() -> None:
        team = TeamWork(Settings(jobs_waiting=1, jobs_kept=3, jobs_kept_s=7.0), Measures())
        assert [jobs.kind.name for jobs in team.jobs] == ["comparison", "annotation", "feed"]
        for jobs, most in zip(team.jobs, (2, 2, 1), strict=True):
            assert (jobs.kind.kept, jobs.kind.kept_s, jobs.kind.ends_at_once) == (3, 7.0, False)
            for _ in range(most):
                jobs.place()
            with pytest.raises(ProblemError, match=f"{most} {jobs.kind.name}s are waiting"):
                jobs.place()
            await jobs.stop()

    asyncio.run(whole())


# --- events ----------------------------------------------------------------------------------


def parsed(event: bytes) -> tuple[int, str, dict]:
    lines = dict(line.split(": ", 1) for line in event.decode().strip().splitlines())
    return int(lines["id"]), lines["event"], json.loads(lines["data"])


def test_events_tell_all_and_go_on_where_they_broke_off(tmp_path: Path) -> None:
    async def play(desk: Desk) -> None:
        work = Held()
        job = desk.put(work)
        await until(lambda: job.progress == 0.5)
        events = JobEvents(most=1, keep_alive_s=0.05)
        stream = events.of(job, after=0)
        events.check()
        number, name, told = parsed(await anext(stream))
        assert (number, name, told["progress"]) == (job.number, "progress", 0.5)
        with pytest.raises(ProblemError, match="too many streams"):
            events.check()
        while (event := await anext(stream)) != b":\n\n":
            number = parsed(event)[0]
        await stream.aclose()
        events.check()
        patient = JobEvents(most=1, keep_alive_s=30)
        again = patient.of(job, after=number)
        work.go.set()
        told = [parsed(event) async for event in again]
        assert all(each[0] > number for each in told)
        assert (told[-1][1], told[-1][2]) == ("done", json.loads(job_json(job)))
        late = [parsed(each) async for each in patient.of(job, after=0)]
        assert [each[1] for each in late] == ["done"]
        cancelled = desk.put(Held())
        desk.jobs.cancel(cancelled)
        async for event in patient.of(cancelled, after=0):
            assert (parsed(event)[1], parsed(event)[2]["status"]) == ("failed", "cancelled")

    run(tmp_path, play)


@pytest.mark.parametrize(
    ("header", "number"),
    [(None, 0), ("", 0), ("7", 7), ("-1", 0), ("٧", 0), ("1e3", 0), ("9" * 400, 0), ("a\n", 0)],
)
def test_the_last_event_is_read_safely(header: str | None, number: int) -> None:
    assert last_event_number(header) == number
