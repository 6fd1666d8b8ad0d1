"""What a shelf in Milvus has to sell, page by page and by category, brand and currency.

Milvus gives rows in no order and counts by no field, so all products that pass the filter are read,
a block at a time; only what is given, and a count for each name, is kept.
"""

import heapq
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from snapshelf.catalog.product import Product
from snapshelf.store.filters import Filter, category_key
from snapshelf.store.milvus.connection import Connection
from snapshelf.store.milvus.head import Head
from snapshelf.store.milvus.reading import check_attributes, every_row, product_expression
from snapshelf.store.milvus.rows import PRODUCT_FIELDS, StoredProduct, read_stored
from snapshelf.store.records import CategoryFacet, Facets, PriceFacet
from snapshelf.store.words import holds_words

__all__ = ["list_products", "read_facets"]


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
        for stored in _stored(connection, head, where)
        if stored.product.id > after and holds_words(stored.product, words)
    )
    return heapq.nsmallest(limit, wanted, key=lambda product: product.id)


@dataclass(slots=True)
class _Group:
    """Products that have something in common.

    Attributes:
        first: Number of the one that was stored first.
        product: That one.
        size: How many they are.
        least: The lowest price among them.
        most: The highest.
    """

    first: int
    product: Product
    size: int = 0
    least: float = float("inf")
    most: float = float("-inf")


class _Groups:
    """Products by a key; those whose key is None are in no group."""

    def __init__(self, key: Callable[[Product], str | None]) -> None:
        self._key = key
        self._groups: dict[str, _Group] = {}

    def add(self, stored: StoredProduct) -> None:
        product = stored.product
        key = self._key(product)
        if key is None:
            return
        group = self._groups.setdefault(key, _Group(stored.number, product))
        if stored.number < group.first:
            group.first, group.product = stored.number, product
        group.size += 1
        if product.price is not None:
            price = float(product.price.amount)
            group.least, group.most = min(group.least, price), max(group.most, price)

    def largest(self, most: int) -> list[_Group]:
        ranked = sorted(self._groups.items(), key=lambda item: (-item[1].size, item[0]))
        return [group for _, group in ranked[:most]]


def read_facets(connection: Connection, head: Head, most: int, where: Filter | None) -> Facets:
    """Count the products that pass a filter by what they can be told apart by.

    Args:
        connection: To the server.
        head: The state.
        most: Largest number of each.
        where: The filter, None for all products.

    Raises:
        FilterError: If the filter names an attribute that no product has.
    """
    products = 0
    categories = _Groups(lambda product: category_key(product.category) or None)
    brands = _Groups(lambda product: product.brand.casefold() or None)
    currencies = _Groups(
        lambda product: None if product.price is None else product.price.currency.casefold()
    )
    for stored in _stored(connection, head, where):
        products += 1
        for groups in (categories, brands, currencies):
            groups.add(stored)
    return Facets(
        products=products,
        categories=tuple(
            CategoryFacet(group.product.category, group.size, group.product.id)
            for group in categories.largest(most)
        ),
        brands=tuple((group.product.brand, group.size) for group in brands.largest(most)),
        prices=tuple(
            PriceFacet(group.product.price.currency, group.size, group.least, group.most)
            for group in currencies.largest(most)
            if group.product.price is not None
        ),
    )


def _stored(connection: Connection, head: Head, where: Filter | None) -> Iterator[StoredProduct]:
    """Read the products that pass a filter, in the order of their numbers."""
    if where is not None:
        check_attributes(connection, head, where)
    expression = product_expression(head, where)
    # The rows of a product follow one another; a block may end among them.
    begun = list[dict[str, Any]]()
    for block in every_row(connection, head, head.products, "number", expression, PRODUCT_FIELDS):
        rows = [*begun, *block]
        begun = [row for row in rows if row["owner"] == rows[-1]["owner"]]
        yield from read_stored(rows[: len(rows) - len(begun)]).values()
    yield from read_stored(begun).values()
