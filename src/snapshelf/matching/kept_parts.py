"""`KeptParts`: the articles' parts of a shelf, decoded once and kept between searches."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from snapshelf.matching.assortment import Assortment
from snapshelf.matching.folded_matcher import FoldedMatcher
from snapshelf.matching.named_weights import FloatArray
from snapshelf.matching.shelf_reranker import Described

__all__ = ["HELD_BYTES", "KeptParts"]

HELD_BYTES = 2**29
"""Of parts in float32; what they are rounded to comes on top, a quarter or half of it again."""

READ_AT_ONCE = 16_384
"""Descriptions that are in memory as bytes at a time."""

IntArray = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class _Kept:
    """Articles of one moment; it stays as it is while more are read.

    Attributes:
        numbers: (N,) int64, the descriptions' numbers, rising.
        order: (N,) int64, the article's row of each.
        assortment: Of the articles.
    """

    numbers: IntArray
    order: IntArray
    assortment: Assortment

    def rows(self, numbers: IntArray) -> IntArray:
        """Give the rows of articles (K,), -1 of one that is not there."""
        if not len(self.numbers):
            return np.full(len(numbers), -1)
        places = np.minimum(np.searchsorted(self.numbers, numbers), len(self.numbers) - 1)
        return np.where(self.numbers[places] == numbers, self.order[places], -1)


class KeptParts:
    """The articles' parts of one shelf that were asked for; may be used from several threads.

    What is read is kept until there is no room, and then only what is being asked for. As a number
    always means the same description, a shelf that changes makes nothing wrong here.

    Args:
        matcher: What the parts are of.
        decode: Makes (N, H) float32 of N descriptions.
        held_bytes: Room for parts in float32. A search for more reads them for itself.
    """

    def __init__(
        self,
        matcher: FoldedMatcher,
        decode: Callable[[Sequence[bytes]], FloatArray],
        held_bytes: int = HELD_BYTES,
    ) -> None:
        self._matcher, self._decode = matcher, decode
        self._most = held_bytes // (4 * len(matcher.bias))
        self._lock = threading.Lock()
        self._room = np.empty((0, len(matcher.bias)), np.float32)
        self._kept = self._made(np.empty(0, np.int64), self._room)

    def hold(
        self, shelf: Described, shortlists: Sequence[IntArray]
    ) -> tuple[Assortment, list[IntArray]]:
        """Read what is not there yet.

        Args:
            shelf: Always the same.
            shortlists: Numbers of descriptions; each (K,) int64.

        Returns:
            Articles, and of each shortlist their rows (K,) int64, -1 of a number without a
            description.

        Raises:
            ModelError: If a description cannot be decoded.
        """
        kept = self._kept
        rows = [kept.rows(numbers) for numbers in shortlists]
        if any((each < 0).any() for each in rows):
            kept = self._more(shelf, np.unique(np.concatenate(shortlists)))
            rows = [kept.rows(numbers) for numbers in shortlists]
        return kept.assortment, rows

    def _more(self, shelf: Described, wanted: IntArray) -> _Kept:
        # One at a time: others that want the same wait for it instead of reading it too.
        with self._lock:
            kept = self._kept
            held = kept.rows(wanted)
            new, parts = self._read(shelf, wanted[held < 0])
            if not len(new):
                return kept
            numbers = np.empty_like(kept.numbers)
            numbers[kept.order] = kept.numbers
            if len(numbers) + len(new) <= self._most:
                self._add(len(numbers), parts)
                numbers = np.concatenate([numbers, new])
                self._kept = self._made(numbers, self._room[: len(numbers)])
                return self._kept
            left = held[held >= 0]
            parts = np.concatenate([self._room[left], parts])
            made = self._made(np.concatenate([numbers[left], new]), parts)
            self._room = parts if len(parts) <= self._most else parts[:0].copy()
            self._kept = made if len(parts) <= self._most else self._made(new[:0], self._room)
            return made

    def _read(self, shelf: Described, missing: IntArray) -> tuple[IntArray, FloatArray]:
        """Read descriptions; gives the numbers of those that there are, and their parts."""
        numbers, parts = [np.empty(0, np.int64)], [self._room[:0]]
        for start in range(0, len(missing), READ_AT_ONCE):
            described = shelf.descriptions(missing[start : start + READ_AT_ONCE].tolist())
            if described:
                numbers.append(np.fromiter(described, np.int64, len(described)))
                parts.append(self._decode(list(described.values())))
        return np.concatenate(numbers), np.concatenate(parts)

    def _add(self, count: int, parts: FloatArray) -> None:
        """Put parts behind the first so many; a `_Kept` never looks behind its own."""
        wanted = count + len(parts)
        if wanted > len(self._room):
            room = np.empty((min(self._most, max(wanted, 2 * count)), parts.shape[1]), np.float32)
            room[:count] = self._room[:count]
            self._room = room
        self._room[count:wanted] = parts

    def _made(self, numbers: IntArray, parts: FloatArray) -> _Kept:
        order = np.argsort(numbers)
        return _Kept(numbers[order], order, Assortment(self._matcher, parts))
