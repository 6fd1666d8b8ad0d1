"""What is read of one state of a shelf in Milvus: products, their embeddings, and counts."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from snapshelf.store.filters import Filter
from snapshelf.store.milvus.attributes import check_attributes
from snapshelf.store.milvus.connection import Connection
from snapshelf.store.milvus.embedding_rows import EMBEDDING_FIELDS, read_shown
from snapshelf.store.milvus.hashes import numbers_text, own_number
from snapshelf.store.milvus.head import Head
from snapshelf.store.milvus.paging import NUMBERS_A_QUERY, chunks, every_row, lots
from snapshelf.store.milvus.product_rows import PRODUCT_FIELDS, StoredProduct, read_stored
from snapshelf.store.milvus.visibility import embeddings_of, products_of
from snapshelf.store.records import Counts, StoredEmbeddings

__all__ = [
    "product_rows_of",
    "product_rows_owned",
    "read_counts",
    "read_embeddings",
    "read_numbered",
    "read_products",
    "rows_of_products",
]

REGIONS_A_QUERY = 4_000


def product_rows_of(
    connection: Connection, head: Head, product_ids: Sequence[str]
) -> list[dict[str, Any]]:
    """Read the rows of products by ID; those not there are left out."""
    numbers = [own_number("id", name) for name in dict.fromkeys(product_ids)]
    return _product_rows(connection, head, "identity", numbers)


def product_rows_owned(
    connection: Connection, head: Head, numbers: Sequence[int]
) -> list[dict[str, Any]]:
    """Read the rows of products by number; those not there are left out."""
    return _product_rows(connection, head, "owner", numbers)


def read_products(
    connection: Connection, head: Head, product_ids: Sequence[str]
) -> dict[str, StoredProduct]:
    """Read products; those not there are left out."""
    stored = read_stored(product_rows_of(connection, head, product_ids))
    # Another product may have the same number in place of its ID, if hardly ever.
    return {name: stored[name] for name in dict.fromkeys(product_ids) if name in stored}


def read_numbered(
    connection: Connection, head: Head, numbers: Sequence[int]
) -> list[StoredProduct]:
    """Read products by number, in no order; those not there are left out."""
    return list(read_stored(product_rows_owned(connection, head, numbers)).values())


def rows_of_products(
    connection: Connection, head: Head, regions: Mapping[int, int]
) -> Iterator[list[dict[str, Any]]]:
    """Read the rows of embeddings of products, in blocks.

    Args:
        connection: To the server.
        head: The state.
        regions: How many each product has, by its number.
    """
    name, fields = head.embeddings, EMBEDDING_FIELDS
    for numbers in lots(regions, REGIONS_A_QUERY):
        expression = f"product in {numbers_text(numbers)}"
        if sum(regions[number] for number in numbers) <= REGIONS_A_QUERY:
            yield connection.query(name, expression, fields, head.timestamp)
        else:
            yield from every_row(connection, head, name, "region", expression, fields)


def read_counts(connection: Connection, head: Head, where: Filter | None) -> Counts:
    """Count products that pass a filter, their pictures and embeddings, all within Milvus.

    Raises:
        FilterError: If the filter names an attribute that no product has.
    """
    if where is None:
        return head.counts
    check_attributes(connection, head, where)
    first = products_of(head, where, "part == 0")
    products = connection.count(head.products, first, head.timestamp)
    if not products:
        return Counts(0, 0, 0)
    passing = embeddings_of(head, where)
    embeddings = connection.count(head.embeddings, passing, head.timestamp)
    # A picture has one first region, but where it has none at all: that is noted by its product.
    shown = embeddings_of(head, where, "part == 0")
    pictures = connection.count(head.embeddings, shown, head.timestamp)
    least, more = 1, products
    while more:  # products with at least one such picture, and those with at least two, and so on
        more = connection.count(head.products, f"{first} and bare >= {least}", head.timestamp)
        pictures, least = pictures + more, least + 1
    return Counts(products, pictures, embeddings)


def read_embeddings(
    connection: Connection, head: Head, where: Filter | None, *, main: bool
) -> StoredEmbeddings:
    """Read the embeddings of the products that pass a filter, by rising region number.

    Raises:
        FilterError: If the filter names an attribute that no product has.
    """
    check_attributes(connection, head, where)
    expression = embeddings_of(head, where, "position == 0" if main else "")
    vectors = [np.empty((0, head.dimension), np.float32)]
    products, images, contents = [], [], []
    for rows in every_row(
        connection, head, head.embeddings, "region", expression, ("shows", "content", "vector")
    ):
        vectors.append(np.array([row["vector"] for row in rows], np.float32))
        for row in rows:
            shown = read_shown(row["shows"])
            products.append(shown.product_id)
            images.append(shown.source)
            contents.append(row["content"])
    return StoredEmbeddings(
        np.concatenate(vectors), tuple(products), tuple(images), tuple(contents)
    )


def _product_rows(
    connection: Connection, head: Head, field: str, numbers: Sequence[int]
) -> list[dict[str, Any]]:
    rows = []
    for chunk in chunks(numbers, NUMBERS_A_QUERY):
        expression = products_of(head, None, f"{field} in {numbers_text(chunk)}")
        rows += connection.query(head.products, expression, PRODUCT_FIELDS, head.timestamp)
    return rows
