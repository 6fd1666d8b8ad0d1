"""Distances between embeddings, and the similarity that each of them is taken for.

Tang, Huang, Fuh: Cross-Domain Beauty and Personal Care Product Retrieval, equations 6 to 8. Of
equation 6 the printed norm has lost its index; by the text beside it, it is the L1 norm.

Everything else speaks of similarities: larger is more alike. For L2-normalised embeddings of length
D the three become, with u and v as a query and an item,

==========  =======================  ==================================
distance    similarity               in words
==========  =======================  ==================================
``cosine``  ``1 - d = u . v``        the cosine itself
``l2``      ``1 - d ** 2 / 2``       which is ``u . v`` again
``l1``      ``1 - d / sqrt(D)``      ``d`` is at most ``2 * sqrt(D)``
==========  =======================  ==================================

all in [-1, 1], and the further apart the smaller. Cosine and L2 so rank alike, as in the paper's
tables, and share one index.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "DISTANCES",
    "Distance",
    "check_distance",
    "compare_embeddings",
    "cosine_distances",
    "distances_to_similarities",
    "l1_distances",
    "l2_distances",
]

Distance = Literal["cosine", "l1", "l2"]
"""How embeddings are compared."""

FloatArray = NDArray[np.float32]

HELD = 2**20
"""Most numbers (8 MiB of float64) of a block of the gallery, and of its products."""

CACHED = 2**17
"""Most numbers (512 KiB of float32) of the queries that are compared by L1 distance at a time."""


def check_distance(name: str) -> Distance:
    """Take a distance by its name.

    Raises:
        ValueError: If there is none of that name.
    """
    for distance in get_args(Distance):
        if name == distance:
            return distance  # type: ignore[no-any-return]
    raise ValueError(f"distance must be one of {', '.join(get_args(Distance))}, got {name!r}")


def l1_distances(queries: FloatArray, gallery: FloatArray) -> FloatArray:
    """Sum the absolute differences, equation 6.

    Args:
        queries: (Q, D) float32.
        gallery: (G, D) float32.

    Returns:
        (Q, G) float32, from 0.

    Raises:
        ValueError: If the arrays are not two-dimensional, or differ in D.

    Example:
        >>> l1_distances(np.float32([[1, 0]]), np.float32([[0, 1], [1, -1]])).tolist()
        [[2.0, 1.0]]
    """
    _check(queries, gallery)
    if not (len(queries) and len(gallery) and queries.shape[1]):
        return np.zeros((len(queries), len(gallery)), np.float32)
    import faiss

    found = np.empty((len(queries), len(gallery)), np.float32)
    # faiss takes its first argument's rows one by one through all of the second: those of the
    # gallery, then, through as many queries as stay in the processor's cache.
    side = max(1, min(len(queries), CACHED // queries.shape[1]))
    width = max(1, HELD // side)
    for row in range(0, len(queries), side):
        some = np.ascontiguousarray(queries[row : row + side], np.float32)
        for column in range(0, len(gallery), width):
            others = np.ascontiguousarray(gallery[column : column + width], np.float32)
            turned = faiss.pairwise_distances(others, some, faiss.METRIC_L1)
            found[row : row + side, column : column + width] = turned.T
    return found


def l2_distances(queries: FloatArray, gallery: FloatArray) -> FloatArray:
    """Take the straight-line distance, equation 7.

    Args:
        queries: (Q, D) float32.
        gallery: (G, D) float32.

    Returns:
        (Q, G) float32, from 0.

    Raises:
        ValueError: If the arrays are not two-dimensional, or differ in D.

    Example:
        >>> l2_distances(np.float32([[3, 0]]), np.float32([[0, 4], [3, 0]])).tolist()
        [[5.0, 0.0]]
    """
    _check(queries, gallery)
    found = np.empty((len(queries), len(gallery)), np.float32)
    for rows, columns in _blocks(queries, gallery):
        # Differences of large numbers that are nearly equal: float32 would lose the small ones.
        some, others = queries[rows].astype(np.float64), gallery[columns].astype(np.float64)
        squares = (some**2).sum(1)[:, np.newaxis] + (others**2).sum(1) - 2 * (some @ others.T)
        found[rows, columns] = np.sqrt(np.maximum(squares, 0))
    return found


def cosine_distances(queries: FloatArray, gallery: FloatArray) -> FloatArray:
    """Take 1 less the cosine of the angle between two vectors, equation 8.

    Args:
        queries: (Q, D) float32.
        gallery: (G, D) float32.

    Returns:
        (Q, G) float32, in [0, 2]; 1 where a vector is zero and has no angle.

    Raises:
        ValueError: If the arrays are not two-dimensional, or differ in D.

    Example:
        >>> cosine_distances(np.float32([[2, 0]]), np.float32([[0, 3], [1, 0], [-1, 0]])).tolist()
        [[1.0, 0.0, 2.0]]
    """
    _check(queries, gallery)
    found = np.empty((len(queries), len(gallery)), np.float32)
    for rows, columns in _blocks(queries, gallery):
        cosines = _unit(queries[rows]) @ _unit(gallery[columns]).T
        found[rows, columns] = np.clip(1 - cosines, 0, 2)
    return found


DISTANCES: Mapping[Distance, Callable[[FloatArray, FloatArray], FloatArray]] = {
    "cosine": cosine_distances,
    "l1": l1_distances,
    "l2": l2_distances,
}
"""The distances by name."""


def distances_to_similarities(
    distances: FloatArray, distance: Distance, dimension: int
) -> FloatArray:
    """Take distances between L2-normalised embeddings for similarities, see the module's table.

    Args:
        distances: Of any shape, float32, from 0.
        distance: What they are.
        dimension: Length D of the embeddings.

    Returns:
        Of the same shape, float32, in [-1, 1] but for rounding; larger is more alike.

    Example:
        >>> distances_to_similarities(np.float32([0, 2, 4]), "l1", 4).tolist()
        [1.0, 0.0, -1.0]
    """
    if distance == "cosine":
        return np.float32(1) - distances
    if distance == "l2":
        return np.float32(1) - distances * distances / np.float32(2)
    return np.float32(1) - distances / np.float32(math.sqrt(dimension))


def compare_embeddings(queries: FloatArray, gallery: FloatArray, distance: Distance) -> FloatArray:
    """Compare L2-normalised embeddings, see the module's table.

    Args:
        queries: (Q, D) float32.
        gallery: (G, D) float32.
        distance: How to compare them.

    Returns:
        (Q, G) float32, in [-1, 1] but for rounding; larger is more alike.
    """
    if distance == "l1":
        found = l1_distances(queries, gallery)
        return distances_to_similarities(found, distance, queries.shape[1])
    return queries @ gallery.T


def _check(queries: FloatArray, gallery: FloatArray) -> None:
    if queries.ndim != 2 or gallery.ndim != 2 or queries.shape[1] != gallery.shape[1]:
        raise ValueError(
            "queries and gallery must have shapes (Q, D) and (G, D), "
            f"got {queries.shape} and {gallery.shape}"
        )


def _blocks(queries: FloatArray, gallery: FloatArray) -> Iterator[tuple[slice, slice]]:
    """Cut the table of queries and gallery into parts that are small, and whose rows are."""
    side = max(1, min(math.isqrt(HELD), HELD // max(1, queries.shape[1])))
    for row in range(0, len(queries), side):
        for column in range(0, len(gallery), side):
            yield slice(row, row + side), slice(column, column + side)


def _unit(vectors: FloatArray) -> NDArray[np.float64]:
    wide = vectors.astype(np.float64)
    lengths = np.linalg.norm(wide, axis=1, keepdims=True)
    return wide / np.where(lengths > 0, lengths, 1)
