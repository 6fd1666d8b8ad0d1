"""Whether any product has the attributes that a filter names."""

from snapshelf.store.checks import unknown_attribute
from snapshelf.store.filters import OWN_FIELDS, Filter
from snapshelf.store.milvus.connection import Connection
from snapshelf.store.milvus.hashes import attribute_number
from snapshelf.store.milvus.head import Head
from snapshelf.store.milvus.product_rows import PRODUCT_FIELDS, read_stored
from snapshelf.store.milvus.visibility import products_of

__all__ = ["check_attributes"]

NAMES_FROM = 1_000
"""Attributes are told by name, in an error, as found in so many rows of products."""


def check_attributes(connection: Connection, head: Head, where: Filter | None) -> None:
    """Refuse a filter that names an attribute that no product has.

    Args:
        connection: To the server.
        head: The state.
        where: The filter, None for all products.

    Raises:
        FilterError: Which tells what attributes there are.
    """
    for name in dict.fromkeys(() if where is None else (c.field for c in where.conditions)):
        if name in OWN_FIELDS:
            continue
        having = products_of(head, None, f"array_contains(tokens, {attribute_number(name)})")
        if not connection.query(head.products, having, ("number",), head.timestamp, limit=1):
            raise unknown_attribute(name, _some_names(connection, head))


def _some_names(connection: Connection, head: Head) -> list[str]:
    rows = connection.query(
        head.products, products_of(head), PRODUCT_FIELDS, head.timestamp, limit=NAMES_FROM
    )
    whole = {row["owner"] for row in rows if row["part"] == 0}
    stored = read_stored(row for row in rows if row["owner"] in whole)
    return sorted({n.casefold() for one in stored.values() for n in one.product.attributes})
