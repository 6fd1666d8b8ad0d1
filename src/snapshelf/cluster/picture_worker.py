"""`PictureWorker`: what runs on the machines of a cluster when a catalogue is indexed there."""

import socket
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from snapshelf.cluster.picture_job import PictureJob, ReadPicture
from snapshelf.errors import PictureError, SystemMismatchError
from snapshelf.features.computing import Computing, computing
from snapshelf.features.pipeline import EmbeddedPicture
from snapshelf.media.limits import Limits
from snapshelf.media.source import PictureSource
from snapshelf.shelf.picture_work import PictureWork
from snapshelf.systems.system import System

__all__ = ["PictureWorker", "WorkerPlan"]

READERS = 16
"""Pictures of a block read at a time."""


@dataclass(frozen=True, slots=True)
class WorkerPlan:
    """How a worker is made; goes to other machines, so it holds no open file and no network.

    Attributes:
        load: Loads the system; called where the worker runs.
        fingerprint: That the system must have.
        open_source: Opens what reads the pictures; called where the worker runs, and may refuse.
        limits: Bounds of a picture.
        computing: Device and threads of the system's networks.
        batch_size: Regions embedded at once.
    """

    load: Callable[[], System]
    fingerprint: str
    open_source: Callable[[], PictureSource]
    limits: Limits
    computing: Computing
    batch_size: int = 32


class PictureWorker:
    """Reads pictures and embeds them, a block at a time.

    Between the two it holds a block's bytes, so that they cross no network; a worker that does
    not have them reads them again. Blocks may be read while one is embedded.

    Args:
        plan: How it is made.
    """

    def __init__(self, plan: WorkerPlan) -> None:
        self._plan = plan
        self._held: dict[int, dict[str, bytes]] = {}
        self._work: PictureWork | None = None

    def start(self) -> str:
        """Load the system.

        Returns:
            The machine's name.

        Raises:
            SystemMismatchError: If the system here is another one.
            SnapshelfError: If it cannot be loaded.
        """
        import cv2

        plan = self._plan
        # One of several workers of a machine must not take all of its processors.
        cv2.setNumThreads(plan.computing.threads or -1)
        with computing(plan.computing):
            system = plan.load()
        machine = socket.gethostname()
        if system.fingerprint != plan.fingerprint:
            raise SystemMismatchError(
                f"the system {system.name!r} on {machine} (fingerprint {system.fingerprint[:12]}) "
                f"is not the one here ({plan.fingerprint[:12]}): install the same version of "
                "snapshelf and the same weights on every machine"
            )
        self._work = PictureWork(system, plan.open_source(), plan.limits)
        return machine

    def read(self, block: int, jobs: Sequence[PictureJob]) -> list[ReadPicture]:
        """Read the pictures of a block and hold them.

        Args:
            block: Its number.
            jobs: Its pictures that must be read.

        Returns:
            One for each, in order.
        """
        held: dict[str, bytes] = {}
        with ThreadPoolExecutor(READERS, thread_name_prefix="snapshelf-reader") as pool:
            read = list(pool.map(self._read, jobs))
        for outcome, data in read:
            if outcome.content:
                held[outcome.content] = data
        self._held[block] = held
        return [outcome for outcome, _ in read]

    def embed(self, block: int, jobs: Sequence[PictureJob]) -> list[EmbeddedPicture[None]]:
        """Embed pictures of a block; what was held for it is let go of.

        Args:
            block: Its number.
            jobs: Its pictures that must be embedded; with their contents.

        Returns:
            One for each, in order.
        """
        held = self._held.pop(block, {})

        def take(job: PictureJob) -> bytes:
            if job.content in held:
                return held.pop(job.content)
            data, content = self._ready.read(job)
            if content != job.content:
                raise PictureError(
                    f"{job.image}: has changed while it was indexed; run the command again"
                )
            return data

        found = self._ready.embed(
            jobs, take, batch_size=self._plan.batch_size, workers=self._plan.computing.threads
        )
        return [
            EmbeddedPicture(
                None, each.size, each.regions, each.embeddings, each.descriptions, each.error
            )
            for each in found
        ]

    def forget(self, block: int) -> None:
        """Let go of what is held for a block that needs no embedding."""
        self._held.pop(block, None)

    def _read(self, job: PictureJob) -> tuple[ReadPicture, bytes]:
        try:
            data, content = self._ready.read(job)
        except PictureError as error:
            return ReadPicture("", error), b""
        return ReadPicture(content), data

    @property
    def _ready(self) -> PictureWork:
        assert self._work is not None, "start comes first"
        return self._work
