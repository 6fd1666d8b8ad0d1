"""The queue of clips, with work that does as it is told."""

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from snapshelf.errors import VideoError
from snapshelf.service.clip_bounds import ClipBounds
from snapshelf.service.clip_folder import ClipFolder
from snapshelf.service.clip_job import ClipJob
from snapshelf.service.clip_jobs import ClipJobs
from snapshelf.service.job_events import job_events, last_event_number
from snapshelf.service.measures import Measures
from snapshelf.service.problems import ProblemError


class Held:
    """Work that waits at half of it until it is let go on."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.go = threading.Event()
        self.paths: list[Path] = []
        self.threads: set[str] = set()

    def __call__(self, path: Path, progress: Callable[[float], None]) -> bytes:
        self.paths.append(path)
        self.threads.add(threading.current_thread().name)
        assert path.read_bytes() == b"clip"
        self.begun.set()
        for _ in range(4_000):
            progress(0.5)
            if self.go.wait(0.005):
                return b'{"items":[]}'
        raise AssertionError("nobody lets it go on")


class Desk:
    """A queue with its folder, and a short way to put something in."""

    def __init__(self, folder: Path, **bounds: object) -> None:
        self.bounds = ClipBounds(folder=folder, **bounds)
        self.measures = Measures()
        self.jobs = ClipJobs(self.bounds, self.measures)
        self.folder = ClipFolder(folder, self.bounds.disk_bytes)

    def put(self, work, owner: str = "") -> ClipJob:
        place = self.jobs.place()
        clip = self.folder.new_file()
        clip.write(b"clip")
        clip.finish()
        return self.jobs.add(owner, clip, place, work, "request")

    def files(self) -> list[Path]:
        return [each for each in self.bounds.folder.glob("*/*") if each.name != "lock"]


async def ended(job: ClipJob) -> dict:
    while not job.ended:
        await asyncio.wait_for(job.changed_since(job.number), 30)
    return json.loads(job.written())


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


def test_a_job_goes_from_queued_over_running_to_done(tmp_path: Path) -> None:
    async def play(desk: Desk) -> None:
        work = Held()
        job = desk.put(work)
        assert json.loads(job.written()) == {
            "id": job.id,
            "status": "queued",
            "progress": 0,
            "error": None,
            "result": None,
        }
        await until(lambda: job.progress == 0.5)
        assert job.status == "running"
        assert desk.jobs.find(job.id, "") is job
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
        (RuntimeError("secret"), "failed"),
        (MemoryError("secret"), "failed"),
    ],
)
def test_a_failure_is_told_as_a_problem_and_the_next_clip_is_searched(
    tmp_path: Path, error: Exception, kind: str
) -> None:
    def fail(path: Path, progress: object) -> bytes:
        raise error

    async def play(desk: Desk) -> None:
        told = await ended(desk.put(fail))
        assert (told["status"], told["result"]) == ("failed", None)
        assert told["error"]["type"] == f"urn:snapshelf:problem:{kind}"
        assert "secret" not in str(told)
        work = Held()
        work.go.set()
        assert (await ended(desk.put(work)))["status"] == "done"

    run(tmp_path, play)


def test_a_job_is_found_by_its_owner_only(tmp_path: Path) -> None:
    async def play(desk: Desk) -> None:
        job = desk.put(Held(), "mine")
        assert len({ClipJob("").id for _ in range(100)} | {job.id}) == 101
        assert len(job.id) == 32
        for job_id, owner in (
            (job.id, "theirs"),
            (job.id, ""),
            (job.id[:-1], "mine"),
            ("", "mine"),
        ):
            with pytest.raises(ProblemError, match="no such job"):
                desk.jobs.find(job_id, owner)
        assert desk.jobs.find(job.id, "mine") is job

    run(tmp_path, play)


def test_the_queue_is_bounded_and_goes_in_order(tmp_path: Path) -> None:
    async def play(desk: Desk) -> None:
        works = [Held() for _ in range(3)]
        jobs = [desk.put(work) for work in works]
        with pytest.raises(ProblemError) as refused:
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


def test_a_cancelled_job_ends_at_once_and_its_clip_goes(tmp_path: Path) -> None:
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
        with pytest.raises(ProblemError, match="no such job"):
            desk.jobs.find(running.id, "")
        assert 'outcome="cancelled"} 2.0' in desk.measures.text().decode()

    run(tmp_path, play)


def test_work_that_takes_too_long_is_given_up(tmp_path: Path) -> None:
    async def play(desk: Desk) -> None:
        told = await ended(desk.put(Held()))
        assert told["error"]["type"].endswith("timed-out")
        assert "0.05 s" in told["error"]["detail"]

    run(tmp_path, play, work_s=0.05)


def test_ended_jobs_are_remembered_in_bounds(tmp_path: Path) -> None:
    async def play(desk: Desk) -> None:
        work = Held()
        work.go.set()
        jobs = []
        for _ in range(4):
            jobs.append(desk.put(work))
            await ended(jobs[-1])
            await until(lambda: not desk.files())

        def known() -> list[bool]:
            return [job.id in desk.jobs._jobs for job in jobs]

        assert known() == [False, False, True, True]
        await until(lambda: not any(known()))

    run(tmp_path, play, results=2, results_s=0.5)

    async def large(desk: Desk) -> None:
        jobs = []
        for _ in range(3):
            jobs.append(desk.put(lambda path, progress: b'{"a":"' + b"b" * 40 + b'"}'))
            await ended(jobs[-1])
            await until(lambda: not desk.files())
        assert [job.id in desk.jobs._jobs for job in jobs] == [False, True, True]

    run(tmp_path, large, results_bytes=100)


def test_a_stop_ends_all_in_order(tmp_path: Path) -> None:
    async def play(desk: Desk) -> None:
        work = Held()
        jobs = [desk.put(work), desk.put(Held())]
        await until(work.begun.is_set)
        await desk.jobs.stop()
        for job in jobs:
            told = json.loads(job.written())
            assert told["status"] == "failed"
            assert "send the clip again" in told["error"]["detail"]
        with pytest.raises(ProblemError, match="about to stop"):
            desk.jobs.place()

    run(tmp_path, play)


# --- events ----------------------------------------------------------------------------------


def parsed(event: bytes) -> tuple[int, str, dict]:
    lines = dict(line.split(": ", 1) for line in event.decode().strip().splitlines())
    return int(lines["id"]), lines["event"], json.loads(lines["data"])


def test_events_tell_all_and_go_on_where_they_broke_off(tmp_path: Path) -> None:
    async def play(desk: Desk) -> None:
        work = Held()
        job = desk.put(work)
        await until(lambda: job.progress == 0.5)
        stream = job_events(desk.jobs, job, after=0, keep_alive_s=0.05)
        number, name, told = parsed(await anext(stream))
        assert (number, name, told["progress"]) == (job.number, "progress", 0.5)
        while (event := await anext(stream)) != b":\n\n":
            number = parsed(event)[0]
        await stream.aclose()
        assert desk.jobs._streams == 0
        again = job_events(desk.jobs, job, after=number, keep_alive_s=30)
        work.go.set()
        events = [parsed(event) async for event in again]
        assert all(each[0] > number for each in events)
        assert (events[-1][1], events[-1][2]) == ("done", json.loads(job.written()))
        late = [parsed(each) async for each in job_events(desk.jobs, job, after=0, keep_alive_s=30)]
        assert [each[1] for each in late] == ["done"]
        cancelled = desk.put(Held())
        desk.jobs.cancel(cancelled)
        async for event in job_events(desk.jobs, cancelled, after=0, keep_alive_s=30):
            assert (parsed(event)[1], parsed(event)[2]["status"]) == ("failed", "cancelled")

    run(tmp_path, play)


@pytest.mark.parametrize(
    ("header", "number"),
    [(None, 0), ("", 0), ("7", 7), ("-1", 0), ("٧", 0), ("1e3", 0), ("9" * 400, 0), ("a\n", 0)],
)
def test_the_last_event_is_read_safely(header: str | None, number: int) -> None:
    assert last_event_number(header) == number


# --- the folder ------------------------------------------------------------------------------


def test_the_disk_is_bounded_and_counted_off_again(tmp_path: Path) -> None:
    folder = ClipFolder(tmp_path, 10)
    one, two = folder.new_file(), folder.new_file()
    one.write(b"12345678")
    with pytest.raises(ProblemError, match="fill the disk"):
        two.write(b"123")
    one.delete()
    one.delete()
    two.write(b"1234567890")
    assert two.finish().read_bytes() == b"1234567890"
    assert two.path.stat().st_mode & 0o777 == 0o600
    assert two.path.parent.stat().st_mode & 0o777 == 0o700
    folder.close()
    assert not list(tmp_path.iterdir())


def test_what_a_killed_service_left_is_removed_and_nothing_else(tmp_path: Path) -> None:
    living = ClipFolder(tmp_path, 100)
    kept = living.new_file()
    left = tmp_path / "snapshelf-clips-left"
    left.mkdir()
    (left / "lock").touch()
    (left / "clip").write_bytes(b"clip")
    other = tmp_path / "snapshelf-clips-other"
    other.mkdir()
    (other / "file").touch()
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "lock").touch()
    (tmp_path / "snapshelf-clips-link").symlink_to(outside)
    new = ClipFolder(tmp_path, 100)
    new.prepare()
    assert not left.exists()
    assert kept.path.exists()
    assert (other / "file").exists()
    assert (outside / "lock").exists()
    new.close()
    kept.delete()
    living.close()


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    folder = ClipFolder(tmp_path / "none", 100)
    folder.prepare()
    with pytest.raises(ProblemError, match="cannot be kept"):
        folder.new_file()


@pytest.mark.parametrize("bound", ["max_bytes", "work_s", "workers", "most", "streams"])
def test_bounds_that_make_no_sense_are_refused(bound: str) -> None:
    with pytest.raises(ValueError, match=f"clips: {bound} must be above 0"):
        ClipBounds(**{bound: 0})
