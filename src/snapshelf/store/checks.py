"""What every store refuses of what it is given, and how it says so."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from snapshelf.errors import FilterError
from snapshelf.matching.distances import check_distance
from snapshelf.store.filters import OWN_FIELDS
from snapshelf.store.records import PictureRecord, ProductRecord

__all__ = [
    "NAMES_SHOWN",
    "RESERVED",
    "check_at_least_one",
    "check_names",
    "check_new_store",
    "check_records",
    "checked_queries",
    "region_numbers",
    "unknown_attribute",
]

RESERVED = frozenset({"shelf", "dimension", "distance", "version", "index_version"})
"""Properties that the store itself keeps."""

NAMES_SHOWN = 30
"""Attributes that an error tells by name."""

_LARGEST_NUMBER = 2**63 - 1


def check_at_least_one(name: str, value: int) -> None:
    """Refuse an argument that is below 1.

    Raises:
        ValueError: If it is.
    """
    if value < 1:
        raise ValueError(f"{name} must be at least 1, got {value}")


def check_names(properties: Iterable[str]) -> None:
    """Refuse names of properties that the store itself keeps.

    Raises:
        ValueError: If one is in `RESERVED`.
    """
    if taken := RESERVED.intersection(properties):
        raise ValueError(f"the property {min(taken)!r} is kept by the store, give another name")


def check_new_store(dimension: int, distance: str, properties: Mapping[str, str]) -> None:
    """Refuse what no store can be made with.

    Raises:
        ValueError: If `dimension` is below 1, there is no such distance, or a property has a name
            of `RESERVED`.
    """
    check_at_least_one("dimension", dimension)
    check_distance(distance)
    check_names(properties)


def check_records(records: Iterable[ProductRecord], dimension: int) -> None:
    """Refuse pictures that do not hold one finite embedding for each of their regions.

    Args:
        records: What is to be stored.
        dimension: Length D of an embedding.

    Raises:
        ValueError: Which names the picture, what was expected and what came.
    """
    for record in records:
        for picture in record.pictures:
            _check_picture(picture, dimension)


def checked_queries(queries: NDArray[np.float32], dimension: int) -> NDArray[np.float32]:
    """Give queries as stores compare them.

    Args:
        queries: (Q, D), of any precision and order in memory.
        dimension: Length D of an embedding.

    Returns:
        (Q, D) float32, one row after the other in memory.

    Raises:
        ValueError: If they have the wrong shape or are not finite.
    """
    _check_shape(queries, dimension, "queries")
    queries = np.ascontiguousarray(_single(queries))
    if not np.isfinite(queries).all():
        raise ValueError("queries must be finite: the encoder gave NaN or infinity")
    return queries


def region_numbers(regions: Iterable[int]) -> list[int]:
    """Give those numbers that a region can have, each once, rising."""
    return sorted({number for number in regions if 0 < number <= _LARGEST_NUMBER})


def unknown_attribute(name: str, attributes: Sequence[str]) -> FilterError:
    """Make the error about a filter that names an attribute that no product has.

    Args:
        name: The attribute.
        attributes: Those that there are; so many are told as are of use.
    """
    known = ", ".join((*sorted(OWN_FIELDS), *attributes[:NAMES_SHOWN]))
    return FilterError(f"filter: no product has an attribute {name!r}; this shelf has: {known}")


def _check_picture(picture: PictureRecord, dimension: int) -> None:
    vectors = picture.embeddings
    if vectors is not None:
        _check_shape(vectors, dimension, f"embeddings of {picture.source!r}")
    if picture.regions is None:
        return
    count = len(picture.regions)
    if vectors is None or len(vectors) != count or not np.isfinite(_single(vectors)).all():
        came = "none" if vectors is None else f"an array of shape {vectors.shape}"
        raise ValueError(
            f"embeddings of {picture.source!r}: expected one finite row for each of "
            f"{count} regions, got {came}"
        )
    if picture.descriptions is not None and len(picture.descriptions) != count:
        raise ValueError(
            f"descriptions of {picture.source!r}: expected one for each of "
            f"{count} regions, got {len(picture.descriptions)}"
        )


def _check_shape(array: NDArray[np.float32], dimension: int, name: str) -> None:
    if array.ndim != 2 or array.shape[1] != dimension:
        raise ValueError(f"{name} must have shape (N, {dimension}), got {tuple(array.shape)}")


def _single(array: NDArray[np.float32]) -> NDArray[np.float32]:
    """Give an array in single precision; what is too large for it becomes infinite."""
    with np.errstate(over="ignore"):
        return array.astype(np.float32, copy=False)
