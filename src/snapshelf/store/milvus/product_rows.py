"""Products as rows of Milvus's collection of products, and back."""

import base64
import json
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from snapshelf.catalog.product import Product
from snapshelf.errors import ShelfError
from snapshelf.store.filters import category_key
from snapshelf.store.milvus.expression import NUMBER_FIELDS, department_of, finite
from snapshelf.store.milvus.hashes import (
    attribute_number,
    category_numbers,
    own_number,
)
from snapshelf.store.milvus.schema import LONGEST_ID_KEY, token_room
from snapshelf.store.records import KnownPicture, KnownProduct, ProductRecord
from snapshelf.store.rows import product_body, product_digest, read_product

__all__ = [
    "PRODUCT_FIELDS",
    "StoredProduct",
    "id_key",
    "mark_row",
    "product_rows",
    "read_stored",
    "removal_row",
]

PRODUCT_FIELDS = ("number", "added", "run", "part", "owner", "body")
"""What is read of rows of products."""

PART_CHARACTERS = 60_000
"""Of a product's text in one row."""


@dataclass(frozen=True, slots=True)
class StoredProduct:
    """A product as it is stored.

    Attributes:
        number: Its number; one that is replaced gets another.
        run: The indexing run that stored it.
        known: What tells whether it has changed.
        regions: How many each picture has.
        product: The product itself.
    """

    number: int
    run: int
    known: KnownProduct
    regions: tuple[int, ...]
    product: Product


def id_key(product_id: str) -> str:
    """Write an ID in hexadecimal digits: in an expression, these compare as the IDs' letters do.

    Example:
        >>> id_key("a") < id_key("aa") < id_key("b") < id_key("ä")
        True
    """
    return product_id.encode("utf-8", "surrogatepass").hex()


def _filter_row(product: Product) -> dict[str, Any]:
    """Give the fields that filters are about."""
    key = category_key(product.category)
    price = product.price
    values = {
        "id": product.id,
        "brand": product.brand,
        "currency": "" if price is None else price.currency,
        "availability": product.availability or "",
    }
    named = [attribute_number(name) for name in product.attributes]
    valued = [attribute_number(name, value) for name, value in product.attributes.items()]
    tokens = [*named, *valued]
    if len(tokens) > token_room():
        raise ShelfError(
            f"product {product.id!r} has {len(named):,} attributes, and a shelf in Milvus takes "
            f"{token_room() // 2:,}: leave some out of the feed"
        )
    return {
        **{NUMBER_FIELDS[name]: own_number(name, value) for name, value in values.items()},
        "department": department_of(key),
        "priced": price is not None,
        "price": 0.0 if price is None else finite(float(price.amount)),
        "tokens": [*category_numbers(key), *tokens],
    }


def product_rows(
    record: ProductRecord, regions: Sequence[int], *, numbers: Iterable[int], version: int, run: int
) -> list[dict[str, Any]]:
    """Write a product as rows: one, and more where its text is long.

    Args:
        record: The product; each picture in it once.
        regions: How many each picture has.
        numbers: Numbers that nothing has been called by; the first becomes the product's.
        version: Of the batch.
        run: The indexing run that saw it.
    """
    product = record.product
    body = json.dumps(
        [
            product.id,
            product_digest(product),
            product_body(product),
            [[p.source, p.signature, p.content] for p in record.pictures],
            list(regions),
        ]
    )
    text = base64.b64encode(zlib.compress(body.encode(), 1)).decode()
    numbers = iter(numbers)
    fields, owner = _own_fields(product, regions), 0
    rows = []
    for part, start in enumerate(range(0, len(text), PART_CHARACTERS)):
        number = next(numbers)
        owner = owner or number
        rows.append(
            {
                "number": number,
                "vector": [0.0, 0.0],
                "added": version,
                "run": run,
                "part": part,
                "owner": owner,
                "body": text[start : start + PART_CHARACTERS],
                **fields,
            }
        )
    return rows


def mark_row(number: int, product: int, *, run: int) -> dict[str, Any]:
    """Write a row that says that an indexing run has seen a product.

    Args:
        number: Of the row; one that nothing has been called by.
        product: Number of the product.
        run: The indexing run.
    """
    return {**_NO_PRODUCT, "number": number, "run": run, "part": -1, "owner": product}


def removal_row(number: int, products: Sequence[int], *, since: int) -> dict[str, Any]:
    """Write a row that says that products were removed.

    Args:
        number: Of the row; one that nothing has been called by.
        products: Numbers of the products, at most as many as a row has tokens.
        since: When that was noted, in seconds since 1970.
    """
    return {**_NO_PRODUCT, "number": number, "run": since, "part": -2, "tokens": list(products)}


_NO_PRODUCT: Mapping[str, Any] = {
    "vector": [0.0, 0.0],
    "added": 0,
    "owner": 0,
    "bare": 0,
    "category": 0,
    "id_key": "",
    "body": "",
    "identity": 0,
    "brand": 0,
    "currency": 0,
    "availability": 0,
    "department": 0,
    "priced": False,
    "price": 0.0,
    "tokens": [],
}
"""A row of the collection of products that is none."""


def read_stored(rows: Iterable[Mapping[str, Any]]) -> dict[str, StoredProduct]:
    """Read back what `product_rows` wrote, by product ID."""
    parts: dict[int, list[tuple[int, str]]] = {}
    runs: dict[int, int] = {}
    for row in rows:
        parts.setdefault(row["owner"], []).append((row["part"], row["body"]))
        runs[row["owner"]] = row["run"]
    stored = {}
    for number, texts in parts.items():
        text = "".join(body for _, body in sorted(texts))
        try:
            name, digest, body, pictures, regions = json.loads(
                zlib.decompress(base64.b64decode(text))
            )
        except (ValueError, zlib.error) as error:
            raise ShelfError(
                f"the shelf is damaged: product number {number} cannot be read ({error}); index "
                "the feed into a new shelf"
            ) from error
        known = KnownProduct(digest, tuple(KnownPicture(*picture) for picture in pictures))
        stored[name] = StoredProduct(
            number, runs[number], known, tuple(regions), read_product(name, body)
        )
    return stored


def _own_fields(product: Product, regions: Sequence[int]) -> dict[str, Any]:
    """Give the fields that products are filtered, counted and put in order by."""
    key = id_key(product.id)
    if len(key) > LONGEST_ID_KEY:
        raise ShelfError(
            f"product {product.id[:80]!r}: its ID takes {len(key) // 2:,} bytes, and a shelf in "
            f"Milvus takes {LONGEST_ID_KEY // 2:,}: give it a shorter one in the feed"
        )
    return {
        **_filter_row(product),
        "bare": sum(not count for count in regions),
        "category": category_numbers(category_key(product.category))[-1],
        "id_key": key,
    }
