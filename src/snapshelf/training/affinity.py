"""Which items lie nearest each other in the embedding, found in blocks.

This is the affinity map of MTV-CNN as far as its hard negatives need it: the set of each item's
nearest items. Neither the distances nor the sets of all items are ever held at once, so that
100,000 items take as little memory as a thousand.
"""

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

__all__ = ["nearest_items", "pool_size"]

HELD = 2**22
"""Most distances held at a time (16 MiB of float32), if one item needs no more."""

LARGEST = 1e18
"""Longest embedding whose squared distances float32 holds (up to 3.4e38), with room to spare."""

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.int64]


def pool_size(items: int, share: float) -> int:
    """Say how many of the other items a share of them is.

    Args:
        items: How many items there are, at least 2.
        share: In (0, 1], such as 0.4 for the nearest 40 %.

    Returns:
        ``share * (items - 1)`` rounded to a whole number, and at least 1.

    Raises:
        ValueError: If there are fewer than two items or the share is out of range.
    """
    _require_two(items)
    if not 0 < share <= 1:
        raise ValueError(f"share must be in (0, 1], got {share}")
    return max(round(share * (items - 1)), 1)


def nearest_items(
    embeddings: NDArray[np.floating], count: int, *, block: int | None = None
) -> Iterator[tuple[int, IntArray]]:
    """Find the items nearest to each item, itself not counted, block after block.

    Exact: each item is compared with every other by Euclidean distance, in float32. Of items at
    the same distance those of lower number come first.

    Args:
        embeddings: (N, D) floating and finite, N >= 2.
        count: How many to find for each item, in [1, N).
        block: Items at a time; None for as many as `HELD` distances allow.

    Yields:
        The number of the first item of a block, and for it and the following ones (b, count)
        int64: the numbers of the items nearest to each, in ascending order. (A set, that is:
        which of them is the nearest is not said.)

    Raises:
        ValueError: If the embeddings are not as above or too large for float32, or `count` or
            `block` is out of range. Raised at once, before the first block is asked for.
    """
    points = _centred(embeddings)
    items = len(points)
    if not 1 <= count < items:
        raise ValueError(f"count must be in [1, {items}) for {items} items, got {count}")
    if block is not None and block < 1:
        raise ValueError(f"block must be at least 1, got {block}")
    return _blocks(points, count, block or max(HELD // items, 1))


def _require_two(items: int) -> None:
    if items < 2:
        raise ValueError(
            f"a negative is another product: at least two products are needed, got {items}"
        )


def _centred(embeddings: NDArray[np.floating]) -> FloatArray:
    """Give a copy in float32 whose mean is 0, so that distances lose nothing to an offset."""
    if (
        embeddings.ndim != 2
        or not embeddings.shape[1]
        or not np.issubdtype(embeddings.dtype, np.floating)
    ):
        raise ValueError(
            "embeddings must be (N, D) floating with D >= 1, "
            f"got {embeddings.dtype} of shape {embeddings.shape}"
        )
    _require_two(len(embeddings))
    low, high = float(embeddings.min()), float(embeddings.max())
    if not math.isfinite(low) or not math.isfinite(high):
        broken = np.flatnonzero(~np.isfinite(embeddings).all(axis=1))
        raise ValueError(
            f"embeddings must be finite, got NaN or infinity in {len(broken)} of "
            f"{len(embeddings)} rows, the first is row {broken[0]}; training has diverged"
        )
    if max(-low, high) > LARGEST / math.sqrt(embeddings.shape[1]):
        raise ValueError(f"embeddings are too large for float32 distances: {low:.3g} to {high:.3g}")
    points = embeddings.astype(np.float32)
    points -= embeddings.mean(axis=0, dtype=np.float64).astype(np.float32)
    return points


def _blocks(points: FloatArray, count: int, block: int) -> Iterator[tuple[int, IntArray]]:
    """Do the work of `nearest_items` on what it has checked."""
    squares = np.einsum("nd,nd->n", points, points)
    for start in range(0, len(points), block):
        part = points[start : start + block]
        # Squared distances less the square of the item itself, which changes no order.
        distances = part @ points.T
        distances *= -2
        distances += squares
        rows = np.arange(len(part))
        distances[rows, start + rows] = np.inf
        yield start, _nearest(distances, count)


def _nearest(distances: FloatArray, count: int) -> IntArray:
    """Give the columns of the `count` smallest numbers of each row, (b, count), ascending."""
    rows, items = distances.shape
    limits = np.partition(distances, count - 1, axis=1)[:, count - 1]
    chosen = distances <= limits[:, None]
    surplus = np.count_nonzero(chosen, axis=1) - count
    for row in np.flatnonzero(surplus):
        tied = np.flatnonzero(distances[row] == limits[row])
        chosen[row, tied[-surplus[row] :]] = False
    columns: IntArray = np.flatnonzero(chosen).reshape(rows, count)
    columns -= items * np.arange(rows)[:, None]
    return columns
