"""Products and pictures as rows of Milvus's collections, and back."""

import base64
import json
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snapshelf.catalog.product import Product
from snapshelf.errors import ShelfError
from snapshelf.locating.region import Box, Region
from snapshelf.store.filters import category_key
from snapshelf.store.milvus.expression import OWN_FIELDS, department_of, finite
from snapshelf.store.milvus.hashes import (
    attribute_number,
    category_numbers,
    own_number,
    text_number,
)
from snapshelf.store.milvus.schema import LONGEST_TEXT, token_room
from snapshelf.store.records import KnownPicture, KnownProduct, ProductRecord
from snapshelf.store.rows import product_body, product_digest, read_product

__all__ = [
    "EMBEDDING_FIELDS",
    "PRODUCT_FIELDS",
    "Located",
    "Shown",
    "StoredProduct",
    "embedding_row",
    "filter_row",
    "located_in",
    "mark_row",
    "product_rows",
    "read_shown",
    "read_stored",
]

EMBEDDING_FIELDS = (
    "region", "product", "position", "part", "content", "shows", "described", "block", "vector"
)  # fmt: skip
"""What is read of rows of embeddings whose pictures are taken over."""

PRODUCT_FIELDS = ("number", "added", "run", "part", "owner", "body")
"""What is read of rows of products."""

PART_CHARACTERS = 60_000
"""Of a product's text in one row."""


@dataclass(frozen=True, slots=True, eq=False)
class Located:
    """What a picture's content gave: its regions, wherever else the content is shown.

    Attributes:
        regions: Where the item is.
        vectors: (R, D) float32, one row a region.
        described: R of them, where each region's description is, see `descriptions`.
        blocks: R of them, the numbers of the files that those are in, 0 for none.
    """

    regions: tuple[Region, ...]
    vectors: NDArray[np.float32]
    described: tuple[str, ...]
    blocks: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Shown:
    """What a row of embeddings shows.

    Attributes:
        product_id: The product.
        source: The picture as the feed names it.
        region: Where in it.
    """

    product_id: str
    source: str
    region: Region

    @property
    def box(self) -> Box:
        """The region in pixels."""
        return self.region.box


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


def filter_row(product: Product) -> dict[str, Any]:
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
        **{OWN_FIELDS[name]: own_number(name, value) for name, value in values.items()},
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
    fields, owner = filter_row(product), 0
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
                "pictures": len(record.pictures),
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
    return {
        "number": number,
        "vector": [0.0, 0.0],
        "added": 0,
        "run": run,
        "part": -1,
        "owner": product,
        "pictures": 0,
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


def embedding_row(
    product: Mapping[str, Any],
    shown: Shown,
    content: str,
    *,
    region: int,
    number: int,
    version: int,
    position: int,
    part: int,
    vector: NDArray[np.float32],
    described: str,
    block: int,
) -> dict[str, Any]:
    """Write a region of a picture as a row.

    Args:
        product: What `filter_row` gave of its product.
        shown: What it shows.
        content: Hex digest of the picture's bytes.
        region: Number of the region.
        number: Number of its product.
        version: Of the batch.
        position: Of the picture among the product's.
        part: Of the region among the picture's.
        vector: (D,) float32, its embedding.
        described: Where its description is.
        block: The file that this is in, 0 for none.
    """
    seen = shown.region
    shows = json.dumps(
        [shown.product_id, shown.source, *seen.box, seen.label, seen.confidence],
        ensure_ascii=False,
        separators=(",", ":"),
    )
    for what, text in (("shows", shows), ("content", content)):
        if len(text.encode("utf-8", "surrogatepass")) > LONGEST_TEXT:
            raise ShelfError(
                f"picture {shown.source[:80]!r} of product {shown.product_id!r}: its {what} takes "
                f"more than the {LONGEST_TEXT:,} bytes that Milvus keeps in a field"
            )
    return {
        "region": region,
        "vector": vector,
        "product": number,
        "added": version,
        "position": position,
        "part": part,
        "block": block,
        "content": content,
        "content_number": text_number("content", content),
        "shows": shows,
        "described": described,
        **product,
    }


def read_shown(text: str) -> Shown:
    """Read back what a row of embeddings shows."""
    name, source, x0, y0, x1, y1, label, confidence = json.loads(text)
    return Shown(name, source, Region((x0, y0, x1, y1), label, confidence))


def located_in(rows: Sequence[Mapping[str, Any]]) -> Located:
    """Put together what one picture's rows tell, in the order of its regions."""
    ordered = sorted(rows, key=lambda row: int(row["part"]))
    return Located(
        tuple(read_shown(row["shows"]).region for row in ordered),
        np.array([row["vector"] for row in ordered], np.float32),
        tuple(row["described"] for row in ordered),
        tuple(int(row["block"]) for row in ordered),
    )
