"""A parallel map that keeps order and never runs far ahead of its consumer."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

__all__ = ["ordered_map"]

T = TypeVar("T")
R = TypeVar("R")


def ordered_map(
    function: Callable[[T], R], items: Iterable[T], *, workers: int, ahead: int
) -> Iterator[R]:
    """Apply a function to items in worker threads and yield the results in the items' order.

    The items are drawn lazily, in the consumer's thread, so an endless feed needs no more
    memory than `ahead` items and results.

    Args:
        function: Called once for each item, from several threads at a time.
        items: Anything that can be iterated; drawn at most `ahead` items before the consumer.
        workers: Number of threads, at least 1.
        ahead: Largest number of items under way or waiting to be consumed, at least 1.

    Yields:
        ``function(item)`` for each item, in order. An exception of the function is raised
        where its result would have come; what is under way is then waited for, the rest is
        dropped.

    Raises:
        ValueError: If `workers` or `ahead` is below 1.

    Example:
        >>> list(ordered_map(str.upper, "abc", workers=2, ahead=2))
        ['A', 'B', 'C']
    """
    if workers < 1 or ahead < 1:
        raise ValueError(
            f"workers and ahead must be at least 1, got workers={workers}, ahead={ahead}"
        )
    pending: deque[Future[R]] = deque()
    source = iter(items)
    with ThreadPoolExecutor(max_workers=workers, thread_name_prefix="snapshelf") as pool:
        try:
            for item in source:
                pending.append(pool.submit(function, item))
                if len(pending) >= ahead:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        finally:
            for future in pending:
                future.cancel()
