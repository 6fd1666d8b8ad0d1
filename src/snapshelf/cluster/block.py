"""A block of pictures on its way through the workers."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any

from snapshelf.cluster.picture_job import PictureJob
from snapshelf.cluster.worker_pool import Worker
from snapshelf.features.pipeline import EmbeddedPicture
from snapshelf.shelf.picture_task import PictureTask

__all__ = ["Block", "State", "blocks_of"]


class State(Enum):
    """How far a block is."""

    TO_READ = auto()
    READING = auto()
    READ = auto()
    TO_EMBED = auto()
    EMBEDDING = auto()
    DONE = auto()


@dataclass(slots=True, eq=False)
class Block:
    """Consecutive picture tasks that go to one worker together.

    Attributes:
        number: No other block has it.
        tasks: At least one.
        state: How far it is.
        worker: With whom it is; None for nobody.
        reference: What becomes ready when the worker has answered.
        losses: How often a worker was lost that had it.
        embedded: Of the tasks that are to be embedded, in order; once it is done.
    """

    number: int
    tasks: list[PictureTask]
    state: State = State.TO_READ
    worker: Worker | None = None
    reference: Any = None
    losses: int = 0
    embedded: list[EmbeddedPicture[None]] = field(default_factory=list)

    @property
    def is_done(self) -> bool:
        """Whether its results are there."""
        return self.state is State.DONE

    def to_read(self) -> list[PictureTask]:
        """Give the tasks whose pictures must be read."""
        return [task for task in self.tasks if task.read]

    def to_embed(self) -> list[PictureTask]:
        """Give the tasks whose pictures must be embedded."""
        return [task for task in self.tasks if task.embed]

    def jobs(self, tasks: Iterable[PictureTask]) -> list[PictureJob]:
        """Give what a worker needs to know of tasks."""
        return [PictureJob(task.image, task.product_id, task.content) for task in tasks]

    def leave(self) -> None:
        """Take the block from its worker."""
        self.rest()
        if self.worker is not None:
            self.worker.blocks.discard(self.number)
        self.worker = None

    def rest(self) -> None:
        """Note that the worker does nothing for the block now."""
        if self.worker is not None and self.number in self.worker.busy:
            self.worker.busy.discard(self.number)
            self.worker.alone = False
        self.reference = None

    def lose(self) -> None:
        """Go back to the last step that needs a worker; it has lost the one that it was with."""
        # What was only held had no part in the worker's end.
        self.losses += self.reference is not None
        self.leave()
        if self.state in (State.READING, State.READ):
            self.state = State.TO_READ
        elif self.state is State.EMBEDDING:
            self.state = State.TO_EMBED


def blocks_of(tasks: Iterator[PictureTask], size: int) -> Iterator[list[PictureTask]]:
    """Cut tasks into blocks; drawn lazily."""
    block: list[PictureTask] = []
    for task in tasks:
        block.append(task)
        if len(block) == size:
            yield block
            block = []
    if block:
        yield block
