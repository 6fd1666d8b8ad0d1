"""`share_out`: pieces of work shared among threads in each of which PyTorch computes alone."""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from functools import cache
from threading import Lock, Thread
from typing import Generic, Self, TypeVar

from snapshelf.features.torch_extra import torch_extra

with torch_extra():
    import torch

__all__ = ["share_out"]

Piece = TypeVar("Piece")

_BEGINNING = Lock()
"""Of threads that set numbers, one at a time: each has to put back what it found."""


def share_out(pieces: Sequence[Piece], work: Callable[[Iterator[Piece]], None]) -> None:
    """Do pieces of work in as many threads as torch has, ``torch.get_num_threads()``.

    Threads that share one operation wait for one another at its end. Where operations are small
    that takes longer than they do, most of all where something else wants the processors too.
    Threads that each have pieces of their own never wait, and since each computes alone, a piece
    gives the same bits whatever their number.

    All callers share the same threads, so that many at once take no more processors than one. With
    one thread, as inside `work`, all is done in the calling one. The number that torch has for any
    other thread is left as it was.

    Args:
        pieces: What there is to do; of any number.
        work: Called in some of the threads, with the pieces that fall to it one after the other:
            each is the next that no other thread has taken. It must go through all of them. Modes
            of torch hold in one thread, so it has to enter `torch.inference_mode` itself.

    Raises:
        Exception: What `work` raised, after pieces that were begun are done; no more are begun.

    Example:
        >>> squares = [0] * 5
        >>> def square(places):
        ...     for place in places:
        ...         squares[place] = place * place
        >>> share_out(range(5), square)
        >>> squares
        [0, 1, 4, 9, 16]
    """
    threads = torch.get_num_threads()
    if threads == 1:
        work(iter(pieces))
        return
    supply = _Supply(pieces)
    # A single piece too is one for a thread that computes alone.
    pool = _pool(os.getpid(), threads)
    shares = [pool.submit(work, supply) for _ in range(min(threads, len(pieces)))]
    try:
        # One that ends has found nothing more to do, or failed: no other need begin.
        wait(shares, return_when=FIRST_COMPLETED)
    finally:
        supply.stop()
        begun = [share for share in shares if not share.cancel()]
        wait(begun)
    for share in begun:
        share.result()


class _Supply(Generic[Piece]):
    """An iterator that threads may share."""

    def __init__(self, pieces: Sequence[Piece]) -> None:
        self._pieces = iter(pieces)
        self._lock = Lock()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Piece:
        with self._lock:
            return next(self._pieces)

    def stop(self) -> None:
        """Give out nothing more."""
        with self._lock:
            self._pieces = iter(())


@cache
def _pool(
    process: int,  # noqa: ARG001 - a forked process has none of the threads of its parent
    threads: int,
) -> ThreadPoolExecutor:
    """Give the threads that computing is shared among."""
    return ThreadPoolExecutor(
        threads, thread_name_prefix="snapshelf-torch", initializer=_compute_alone
    )


def _compute_alone() -> None:
    """Have torch use one thread in the calling one, which must be new."""
    with _BEGINNING:
        # Each thread has its own number. It takes over the process's when it first needs one,
        # which has to be now: later it would undo what is set here.
        number = torch.get_num_threads()
        torch.set_num_threads(1)
        # What was set last is the process's number: put back by a thread that needs none itself.
        last = Thread(target=torch.set_num_threads, args=(number,))
        last.start()
        last.join()
