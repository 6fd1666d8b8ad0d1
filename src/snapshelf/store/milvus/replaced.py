"""What there is of products that a commit replaces or removes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from snapshelf.store.milvus.connection import Connection
from snapshelf.store.milvus.head import Head
from snapshelf.store.milvus.product_rows import read_stored
from snapshelf.store.milvus.reading import (
    product_rows_of,
    product_rows_owned,
    rows_of_products,
)
from snapshelf.store.records import Counts

__all__ = ["Replaced", "replaced_by_id", "replaced_by_number"]


@dataclass(frozen=True, slots=True, eq=False)
class Replaced:
    """Stored products that a batch replaces or removes.

    Attributes:
        regions: How many each has, by its number.
        rows: Keys of all their rows of products.
        counts: What they are and hold.
        empty: Contents of their pictures that have no region.
        embeddings: Their rows of embeddings.
    """

    regions: Mapping[int, int]
    rows: tuple[int, ...]
    counts: Counts
    empty: frozenset[str]
    embeddings: Sequence[Mapping[str, Any]]


def replaced_by_id(connection: Connection, head: Head, product_ids: Sequence[str]) -> Replaced:
    """Read what there is of products; those not there are left out."""
    rows = product_rows_of(connection, head, product_ids)
    return _replaced(connection, head, rows, set(product_ids))


def replaced_by_number(connection: Connection, head: Head, numbers: Sequence[int]) -> Replaced:
    """Read what there is of products, given by number; those not there are left out."""
    return _replaced(connection, head, product_rows_owned(connection, head, numbers), None)


def _replaced(
    connection: Connection, head: Head, rows: Sequence[dict[str, Any]], wanted: set[str] | None
) -> Replaced:
    stored = [one for name, one in read_stored(rows).items() if wanted is None or name in wanted]
    regions = {one.number: sum(one.regions) for one in stored}
    empty = {
        picture.content
        for one in stored
        for picture, count in zip(one.known.pictures, one.regions, strict=True)
        if not count
    }
    return Replaced(
        regions,
        tuple(int(row["number"]) for row in rows if row["owner"] in regions),
        Counts(len(stored), sum(len(one.regions) for one in stored), sum(regions.values())),
        frozenset(empty),
        [row for block in rows_of_products(connection, head, regions) for row in block],
    )
