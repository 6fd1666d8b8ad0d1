"""The SQL that counts a shelf's products by category, brand and currency."""

import sqlite3

from snapshelf.catalog.product import Product
from snapshelf.store.filters import Filter
from snapshelf.store.reading import condition_sql
from snapshelf.store.records import CategoryFacet, Facets, PriceFacet
from snapshelf.store.rows import read_product

__all__ = ["read_facets"]


def read_facets(db: sqlite3.Connection, most: int, where: Filter | None) -> Facets:
    """Count the products that pass a filter by what they can be told apart by.

    Keys are folded, so the names are those of the product that was stored first.

    Args:
        db: Inside a transaction.
        most: Largest number of each.
        where: The filter, None for all products.

    Raises:
        FilterError: If the filter names an attribute that no product has.
    """
    sql, values = condition_sql(db, where)
    (products,) = db.execute(f"SELECT count(*) FROM product WHERE {sql}", values).fetchone()

    def groups(key: str, condition: str) -> list[tuple[Product, int, float, float]]:
        rows = db.execute(
            f"SELECT count(*) AS size, min(number), min(price), max(price) FROM product"
            f" WHERE {condition} AND ({sql}) GROUP BY {key} ORDER BY size DESC, {key} LIMIT ?",
            [*values, most],
        ).fetchall()
        return [
            (_product(db, number), size, least, highest) for size, number, least, highest in rows
        ]

    return Facets(
        products=products,
        categories=tuple(
            CategoryFacet(product.category, size, product.id)
            for product, size, *_ in groups("category_key", "category_key != ''")
        ),
        brands=tuple(
            (product.brand, size) for product, size, *_ in groups("brand_key", "brand_key != ''")
        ),
        prices=tuple(
            PriceFacet(product.price.currency, size, least, highest)
            for product, size, least, highest in groups("currency_key", "price IS NOT NULL")
            if product.price is not None
        ),
    )


def _product(db: sqlite3.Connection, number: int) -> Product:
    row = db.execute("SELECT id, body FROM product WHERE number = ?", (number,)).fetchone()
    return read_product(*row)
