"""The order of blocks when workers are lost at any moment: a cluster that is only played."""

import random
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
import ray_parts  # noqa: F401 - it finds the next
from shelf_parts import product

pytest.importorskip("ray", reason="needs the extra `cluster`")

from snapshelf.catalog import Entry
from snapshelf.cluster import ray_embedder as module
from snapshelf.cluster.picture_job import PictureJob, ReadPicture
from snapshelf.cluster.worker_pool import LOST, Worker, WorkerSettings
from snapshelf.errors import PictureError
from snapshelf.features.pipeline import EmbeddedPicture
from snapshelf.shelf.picture_task import PictureTask

MOST_WAITS = 3_000


class Lost(LOST[0]):
    """What a dead worker answers."""

    def __init__(self) -> None:
        pass


@dataclass(eq=False)
class Answer:
    """What a worker will answer."""

    actor: "Actor"
    kind: str
    jobs: list[PictureJob]


class Method:
    """A method of a worker; nothing happens before the cluster lets it."""

    def __init__(self, actor: "Actor", kind: str) -> None:
        self.actor, self.kind = actor, kind

    def options(self, **_: Any) -> "Method":
        return self

    def remote(self, _: int, jobs: Any = ()) -> Answer:
        answer = Answer(self.actor, self.kind, list(jobs))
        self.actor.asked.append(answer)
        return answer


class Actor:
    def __init__(self) -> None:
        self.dead = False
        self.asked: list[Answer] = []
        self.read, self.embed, self.forget = (
            Method(self, kind) for kind in ("read", "embed", "forget")
        )


@dataclass(eq=False)
class Played:
    """A cluster whose every turn is drawn.

    Attributes:
        draw: Draws.
        deadly: Images that end the worker that embeds them.
        risk: How likely a worker ends in a turn.
        embedded: Images that have been embedded, each time that they were.
    """

    draw: random.Random
    deadly: set[str]
    risk: float
    embedded: list[str] = field(default_factory=list)
    waits: int = 0

    def wait(self, references: list[Any], *, timeout: float, num_returns: int) -> Any:
        self.waits += 1
        assert self.waits < MOST_WAITS, "it waits for ever"
        if timeout == 0:
            return [r for r in references if r in self.ready], []
        actors = {r.actor for r in references if isinstance(r, Answer)}
        for actor in sorted(actors, key=id):
            if self.draw.random() < self.risk:
                actor.dead = True
        self.ready = [
            r for r in references if getattr(r, "actor", r).dead or self.draw.random() < 0.4
        ]
        return self.ready[:1], []

    def answer(self, reference: Any) -> Any:
        if isinstance(reference, Actor):
            return "machine"
        if reference.actor.dead:
            raise Lost
        if reference.kind == "read":
            return [
                ReadPicture("", PictureError(f"{job.image}: gone"))
                if job.image.startswith("bad")
                else ReadPicture(f"content of {job.image.rpartition('=')[2]}")
                for job in reference.jobs
            ]
        if any(job.image in self.deadly for job in reference.jobs):
            reference.actor.dead = True
            raise Lost
        found = []
        for job in reference.jobs:
            assert job.content == f"content of {job.image.rpartition('=')[2]}"
            self.embedded.append(job.image)
            vector = np.full((1, 2), len(job.image), np.float32)
            found.append(EmbeddedPicture(None, (1, 1), (), vector))
        return found


class Pool:
    """As many workers as wanted; a lost one is replaced some turns later."""

    def __init__(self, plan: Played, settings: WorkerSettings, on_lost: Any) -> None:
        self.count = settings.count or 1
        self.lost, self.draw = 0, plan.draw
        self.ready: list[Worker] = []
        self.starting = [Actor() for _ in range(self.count)]

    def started(self, reference: Actor) -> None:
        self.starting.remove(reference)
        self.ready.append(Worker(reference, "machine"))

    def lose(self, worker: Worker) -> None:
        if worker in self.ready:
            self.ready.remove(worker)
            worker.actor.dead = True
            self.lost += 1
            # Where there is no room for another, the rest goes on.
            if not self.ready or self.draw.random() < 0.7:
                self.starting.append(Actor())

    def check(self) -> None:
        pass

    def close(self) -> None:
        pass


def tasks_of(images: list[str]) -> list[PictureTask]:
    return [
        PictureTask(
            Entry(product(f"P{number}", image), 1), None, image, "", None, read=True, last=True
        )
        for number, image in enumerate(images)
    ]


@pytest.mark.parametrize("seed", range(150))
def test_whatever_is_lost_every_picture_comes_once_and_in_order(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw = random.Random(seed)
    images = [f"{number}={number - number % 7 % 2}" for number in range(draw.randint(0, 60))]
    images = [f"bad{image}" if draw.random() < 0.05 else image for image in images]
    deadly = {image for image in images if draw.random() < 0.04 and not image.startswith("bad")}
    played = Played(draw, deadly, risk=draw.choice([0.0, 0.02, 0.2]))
    monkeypatch.setattr(module, "ray", played)
    monkeypatch.setattr(module, "answer", played.answer)
    monkeypatch.setattr(module, "WorkerPool", Pool)
    monkeypatch.setattr(module, "BLOCK", 4)
    # Many workers end by themselves here; only those that a picture ends are to count.
    monkeypatch.setattr(module, "MOST_LOSSES", 3 if played.risk == 0 else 40)
    if played.risk:
        played.deadly = set()
    embedder = module.RayEmbedder(played, WorkerSettings(count=draw.randint(1, 4)))
    taken: set[str] = set()
    decided: list[PictureTask] = []

    def decide(block: Any) -> None:
        decided.extend(block)
        for task in block:
            task.embed = task.error is None and task.content not in taken
            taken.add(task.content)

    tasks = tasks_of(images)
    found = list(embedder.embed(iter(tasks), decide))
    assert [result.key for result in found] == tasks
    assert decided == tasks, "each is decided once, and in order"
    for result in found:
        task = result.key
        bad = task.image.startswith("bad")
        assert (task.error is not None) == bad
        left_out = task.embed and task.image in played.deadly
        assert (result.error is not None) == left_out
        if left_out:
            assert "3 workers ended while they had it; left out" in str(result.error)
        elif task.embed:
            assert result.embeddings[0, 0] == len(task.image)
    if not played.risk:
        assert len(played.embedded) == len(set(played.embedded)), "no innocent one goes twice"
    done = embedder.throughput()
    assert done.pictures == sum(r.key.embed and r.error is None for r in found)
    assert bool(done.workers_lost) >= bool(done.blocks_redone)
