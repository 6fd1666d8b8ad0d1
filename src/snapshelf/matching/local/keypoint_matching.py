"""Key points of one picture matched with those of many, as a few matrix products.

The squared distance of a query's descriptor q to a candidate's c, ``|q|^2 + |c|^2 - 2 q.c``, is one
inner product of ``[-2 q, |q|^2, 1]`` and ``[c, 1, |c|^2]``. Descriptors are bytes, so every number
is a whole one up to 2^24: float32 holds them all exactly, and the matches do not depend on how
the products are cut into blocks.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from snapshelf.matching.local.keypoint_features import STEPS

__all__ = ["Matches", "match_keypoints"]

BLOCK = 2**19
"""Distances held at a time: 2 MiB, which stays in a core's cache."""

FAR = 2.0**24
"""Squared distance of what only fills up: farther than any two descriptors, and a whole number."""


@dataclass(frozen=True, slots=True, eq=False)
class Matches:
    """Matched key points of a query and a candidate; row i of every array is match i.

    Attributes:
        query: (K,) int64, key points of the query, rising.
        candidate: (K,) int64, what each is matched with.
        distance: (K,) float32, Euclidean, of the descriptors at unit length.
    """

    query: NDArray[np.int64]
    candidate: NDArray[np.int64]
    distance: NDArray[np.float32]

    def __len__(self) -> int:
        """Give the number of matches K."""
        return len(self.query)


def match_keypoints(
    query: NDArray[np.uint8],
    candidates: Sequence[NDArray[np.uint8]],
    *,
    ratio: float,
    mutual: bool,
) -> list[Matches]:
    """Match a query's key points with those of each candidate.

    A key point is matched with the candidate's nearest one if that is nearer than `ratio` times the
    second nearest (Lowe 2004, section 7.1). A candidate with a single key point has no second, and
    no match. Of equally near ones the first is the nearest; both are equally near, so the ratio
    rejects them.

    Args:
        query: (N, 128) uint8.
        candidates: Each (M, 128) uint8, of any M.
        ratio: In (0, 1].
        mutual: Whether the query's key point must be as near to the candidate's as any other.

    Returns:
        For each candidate its matches.

    Raises:
        ValueError: If `ratio` is out of range.
    """
    if not 0 < ratio <= 1:
        raise ValueError(f"ratio must be in (0, 1], got {ratio}")
    left = _query_side(query)
    found: list[Matches] = []
    for block in _blocks(candidates, max(1, BLOCK // max(1, len(query)))):
        found += _match_block(left, block, ratio, mutual)
    return found


def _match_block(
    left: NDArray[np.float32],
    candidates: Sequence[NDArray[np.uint8]],
    ratio: float,
    mutual: bool,
) -> list[Matches]:
    """Match with several candidates at once."""
    right = _candidate_side(candidates)
    count, longest, width = right.shape
    if not len(left) or not longest:
        return [_none() for _ in candidates]
    flat = left @ right.reshape(-1, width).T
    distances = flat.reshape(len(left), count, longest)
    nearest = distances.argmin(axis=2)
    place = nearest[:, :, np.newaxis]
    first = np.take_along_axis(distances, place, axis=2)[:, :, 0]
    good = np.ones_like(first, np.bool_)
    if mutual:
        backward = flat.min(axis=0).reshape(count, longest)
        good = first <= backward[np.arange(count), nearest]
    np.put_along_axis(distances, place, np.float32(FAR), axis=2)
    second = distances.min(axis=2)
    good &= (first < np.float32(ratio * ratio) * second) & (second < FAR)
    matches = []
    for number in range(count):
        rows = np.flatnonzero(good[:, number])
        distance = np.sqrt(np.maximum(first[rows, number], 0)) / np.float32(STEPS)
        matches.append(Matches(rows, nearest[rows, number], distance))
    return matches


def _query_side(query: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Give ``[-2 q, |q|^2, 1]``, (N, 130)."""
    left = np.ones((len(query), query.shape[1] + 2), np.float32)
    left[:, :-2] = query
    left[:, -2] = np.einsum("nd,nd->n", left[:, :-2], left[:, :-2])
    left[:, :-2] *= -2
    return left


def _candidate_side(candidates: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
    """Give ``[c, 1, |c|^2]`` of each candidate, (C, L, 130), filled up to the longest's length."""
    longest = max(len(candidate) for candidate in candidates)
    right = np.zeros((len(candidates), longest, candidates[0].shape[1] + 2), np.float32)
    right[:, :, -1] = FAR
    for row, candidate in zip(right, candidates, strict=True):
        own = row[: len(candidate)]
        own[:, :-2] = candidate
        own[:, -2] = 1
        own[:, -1] = np.einsum("nd,nd->n", own[:, :-2], own[:, :-2])
    return right


def _blocks(
    candidates: Sequence[NDArray[np.uint8]], columns: int
) -> Iterator[Sequence[NDArray[np.uint8]]]:
    """Cut the candidates into runs that fill up to at most so many columns, or of one."""
    start = 0
    while start < len(candidates):
        end, longest = start, 0
        while end < len(candidates):
            longest = max(longest, len(candidates[end]))
            if end > start and longest * (end - start + 1) > columns:
                break
            end += 1
        yield candidates[start:end]
        start = end


def _none() -> Matches:
    nothing = np.empty(0, np.int64)
    return Matches(nothing, nothing, np.empty(0, np.float32))
