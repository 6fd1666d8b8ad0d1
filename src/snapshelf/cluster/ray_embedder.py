"""`RayEmbedder`: the pictures of an update, read and embedded by the workers of a cluster.

Blocks go to the workers in any order, several to each so that none waits; what comes back is
handed on in the feed's order, so a shelf is the same as without a cluster. A block whose worker is
lost goes to another one: it was not handed on yet, so nothing is done twice.
"""

import time
from collections import deque
from collections.abc import Callable, Generator, Iterator

import numpy as np

from snapshelf.cluster.block import Block, State, blocks_of
from snapshelf.cluster.picture_worker import WorkerPlan
from snapshelf.cluster.ray_extra import ray_extra
from snapshelf.cluster.throughput import Throughput
from snapshelf.cluster.worker_pool import (
    LOST,
    Worker,
    WorkerPool,
    WorkerSettings,
    answer,
)
from snapshelf.errors import PictureError
from snapshelf.features.pipeline import EmbeddedPicture
from snapshelf.shelf.embedder import Decide
from snapshelf.shelf.picture_task import PictureTask

with ray_extra():
    import ray

__all__ = ["RayEmbedder"]

BLOCK = 32
"""Pictures of a block: what is lost with a worker, and a batch of most encoders."""

AHEAD = 3
"""Blocks that a worker works on at a time: one is embedded, one is read, one is on its way."""

MOST_LOSSES = 3
"""Workers that may be lost with one block before it is cut in two, or its only picture given up."""

POLL_S = 1.0


class RayEmbedder:
    """Carries out picture tasks on a cluster; inside of a `ray_session`, for one update.

    Args:
        plan: How a worker is made.
        settings: How many there are; settled.
        on_lost: Told of each worker that was lost.
    """

    def __init__(
        self,
        plan: WorkerPlan,
        settings: WorkerSettings,
        *,
        on_lost: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._plan = plan
        self._settings = settings
        self._on_lost = on_lost
        self._began = time.monotonic()
        self._first_ready: float | None = None
        self._pictures = 0
        self._blocks = 0
        self._redone = 0
        self._workers = 0
        self._lost = 0

    def embed(
        self, tasks: Iterator[PictureTask], decide: Decide
    ) -> Generator[EmbeddedPicture[PictureTask], None, None]:
        """Read pictures, and embed those whose content is new; see `Embedder`.

        Raises:
            ClusterError: If there is no worker for too long.
            SnapshelfError: What a worker cannot work for.
        """
        blocks = blocks_of(tasks, BLOCK)
        window: deque[Block] = deque()
        pool = WorkerPool(self._plan, self._settings, self._on_lost)
        self._workers = pool.count
        try:
            more = True
            while True:
                while more and len(window) < AHEAD * (pool.count + 1):
                    drawn = next(blocks, None)
                    more = drawn is not None
                    if drawn is not None:
                        window.append(self._block(drawn))
                if not window:
                    return
                if window[0].is_done:
                    yield from self._results(window.popleft())
                    continue
                self._decide(window, decide)
                self._hand_out(window, pool)
                if not window[0].is_done:
                    self._wait(window, pool)
        finally:
            self._lost = pool.lost
            pool.close()

    def throughput(self, cost_per_hour: float | None = None) -> Throughput:
        """Tell how fast it went.

        Args:
            cost_per_hour: Of the whole cluster, in any currency.
        """
        now = time.monotonic()
        ready = now if self._first_ready is None else self._first_ready
        return Throughput(
            workers=self._workers,
            workers_lost=self._lost,
            blocks=self._blocks,
            blocks_redone=self._redone,
            pictures=self._pictures,
            start_seconds=ready - self._began,
            seconds=now - ready,
            cost_per_hour=cost_per_hour,
        )

    def _block(self, tasks: list[PictureTask]) -> Block:
        self._blocks += 1
        block = Block(self._blocks, tasks)
        for task in tasks:
            if not task.read and task.known is not None:
                task.content = task.known.content
        if not block.to_read():
            block.state = State.READ
        return block

    def _decide(self, window: deque[Block], decide: Decide) -> None:
        """Decide what is embedded, up to the first block that has not been read yet."""
        for block in window:
            if block.state in (State.TO_READ, State.READING):
                return
            if block.state is not State.READ:
                continue
            decide(block.tasks)
            if block.to_embed():
                block.state = State.TO_EMBED
                continue
            if block.worker is not None:
                block.worker.actor.forget.options(concurrency_group="reading").remote(block.number)
            block.leave()
            block.state = State.DONE

    def _hand_out(self, window: deque[Block], pool: WorkerPool) -> None:
        """Give workers what they have room for; the first blocks come first."""
        for block in window:
            if block.state not in (State.TO_READ, State.TO_EMBED):
                continue
            # A block that was with a lost worker is done alone: if it ends the next one too, it
            # takes no innocent ones along.
            alone = block.losses > 0
            worker = block.worker or _free(pool.ready, alone=alone)
            if worker is None or not worker.takes(AHEAD, alone=alone):
                continue
            block.worker, worker.alone = worker, alone
            worker.blocks.add(block.number)
            worker.busy.add(block.number)
            actor = worker.actor
            if block.state is State.TO_READ:
                method = actor.read.options(concurrency_group="reading")
                block.reference = method.remote(block.number, block.jobs(block.to_read()))
                block.state = State.READING
            else:
                method = actor.embed.options(concurrency_group="embedding")
                block.reference = method.remote(block.number, block.jobs(block.to_embed()))
                block.state = State.EMBEDDING

    def _wait(self, window: deque[Block], pool: WorkerPool) -> None:
        """Wait until something has happened, and take it in."""
        under_way = {block.reference: block for block in window if block.reference is not None}
        starting = pool.starting
        references = [*under_way, *starting]
        if references:
            ready, _ = ray.wait(references, timeout=POLL_S, num_returns=1)
            # All that is ready by now, at once.
            if ready:
                ready, _ = ray.wait(references, timeout=0, num_returns=len(references))
        else:
            time.sleep(POLL_S)
            ready = []
        for reference in ready:
            if reference in under_way:
                self._take(under_way[reference], window, pool)
            else:
                pool.started(reference)
                if pool.ready and self._first_ready is None:
                    self._first_ready = time.monotonic()
        pool.check()

    def _take(self, block: Block, window: deque[Block], pool: WorkerPool) -> None:
        """Take in what a worker answered."""
        if block.reference is None:
            return  # its worker was lost a moment ago, with another block
        try:
            found = answer(block.reference)
        except LOST:
            worker = block.worker
            assert worker is not None
            pool.lose(worker)
            for other in [each for each in window if each.worker is worker]:
                self._lose(other, window)
            return
        block.rest()
        if block.state is State.READING:
            for task, read in zip(block.to_read(), found, strict=True):
                task.content, task.error = read.content, read.error
            block.state = State.READ
        else:
            block.embedded = found
            block.leave()
            block.state = State.DONE

    def _lose(self, block: Block, window: deque[Block]) -> None:
        """Have a block done again; one that ends its workers, in parts."""
        self._redone += block.reference is not None
        decided = block.state in (State.TO_EMBED, State.EMBEDDING)
        block.lose()
        if block.losses < MOST_LOSSES:
            return
        if len(block.tasks) > 1:
            middle = len(block.tasks) // 2
            at = window.index(block)
            halves = [self._block(part) for part in (block.tasks[:middle], block.tasks[middle:])]
            window.remove(block)
            for half in reversed(halves):
                half.losses = 1
                if decided:
                    half.state = State.TO_EMBED if half.to_embed() else State.DONE
                window.insert(at, half)
            return
        error = PictureError(
            f"{block.tasks[0].image}: {MOST_LOSSES} workers ended while they had it; left out"
        )
        if decided:
            nothing = np.empty((0, 0), np.float32)
            block.embedded = [EmbeddedPicture(None, None, (), nothing, error=error)]
            block.state = State.DONE
        else:
            block.tasks[0].error = error
            block.state = State.READ

    def _results(self, block: Block) -> Iterator[EmbeddedPicture[PictureTask]]:
        """Put the results of a block beside its tasks."""
        embedded = iter(block.embedded)
        nothing = np.empty((0, 0), np.float32)
        for task in block.tasks:
            if not task.embed:
                yield EmbeddedPicture(task, None, (), nothing)
                continue
            found = next(embedded)
            self._pictures += found.error is None
            yield EmbeddedPicture(
                task,
                found.size,
                found.regions,
                found.embeddings,
                found.descriptions,
                found.error,
            )


def _free(workers: list[Worker], *, alone: bool) -> Worker | None:
    """Give the worker with the least to do that has room; None if there is none."""
    room = [worker for worker in workers if worker.takes(AHEAD, alone=alone)]
    return min(room, key=lambda worker: len(worker.blocks), default=None)
