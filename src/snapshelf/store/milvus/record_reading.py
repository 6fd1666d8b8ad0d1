"""Reading products with all that was stored with them."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from snapshelf.store.milvus.connection import Connection
from snapshelf.store.milvus.descriptions import Descriptions
from snapshelf.store.milvus.embedding_rows import Located, located_in
from snapshelf.store.milvus.head import Head
from snapshelf.store.milvus.paging import every_row
from snapshelf.store.milvus.product_rows import StoredProduct
from snapshelf.store.milvus.reading import read_numbered, rows_of_products
from snapshelf.store.milvus.visibility import products_of
from snapshelf.store.records import PictureRecord, ProductRecord, StoredRecords

__all__ = ["read_records"]


def read_records(
    connection: Connection, descriptions: Descriptions, head: Head, after: int, most: int
) -> StoredRecords:
    """Read products, by rising number, with their pictures.

    Args:
        connection: To the server.
        descriptions: Of the shelf's regions.
        head: The state.
        after: Those of larger numbers than this.
        most: At most so many.
    """
    first = products_of(head, None, "part == 0")
    blocks = every_row(connection, head, head.products, "number", first, (), after=after, most=most)
    numbers = [int(row["number"]) for row in next(blocks, [])]
    if not numbers:
        return StoredRecords((), 0)
    products = sorted(read_numbered(connection, head, numbers), key=lambda one: one.number)
    located = _located(connection, head, products)
    texts = {
        (place, row): text
        for place, each in located.items()
        for row, text in enumerate(each.described)
        if text
    }
    bodies = descriptions.bodies(head, dict(enumerate(texts.values())))
    found = {place: bodies[n] for n, place in enumerate(texts) if n in bodies}
    return StoredRecords(
        tuple(_record(one, head.dimension, located, found) for one in products), numbers[-1]
    )


def _located(
    connection: Connection, head: Head, products: list[StoredProduct]
) -> dict[tuple[int, str], Located]:
    """Read what the pictures of products gave, by product number and content."""
    rows: dict[tuple[int, str], list[dict[str, Any]]] = {}
    for block in rows_of_products(connection, head, {p.number: sum(p.regions) for p in products}):
        for row in block:
            rows.setdefault((int(row["product"]), row["content"]), []).append(row)
    located = {}
    for place, own in rows.items():
        # A product may show one content twice, and each time it gave the same.
        first = min(row["position"] for row in own)
        located[place] = located_in([row for row in own if row["position"] == first])
    return located


def _record(
    stored: StoredProduct,
    dimension: int,
    located: Mapping[tuple[int, str], Located],
    bodies: Mapping[tuple[tuple[int, str], int], bytes],
) -> ProductRecord:
    """Put together a product as it would be stored anew."""
    nothing = Located((), np.empty((0, dimension), np.float32), (), ())
    pictures = []
    for picture in stored.known.pictures:
        place = (stored.number, picture.content)
        each = located.get(place, nothing)
        keys = [(place, row) for row in range(len(each.regions))]
        described = tuple(bodies[key] for key in keys if key in bodies)
        pictures.append(
            PictureRecord(
                picture.source,
                picture.signature,
                picture.content,
                each.regions,
                each.vectors,
                described if described and len(described) == len(keys) else None,
            )
        )
    return ProductRecord(stored.product, tuple(pictures))
