"""What a shelf in Milvus has to sell, page by page.

Milvus gives rows in no order, so all products that pass the filter are read, a block at a time;
only what is given is kept.
"""

import heapq
from collections.abc import Iterator, Sequence
from typing import Any

from snapshelf.catalog.product import Product
from snapshelf.store.filters import Filter
from snapshelf.store.milvus.attributes import check_attributes
from snapshelf.store.milvus.connection import Connection
from snapshelf.store.milvus.head import Head
from snapshelf.store.milvus.paging import every_row
from snapshelf.store.milvus.rows import PRODUCT_FIELDS, StoredProduct, read_stored
from snapshelf.store.milvus.visibility import products_of
from snapshelf.store.words import holds_words

__all__ = ["every_product", "list_products"]


def list_products(
    connection: Connection,
    head: Head,
    after: str,
    limit: int,
    where: Filter | None,
    words: Sequence[str],
) -> list[Product]:
    """Read products in the order of their IDs; see `VectorStore.listed`.

    Args:
        connection: To the server.
        head: The state.
        after: Only products whose ID comes behind it.
        limit: Most products.
        where: The filter, None for all products.
        words: As for `holds_words`.

    Raises:
        FilterError: If the filter names an attribute that no product has.
    """
    wanted = (
        stored.product
        for stored in every_product(connection, head, where)
        if stored.product.id > after and holds_words(stored.product, words)
    )
    return heapq.nsmallest(limit, wanted, key=lambda product: product.id)


def every_product(
    connection: Connection, head: Head, where: Filter | None
) -> Iterator[StoredProduct]:
    """Read the products that pass a filter, in the order of their numbers."""
    check_attributes(connection, head, where)
    expression = products_of(head, where)
    # The rows of a product follow one another; a block may end among them.
    begun = list[dict[str, Any]]()
    for block in every_row(connection, head, head.products, "number", expression, PRODUCT_FIELDS):
        rows = [*begun, *block]
        begun = [row for row in rows if row["owner"] == rows[-1]["owner"]]
        yield from read_stored(rows[: len(rows) - len(begun)]).values()
    yield from read_stored(begun).values()
