"""Some of many things, at even distances, before it is known how many there are."""

from collections.abc import Iterable, Sequence
from typing import TypeVar

__all__ = ["spread"]

T = TypeVar("T")


def spread(things: Iterable[T], most: int) -> Sequence[T]:
    """Keep some of many things, at even distances, without knowing how many will come.

    Args:
        things: Any number.
        most: At least 1.

    Returns:
        All where there are fewer than twice `most`; else at least `most`, fewer than twice as
        many, every second, fourth, eighth and so on.

    Example:
        >>> spread(range(100), 4)
        [0, 16, 32, 48, 64, 80, 96]
    """
    kept: list[T] = []
    apart = 1
    for number, thing in enumerate(things):
        if number % apart:
            continue
        if len(kept) == 2 * most - 1:
            kept = kept[::2]
            apart *= 2
            if number % apart:
                continue
        kept.append(thing)
    return kept
