"""The encoder takes the items of several requests at once; nobody waits long for that."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray

__all__ = ["MicroBatches"]

Inputs = NDArray[np.uint8]
Embeddings = NDArray[np.float32]


class MicroBatches:
    """Collects the items of requests into batches; for the event loop's thread only.

    A batch goes to the encoder as soon as it is free and the batch is full, or no request is
    `expected` that is not in it yet, or the first of it has waited long enough. While the encoder
    is busy, what comes collects by itself.

    Args:
        encode: From (B, S, T, 3) uint8 to (B, D) float32; called in the executor, one batch at a
            time.
        executor: Where to encode.
        most_items: Items from which no further request is taken into a batch, at least 1.
        wait_s: Longest wait for others.
        on_batch: Called with the number of items of each batch.
    """

    def __init__(
        self,
        encode: Callable[[Inputs], Embeddings],
        executor: Executor,
        *,
        most_items: int,
        wait_s: float,
        on_batch: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._encode = encode
        self._executor = executor
        self._most_items = most_items
        self._wait_s = wait_s
        self._on_batch = on_batch
        self._waiting: deque[tuple[Inputs, asyncio.Future[Embeddings]]] = deque()
        self._expected = 0
        self._timer: asyncio.TimerHandle | None = None
        self._run: asyncio.Task[None] | None = None

    @contextmanager
    def expected(self) -> Iterator[None]:
        """Announce a request that will bring items before this ends, unless it fails."""
        self._expected += 1
        try:
            yield
        finally:
            self._expected -= 1
            self._consider()

    async def embed(self, inputs: Inputs) -> Embeddings:
        """Embed the items of one request; inside of `expected`.

        Args:
            inputs: (R, S, T, 3) uint8, R >= 1.

        Returns:
            (R, D) float32, L2-normalised.
        """
        future: asyncio.Future[Embeddings] = asyncio.get_running_loop().create_future()
        self._waiting.append((inputs, future))
        self._consider()
        return await future

    def _consider(self) -> None:
        """Start a batch if it is time."""
        if self._run is not None or not self._waiting:
            return
        items = sum(len(inputs) for inputs, _ in self._waiting)
        if items >= self._most_items or len(self._waiting) >= self._expected:
            self._start()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._wait_s, self._start)

    def _start(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._run is None and self._waiting:
            self._run = asyncio.get_running_loop().create_task(self._encode_waiting())

    async def _encode_waiting(self) -> None:
        """Encode until nobody waits; who came while the encoder was busy has waited enough."""
        try:
            while batch := self._take():
                await self._encode_batch(batch)
        finally:
            self._run = None
        self._consider()

    def _take(self) -> list[tuple[Inputs, "asyncio.Future[Embeddings]"]]:
        batch, items = [], 0
        while self._waiting and items < self._most_items:
            inputs, future = self._waiting.popleft()
            if not future.done():  # else its request has been given up
                batch.append((inputs, future))
                items += len(inputs)
        return batch

    async def _encode_batch(self, batch: list[tuple[Inputs, "asyncio.Future[Embeddings]"]]) -> None:
        inputs = np.concatenate([each for each, _ in batch]) if len(batch) > 1 else batch[0][0]
        self._on_batch(len(inputs))
        try:
            loop = asyncio.get_running_loop()
            embeddings = await loop.run_in_executor(self._executor, self._encode, inputs)
        except BaseException as error:
            for _, future in batch:
                if not future.done():
                    if isinstance(error, Exception):
                        future.set_exception(error)
                    else:
                        future.cancel()
            if not isinstance(error, Exception):
                raise
            return
        start = 0
        for each, future in batch:
            if not future.done():
                future.set_result(embeddings[start : start + len(each)])
            start += len(each)
