"""The workers of an indexing run: started, lost and replaced."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from snapshelf.cluster.picture_worker import PictureWorker, WorkerPlan
from snapshelf.cluster.ray_extra import ray_extra
from snapshelf.errors import ClusterError

with ray_extra():
    import ray
    from ray.exceptions import (
        NodeDiedError,
        ObjectLostError,
        OutOfMemoryError,
        RayActorError,
        WorkerCrashedError,
    )

__all__ = ["LOST", "Worker", "WorkerPool", "WorkerSettings", "settle"]

LOST = (RayActorError, NodeDiedError, ObjectLostError, OutOfMemoryError, WorkerCrashedError)
"""What tells that a worker, its machine or what it answered is gone."""

PATIENCE_S = 300.0
"""Longest time without a single worker: a machine that is started by an autoscaler takes minutes,
and so does loading a large system."""

MOST_FAILURES = 3
"""Workers in a row, for each that is wanted, that may be lost while they start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerSettings:
    """How many workers there are, and what each takes of a cluster.

    Attributes:
        count: At least 1; None for as many as the cluster has room for.
        cpus: Processors of each, at least 1.
        gpus: GPUs of each, such as 0.5 for two workers on one; None for one where the cluster has
            any, else none.
        patience_s: Longest time without a single worker.

    Raises:
        ValueError: If a number makes no sense.
    """

    count: int | None = None
    cpus: int = 1
    gpus: float | None = None
    patience_s: float = PATIENCE_S

    def __post_init__(self) -> None:
        if self.count is not None and self.count < 1:
            raise ValueError(f"count must be at least 1, got {self.count}")
        if self.cpus < 1:
            raise ValueError(f"cpus must be at least 1, got {self.cpus}")
        if self.gpus is not None and (
            self.gpus < 0 or (self.gpus > 1 and not float(self.gpus).is_integer())
        ):
            raise ValueError(f"gpus must be in [0, 1] or a whole number, got {self.gpus}")


@dataclass(slots=True, eq=False)
class Worker:
    """A worker that is ready.

    Attributes:
        actor: Ray's handle of it.
        machine: The name of its machine.
        blocks: Numbers of the blocks that are with it, those whose bytes it only holds too.
        busy: Numbers of those that it works on.
        alone: Whether it must work on nothing else now.
    """

    actor: Any
    machine: str
    blocks: set[int] = field(default_factory=set)
    busy: set[int] = field(default_factory=set)
    alone: bool = False

    def takes(self, most: int, *, alone: bool) -> bool:
        """Whether it may be given work.

        Args:
            most: Blocks that it may work on at a time.
            alone: Whether the work must be all that it does.
        """
        if self.alone:
            return False
        return not self.busy if alone else len(self.busy) < most


class WorkerPool:
    """Keeps a number of workers alive, as far as the cluster has room for them.

    Args:
        plan: How each is made.
        settings: How many there are and what each takes; settled.
        on_lost: Told of each worker that was lost.
    """

    def __init__(
        self,
        plan: WorkerPlan,
        settings: WorkerSettings,
        on_lost: Callable[[str], None],
    ) -> None:
        self._plan = plan
        self._count = settings.count or 1
        self._settings = settings
        self._on_lost = on_lost
        self._starting: dict[Any, Any] = {}
        self._failures = 0
        self._without_since = time.monotonic()
        self.ready: list[Worker] = []
        self.lost = 0
        # All workers are made from one copy of the plan.
        self._shared_plan = ray.put(plan)
        for _ in range(self._count):
            self._start()

    @property
    def count(self) -> int:
        """How many workers are wanted."""
        return self._count

    @property
    def starting(self) -> list[Any]:
        """What becomes ready when a worker does, or fails."""
        return list(self._starting)

    def started(self, reference: Any) -> None:
        """Take in a worker of `starting`.

        Raises:
            SnapshelfError: If it cannot work, or too many were lost while they started.
        """
        actor = self._starting.pop(reference)
        try:
            machine = answer(reference)
        except LOST as error:
            self._failures += 1
            if self._failures > MOST_FAILURES * self._count:
                raise ClusterError(
                    f"workers end while they start, {self._failures} in a row: "
                    f"{first_line(error)}. Is there memory enough for the system on each machine?"
                ) from error
            self._start()
            return
        self._failures = 0
        self.ready.append(Worker(actor, machine))

    def lose(self, worker: Worker) -> None:
        """Give a worker up, and start another in its place."""
        if worker not in self.ready:
            return
        self.ready.remove(worker)
        self.lost += 1
        self._on_lost(
            f"a worker on {worker.machine} is lost; what it had under way is done again "
            f"({len(worker.blocks)} blocks)"
        )
        # One that only does not answer must not go on beside its replacement.
        ray.kill(worker.actor)
        self._without_since = time.monotonic()
        self._start()

    def check(self) -> None:
        """Refuse to wait for ever.

        Raises:
            ClusterError: If there has been no worker for too long.
        """
        if self.ready:
            self._without_since = time.monotonic()
        elif time.monotonic() - self._without_since > self._settings.patience_s:
            raise ClusterError(
                f"no worker for {self._settings.patience_s:.0f} s: each takes {self._wanted()}, "
                f"and the cluster has {_resources()}. What is stored so far is kept; the same "
                "command goes on"
            )

    def close(self) -> None:
        """End all workers."""
        # Ray would start a cluster only to end workers that went with the last one.
        if ray.is_initialized():
            for actor in [*self._starting.values(), *(worker.actor for worker in self.ready)]:
                ray.kill(actor)
        self._starting.clear()
        self.ready.clear()

    def _start(self) -> None:
        kind = ray.remote(
            num_cpus=self._settings.cpus,
            num_gpus=self._gpus,
            max_restarts=0,
            # Blocks are read while another is embedded, and only one is embedded at a time.
            concurrency_groups={"reading": 2, "embedding": 1},
        )
        actor = kind(PictureWorker).remote(self._shared_plan)
        self._starting[actor.start.options(concurrency_group="embedding").remote()] = actor

    @property
    def _gpus(self) -> float:
        return self._settings.gpus or 0.0

    def _wanted(self) -> str:
        gpus = f" and {self._gpus:g} GPU" if self._gpus else ""
        return f"{self._settings.cpus} CPU{gpus}"


def answer(reference: Any) -> Any:
    """Give what a worker answered; its own error is raised as it was there."""
    try:
        return ray.get(reference)
    except ray.exceptions.RayTaskError as error:
        cause = error.cause
        if isinstance(cause, Exception) and not isinstance(error, LOST):
            raise cause from None
        raise


def first_line(error: BaseException) -> str:
    """Give the first line of a message that is much longer."""
    return str(error).strip().partition("\n")[0]


def settle(settings: WorkerSettings) -> WorkerSettings:
    """Fill in what the cluster decides; inside of a `ray_session`.

    Returns:
        Settings in which nothing is None.

    Raises:
        ClusterError: If no machine has room for a worker.
    """
    gpus = settings.gpus
    if gpus is None:
        gpus = 1.0 if ray.cluster_resources().get("GPU", 0) >= 1 else 0.0
    if settings.count is not None:
        return replace(settings, gpus=gpus)
    room = 0
    for node in ray.nodes():
        if not node["Alive"]:
            continue
        has = node["Resources"]
        fits = int(has.get("CPU", 0) // settings.cpus)
        if gpus:
            fits = min(fits, int(has.get("GPU", 0) / gpus + 1e-9))
        room += fits
    if not room:
        raise ClusterError(
            f"no machine of the cluster has room for a worker of {settings.cpus} CPU and "
            f"{gpus:g} GPU: it has {_resources()}; give --ray-cpus and --ray-gpus, or "
            "--ray-workers if machines are still to come"
        )
    return replace(settings, count=room, gpus=gpus)


def _resources() -> str:
    has = ray.cluster_resources()
    return f"{has.get('CPU', 0):g} CPU and {has.get('GPU', 0):g} GPU in all"
