"""Which items look the same: every one's nearest other, and the groups that they form.

All rows are compared with all others, a block of the table at a time, so memory grows with the
rows and not with their square. Pairs at least as similar as asked for are joined, and what is
joined directly or through others is a group (a connected component).
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from snapshelf.matching.distances import Distance, compare_embeddings

__all__ = ["LookAlikes", "find_look_alikes"]

BLOCK = 1024
"""Rows compared at a time with as many others: a table of 4 MiB."""

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, eq=False)
class LookAlikes:
    """For each of P owners the row of another owner that is most like one of its own.

    Attributes:
        similarity: (P,) float32, larger is more alike; -inf where no other is similar enough.
        row: (P,) int64, the owner's own row, -1 where there is none.
        other: (P,) int64, the other owner's row, -1 where there is none.
        group: (P,) int64, the same number for owners that are joined, directly or through others.
    """

    similarity: NDArray[np.float32]
    row: NDArray[np.int64]
    other: NDArray[np.int64]
    group: NDArray[np.int64]


def find_look_alikes(
    vectors: NDArray[np.float32],
    owners: NDArray[np.int64],
    contents: Sequence[Hashable],
    *,
    distance: Distance,
    least: float,
    on_progress: Progress | None = None,
) -> LookAlikes:
    """Find for each owner the most similar row of another, and group owners.

    Args:
        vectors: (N, D) float32, L2-normalised.
        owners: (N,) int64 in [0, P), whose each row is; P is the largest and 1.
        contents: N of them, equal for rows of the same picture; of several rows that are equally
            similar, one of the same picture is named.
        distance: How vectors are compared.
        least: In [-1, 1]; pairs that are less similar do not count.
        on_progress: Called with the blocks done and those in all.

    Returns:
        For each owner its nearest other; ties go to the first row.

    Raises:
        ValueError: If `least` is out of range.

    Example:
        >>> vectors = np.float32([[1, 0], [0.8, 0.6], [0, 1], [0.96, 0.28]])
        >>> found = find_look_alikes(
        ...     vectors, np.arange(4), "abcd", distance="cosine", least=0.95
        ... )
        >>> found.other.tolist(), found.group.tolist()
        ([3, -1, -1, 0], [0, 1, 2, 0])
    """
    if not -1 <= least <= 1:
        raise ValueError(f"least must be a similarity in [-1, 1], got {least}")
    count = int(owners.max(initial=-1)) + 1
    found = _Finding(owners, count)
    # A shop may show one stand-in picture for thousands of products: equal rows are joined
    # without comparing, and only the first of them is compared with the rest.
    equal = [blake2b(row.tobytes(), digest_size=16).digest() for row in vectors]
    found.join_equal(list(zip(equal, contents, strict=True)))
    found.join_equal(equal)
    first: dict[bytes, int] = {}
    for row, key in enumerate(equal):
        first.setdefault(key, row)
    rows = np.fromiter(first.values(), np.int64, len(first))
    starts = range(0, len(rows), BLOCK)
    total, done = len(starts) * (len(starts) + 1) // 2, 0
    for start in starts:
        left = rows[start : start + BLOCK]
        for beside in range(start, len(rows), BLOCK):
            right = rows[beside : beside + BLOCK]
            similarities = compare_embeddings(vectors[left], vectors[right], distance)
            flat = np.flatnonzero(similarities >= np.float32(least))
            a, b = left[flat // len(right)], right[flat % len(right)]
            new = (a < b) & (owners[a] != owners[b])
            found.join(a[new], b[new], similarities.reshape(-1)[flat[new]])
            done += 1
            if on_progress is not None:
                on_progress(done, total)
    return found.result()


class _Finding:
    """What has been found so far."""

    def __init__(self, owners: NDArray[np.int64], count: int) -> None:
        self._owners = owners
        self._similarity = np.full(count, -np.inf, np.float32)
        self._row = np.full(count, -1, np.int64)
        self._other = np.full(count, -1, np.int64)
        self._group = np.arange(count, dtype=np.int64)

    def join_equal(self, keys: Sequence[Hashable]) -> None:
        """Join the owners of rows with equal keys, whose similarity is 1."""
        # Two rows of different owners are enough: one of them is another's than any row's.
        first: dict[Hashable, int] = {}
        second: dict[Hashable, int] = {}
        for row, key in enumerate(keys):
            one = first.setdefault(key, row)
            if self._owners[one] != self._owners[row]:
                second.setdefault(key, row)
        pairs = [
            (row, first[key] if self._owners[first[key]] != self._owners[row] else second[key])
            for row, key in enumerate(keys)
            if key in second
        ]
        if pairs:
            a, b = np.array(pairs, np.int64).T
            self._best(a, b, np.ones(len(a), np.float32))
            self._unite(self._owners[a], self._owners[b])

    def join(
        self, a: NDArray[np.int64], b: NDArray[np.int64], similarity: NDArray[np.float32]
    ) -> None:
        """Join the owners of pairs of rows (K,), (K,) of different owners."""
        if len(a):
            # Rounding takes the similarity of two unit vectors a little beyond 1.
            similarity = np.minimum(similarity, np.float32(1))
            both = np.concatenate([similarity, similarity])
            self._best(np.concatenate([a, b]), np.concatenate([b, a]), both)
            self._unite(self._owners[a], self._owners[b])

    def result(self) -> LookAlikes:
        return LookAlikes(self._similarity, self._row, self._other, self._group)

    def _best(
        self, rows: NDArray[np.int64], others: NDArray[np.int64], similarity: NDArray[np.float32]
    ) -> None:
        owners = self._owners[rows]
        better = similarity > self._similarity[owners]
        rows, others, similarity = rows[better], others[better], similarity[better]
        # Where an owner comes several times the last assignment stays: of the most similar
        # pairs the one with the first rows.
        order = np.lexsort((-others, -rows, similarity))
        owners = owners[better][order]
        self._similarity[owners] = similarity[order]
        self._row[owners] = rows[order]
        self._other[owners] = others[order]

    def _unite(self, a: NDArray[np.int64], b: NDArray[np.int64]) -> None:
        one, other = self._group[a], self._group[b]
        apart = one != other
        if not apart.any():
            return
        parent: dict[int, int] = {}

        def root(number: int) -> int:
            while (above := parent.get(number, number)) != number:
                parent[number] = parent.get(above, above)
                number = above
            return number

        pairs = np.unique(np.stack([one[apart], other[apart]], axis=1), axis=0)
        for left, right in pairs.tolist():
            low, high = sorted((root(left), root(right)))
            parent[high] = low
        # Groups are named by their first owner, so every changed name is looked up once.
        names = np.arange(len(self._group))
        for number in parent:
            names[number] = root(number)
        self._group = names[self._group]
