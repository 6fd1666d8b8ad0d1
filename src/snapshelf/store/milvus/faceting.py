"""What a shelf in Milvus has to sell, by category, brand and currency.

Milvus counts by no field, so a few numbers of each product that passes the filter are read, a block
at a time. Only a count for each name is kept, and the products that names are taken from are read.
"""

import heapq
import math
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from snapshelf.catalog.product import Product
from snapshelf.store.filters import Filter, category_key
from snapshelf.store.milvus.attributes import check_attributes
from snapshelf.store.milvus.connection import Connection
from snapshelf.store.milvus.hashes import category_numbers, own_number
from snapshelf.store.milvus.head import Head
from snapshelf.store.milvus.paging import NUMBERS_A_QUERY, chunks, every_row
from snapshelf.store.milvus.reading import read_numbered
from snapshelf.store.milvus.visibility import products_of
from snapshelf.store.records import CategoryFacet, Facets, PriceFacet

__all__ = ["read_facets"]

FIELDS = ("number", "category", "brand", "currency", "priced", "price")

NO_CATEGORY = category_numbers("")[-1]
NO_BRAND = own_number("brand", "")


@dataclass(slots=True)
class _Group:
    """Products that have something in common.

    Attributes:
        first: Number of the one that was stored first.
        size: How many they are.
        least: The lowest price among them, in a group of one currency.
        most: The highest.
    """

    first: int
    size: int = 0
    least: float = math.inf
    most: float = -math.inf


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
    check_attributes(connection, head, where)
    products, categories, brands, currencies = _group(connection, head, where)

    def largest(
        groups: dict[int, _Group], key: Callable[[Product], str]
    ) -> list[tuple[_Group, Product]]:
        return _largest(connection, head, groups, most, key)

    return Facets(
        products=products,
        categories=tuple(
            CategoryFacet(product.category, group.size, product.id)
            for group, product in largest(categories, lambda one: category_key(one.category))
        ),
        brands=tuple(
            (product.brand, group.size)
            for group, product in largest(brands, lambda one: one.brand.casefold())
        ),
        prices=tuple(
            PriceFacet(
                product.price.currency, group.size, _amount(group.least), _amount(group.most)
            )
            for group, product in largest(currencies, _currency)
            if product.price is not None
        ),
    )


def _group(
    connection: Connection, head: Head, where: Filter | None
) -> tuple[int, dict[int, _Group], dict[int, _Group], dict[int, _Group]]:
    """Count products, and put them in groups by category, brand and currency."""
    products = 0
    categories: dict[int, _Group] = {}
    brands: dict[int, _Group] = {}
    currencies: dict[int, _Group] = {}
    passing = products_of(head, where, "part == 0")
    for block in every_row(connection, head, head.products, "number", passing, FIELDS):
        products += len(block)
        for row in block:
            number = int(row["number"])
            if row["category"] != NO_CATEGORY:
                categories.setdefault(row["category"], _Group(number)).size += 1
            if row["brand"] != NO_BRAND:
                brands.setdefault(row["brand"], _Group(number)).size += 1
            if row["priced"]:
                group = currencies.setdefault(row["currency"], _Group(number))
                group.size += 1
                group.least = min(group.least, row["price"])
                group.most = max(group.most, row["price"])
    return products, categories, brands, currencies


def _largest(
    connection: Connection,
    head: Head,
    groups: dict[int, _Group],
    most: int,
    key: Callable[[Product], str],
) -> list[tuple[_Group, Product]]:
    """Give the largest groups, those of one size by their key, each with its first product."""
    sizes = heapq.nlargest(most, (group.size for group in groups.values()))
    chosen = {group.first: group for group in groups.values() if group.size >= sizes[-1]}

    def named() -> Iterator[tuple[_Group, Product]]:
        for numbers in chunks(list(chosen), NUMBERS_A_QUERY):
            for one in read_numbered(connection, head, numbers):
                yield chosen[one.number], one.product

    return heapq.nsmallest(most, named(), key=lambda found: (-found[0].size, key(found[1])))


def _currency(product: Product) -> str:
    return "" if product.price is None else product.price.currency.casefold()


def _amount(price: float) -> float:
    """Undo what `finite` did to a price beyond all numbers."""
    return math.copysign(math.inf, price) if abs(price) == sys.float_info.max else price
