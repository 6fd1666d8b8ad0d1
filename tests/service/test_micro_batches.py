"""Micro-batches: who is encoded together, who waits, and who gets which rows."""

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from snapshelf.service.micro_batches import MicroBatches


def inputs(*values: int) -> np.ndarray:
    return np.array(values, np.uint8).reshape(-1, 1, 1, 1)


class Encoder:
    """Gives each input back as a number; may be held up."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.go = threading.Event()
        self.go.set()

    def __call__(self, given: np.ndarray) -> np.ndarray:
        self.batches.append(given.ravel().tolist())
        assert self.go.wait(20)
        if 255 in given:
            raise ValueError("cannot encode this")
        return given.reshape(-1, 1).astype(np.float32)


async def ask(batches: MicroBatches, *values: int, after: float = 0.0) -> list[int]:
    with batches.expected():
        await asyncio.sleep(after)
        found = await batches.embed(inputs(*values))
    return found.ravel().astype(int).tolist()


def run(work, encoder: Encoder, *, most_items: int = 4, wait_s: float = 5.0):
    sizes: list[int] = []

    async def whole():
        with ThreadPoolExecutor(1) as pool:
            return await work(
                MicroBatches(
                    encoder, pool, most_items=most_items, wait_s=wait_s, on_batch=sizes.append
                )
            )

    result = asyncio.run(whole())
    assert sizes == [len(batch) for batch in encoder.batches]
    return result


def test_who_is_alone_does_not_wait() -> None:
    encoder = Encoder()
    start = time.monotonic()
    assert run(lambda batches: ask(batches, 7), encoder, wait_s=60) == [7]
    assert time.monotonic() - start < 30


def test_those_who_are_expected_are_waited_for_and_each_gets_its_own_rows() -> None:
    encoder = Encoder()

    async def three(batches):
        return await asyncio.gather(
            ask(batches, 1), ask(batches, 2, 3, after=0.02), ask(batches, 4, after=0.05)
        )

    assert run(three, encoder, wait_s=20) == [[1], [2, 3], [4]]
    assert encoder.batches == [[1, 2, 3, 4]]


def test_the_wait_is_bounded() -> None:
    encoder = Encoder()

    async def two(batches):
        late = asyncio.create_task(ask(batches, 2, after=0.5))
        await asyncio.sleep(0)
        first = await ask(batches, 1)
        assert not late.done()
        return first, await late

    assert run(two, encoder, wait_s=0.01) == ([1], [2])
    assert encoder.batches == [[1], [2]]


def test_who_fails_on_the_way_is_not_waited_for() -> None:
    encoder = Encoder()

    async def failing(batches):
        with batches.expected():
            await asyncio.sleep(0.05)
            raise RuntimeError

    async def two(batches):
        return await asyncio.gather(ask(batches, 1), failing(batches), return_exceptions=True)

    start = time.monotonic()
    assert run(two, encoder, wait_s=60)[0] == [1]
    assert time.monotonic() - start < 30


def test_a_full_batch_goes_and_what_comes_meanwhile_is_the_next() -> None:
    encoder = Encoder()
    encoder.go.clear()

    async def many(batches):
        asked = [asyncio.create_task(ask(batches, n)) for n in range(11)]
        await asyncio.sleep(0.1)
        encoder.go.set()
        return await asyncio.gather(*asked)

    assert run(many, encoder) == [[n] for n in range(11)]
    assert encoder.batches == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10]]


def test_a_request_of_many_items_stays_in_one_piece() -> None:
    encoder = Encoder()
    assert run(lambda batches: ask(batches, *range(9)), encoder) == list(range(9))
    assert encoder.batches == [list(range(9))]


def test_an_error_reaches_all_of_the_batch_and_none_of_the_next() -> None:
    encoder = Encoder()

    async def work(batches):
        bad = await asyncio.gather(ask(batches, 255), ask(batches, 1), return_exceptions=True)
        return bad, await ask(batches, 2)

    bad, good = run(work, encoder)
    assert all(isinstance(each, ValueError) for each in bad)
    assert good == [2]


def test_who_gives_up_is_left_out() -> None:
    encoder = Encoder()
    encoder.go.clear()

    async def work(batches):
        first = asyncio.create_task(ask(batches, 1))
        await asyncio.sleep(0.05)
        second, third = asyncio.create_task(ask(batches, 2)), asyncio.create_task(ask(batches, 3))
        await asyncio.sleep(0.05)
        second.cancel()
        encoder.go.set()
        with pytest.raises(asyncio.CancelledError):
            await second
        return await first, await third

    assert run(work, encoder) == ([1], [3])
    assert encoder.batches == [[1], [3]]
