"""What a shelf in Milvus has to sell, by category, brand and currency.

Milvus counts by no field, so all products that pass the filter are read, a block at a time; only a
count for each name is kept.
"""

from collections.abc import Callable
from dataclasses import dataclass

from snapshelf.catalog.product import Product
from snapshelf.store.filters import Filter, category_key
from snapshelf.store.milvus.connection import Connection
from snapshelf.store.milvus.head import Head
from snapshelf.store.milvus.listing import every_product
from snapshelf.store.milvus.rows import StoredProduct
from snapshelf.store.records import CategoryFacet, Facets, PriceFacet

__all__ = ["read_facets"]


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
    for stored in every_product(connection, head, where):
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
