"""The SQL that reads a shelf's database; every function runs inside a transaction."""

import json
import sqlite3
from collections.abc import Iterator, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from snapshelf.catalog.product import Product
from snapshelf.locating.region import Box
from snapshelf.store.checks import NAMES_SHOWN, unknown_attribute
from snapshelf.store.filter_sql import filter_sql
from snapshelf.store.filters import OWN_FIELDS, Filter
from snapshelf.store.records import Counts, KnownPicture, KnownProduct, StoredEmbeddings
from snapshelf.store.rows import read_product
from snapshelf.store.words import holds_words

__all__ = [
    "all_labels",
    "condition_sql",
    "count_changed",
    "count_rows",
    "known_contents",
    "known_products",
    "list_products",
    "matching_products",
    "product_numbers",
    "read_counts",
    "read_descriptions",
    "read_embeddings",
    "read_labels",
    "read_products",
]

V = TypeVar("V")

IDS_A_QUERY = 500

ROWS_AT_A_TIME = 16_384


def known_products(db: sqlite3.Connection, product_ids: Sequence[str]) -> dict[str, KnownProduct]:
    """Read what is remembered of products; unknown ones are left out."""
    known: dict[str, KnownProduct] = {}
    for marks, ids in _chunks(product_ids):
        rows = db.execute(
            "SELECT product.id, product.digest, picture.source, picture.signature,"
            " picture.content FROM product LEFT JOIN picture"
            " ON picture.product = product.number AND picture.removed IS NULL"
            f" WHERE product.id IN ({marks}) ORDER BY picture.position",
            ids,
        )
        for product_id, digest, *picture in rows:
            before = known.get(product_id, KnownProduct(digest, ()))
            pictures = () if picture[0] is None else (KnownPicture(*picture),)
            known[product_id] = KnownProduct(digest, before.pictures + pictures)
    return known


def known_contents(db: sqlite3.Connection, contents: Sequence[str]) -> set[str]:
    """Read which content digests have embeddings (those of removed pictures too)."""
    # A shop may show one stand-in picture for thousands of products: the first is enough.
    return {
        content
        for content in dict.fromkeys(contents)
        if db.execute(
            "SELECT 1 FROM picture WHERE content = ?"
            " AND EXISTS (SELECT 1 FROM region WHERE region.picture = picture.number) LIMIT 1",
            (content,),
        ).fetchone()
    }


def read_products(db: sqlite3.Connection, product_ids: Sequence[str]) -> dict[str, Product]:
    """Read products; those not there are left out."""
    return {
        product_id: read_product(product_id, body)
        for marks, ids in _chunks(product_ids)
        for product_id, body in db.execute(
            f"SELECT id, body FROM product WHERE id IN ({marks})", ids
        )
    }


def list_products(
    db: sqlite3.Connection, after: str, limit: int, where: Filter | None, words: Sequence[str]
) -> list[Product]:
    """Read products in the order of their IDs, by their UTF-8 bytes; see `VectorStore.listed`.

    Raises:
        FilterError: If the filter names an attribute that no product has.
    """
    sql, values = condition_sql(db, where)
    rows = db.execute(
        f"SELECT id, body FROM product WHERE id > ? AND ({sql}) ORDER BY id", [after, *values]
    )
    found: list[Product] = []
    # A product without the words is mostly told by its text as it lies there, five times as fast
    # as by its fields; of a word that JSON writes otherwise that cannot be said.
    plain = [word for word in words if json.dumps(word, ensure_ascii=False)[1:-1] == word]
    for product_id, body in rows:
        if plain:
            text = f"{product_id}\n{body}".casefold()
            if not all(word in text for word in plain):
                continue
        product = read_product(product_id, body)
        if holds_words(product, words):
            found.append(product)
            if len(found) == limit:
                break
    return found


def product_numbers(db: sqlite3.Connection, product_ids: Sequence[str]) -> list[int]:
    """Read the numbers of products; those not there are left out."""
    return [
        number
        for marks, ids in _chunks(product_ids)
        for (number,) in db.execute(f"SELECT number FROM product WHERE id IN ({marks})", ids)
    ]


def read_counts(db: sqlite3.Connection, where: Filter | None) -> Counts:
    """Count products that pass a filter, their pictures and embeddings.

    Raises:
        FilterError: If the filter names an attribute that no product has.
    """
    sql, values = condition_sql(db, where)
    chosen = f"SELECT number FROM product WHERE {sql}"
    (products,) = db.execute(f"SELECT count(*) FROM ({chosen})", values).fetchone()
    (pictures,) = db.execute(
        f"SELECT count(*) FROM picture WHERE removed IS NULL AND product IN ({chosen})", values
    ).fetchone()
    (embeddings,) = db.execute(
        "SELECT count(*) FROM picture JOIN region ON region.picture = picture.number"
        f" WHERE picture.removed IS NULL AND picture.product IN ({chosen})",
        values,
    ).fetchone()
    return Counts(products, pictures, embeddings)


def count_rows(db: sqlite3.Connection) -> int:
    """Count the embeddings that are not removed."""
    (rows,) = db.execute(
        "SELECT count(*) FROM picture JOIN region ON region.picture = picture.number"
        " WHERE picture.removed IS NULL"
    ).fetchone()
    return int(rows)


def count_changed(db: sqlite3.Connection, version: int) -> int:
    """Count the pictures added or removed after a version of the shelf.

    One that came and went counts too: it stays in the database until the next index is built.
    """
    (added,) = db.execute(
        "SELECT count(*) FROM picture WHERE added > ? AND removed IS NULL", (version,)
    ).fetchone()
    (removed,) = db.execute("SELECT count(*) FROM picture WHERE removed > ?", (version,)).fetchone()
    return int(added) + int(removed)


def read_labels(db: sqlite3.Connection, regions: Sequence[int]) -> dict[int, tuple[str, str, Box]]:
    """Read what regions, given by number, show: product ID, image and box in pixels."""
    return {
        number: (product, source, (x0, y0, x1, y1))
        for marks, numbers in _chunks(regions)
        for number, product, source, x0, y0, x1, y1 in db.execute(
            "SELECT region.number, product.id, picture.source, x0, y0, x1, y1 FROM region"
            " JOIN picture ON picture.number = region.picture"
            f" JOIN product ON product.number = region.product WHERE region.number IN ({marks})",
            numbers,
        )
    }


def read_descriptions(db: sqlite3.Connection, regions: Sequence[int]) -> dict[int, bytes]:
    """Read the descriptions of regions, given by number; those not there are left out."""
    # A shelf from before there were any lacks the table until it is opened for writing.
    if not db.execute("SELECT 1 FROM sqlite_schema WHERE name = 'description'").fetchone():
        return {}
    return {
        number: body
        for marks, numbers in _chunks(regions)
        for number, body in db.execute(
            f"SELECT region, body FROM description WHERE region IN ({marks})", numbers
        )
    }


def read_embeddings(
    db: sqlite3.Connection, dimension: int, where: Filter | None, *, main: bool
) -> StoredEmbeddings:
    """Read the embeddings of the products that pass a filter, by rising region number.

    Args:
        db: Inside a transaction.
        dimension: Length D of an embedding.
        where: The filter, None for all products.
        main: Only those of each product's first picture.

    Raises:
        FilterError: If the filter names an attribute that no product has.
    """
    sql, values = condition_sql(db, where)
    chosen = (
        " FROM region"
        " JOIN embedding ON embedding.region = region.number"
        " JOIN picture ON picture.number = region.picture"
        " JOIN product ON product.number = picture.product"
        f" WHERE picture.removed IS NULL AND (picture.position = 0 OR ?) AND ({sql})"
    )
    given = [not main, *values]
    (count,) = db.execute(f"SELECT count(*){chosen}", given).fetchone()
    vectors = np.empty((count, dimension), np.float32)
    texts: list[tuple[str, str, str]] = []
    cursor = db.execute(
        "SELECT product.id, picture.source, picture.content, embedding.vector"
        f"{chosen} ORDER BY region.number",
        given,
    )
    while rows := cursor.fetchmany(ROWS_AT_A_TIME):
        block = np.frombuffer(b"".join(vector for *_, vector in rows), "<f4")
        vectors[len(texts) : len(texts) + len(rows)] = block.reshape(len(rows), dimension)
        texts += [(product, image, content) for product, image, content, _ in rows]
    products, images, contents = zip(*texts, strict=True) if texts else ((), (), ())
    return StoredEmbeddings(vectors, products, images, contents)


def all_labels(db: sqlite3.Connection) -> Iterator[tuple[str, str, Box]]:
    """Read what every region that is not removed shows, by rising region number."""
    rows = db.execute(
        "SELECT product.id, picture.source, x0, y0, x1, y1 FROM region"
        " JOIN picture ON picture.number = region.picture"
        " JOIN product ON product.number = region.product"
        " WHERE picture.removed IS NULL ORDER BY region.number"
    )
    for product, source, x0, y0, x1, y1 in rows:
        yield product, source, (x0, y0, x1, y1)


def matching_products(db: sqlite3.Connection, where: Filter) -> NDArray[np.int64]:
    """Read the numbers of the products that pass a filter.

    Returns:
        (A,) int64, in no order.

    Raises:
        FilterError: If the filter names an attribute that no product has.
    """
    sql, values = condition_sql(db, where)
    rows = db.execute(f"SELECT number FROM product WHERE {sql}", values).fetchall()
    return np.fromiter((number for (number,) in rows), np.int64, len(rows))


def condition_sql(db: sqlite3.Connection, where: Filter | None) -> tuple[str, list[str | float]]:
    """Give a filter as an SQL condition on the table ``product``, and the values for it.

    Args:
        db: Inside a transaction.
        where: The filter, None for all products.

    Raises:
        FilterError: If the filter names an attribute that no product has.
    """
    if where is None:
        return "1", []
    for condition in where.conditions:
        if condition.field not in OWN_FIELDS:
            _check_attribute(db, condition.field)
    return filter_sql(where)


def _check_attribute(db: sqlite3.Connection, name: str) -> None:
    if db.execute("SELECT 1 FROM attribute WHERE name = ? LIMIT 1", (name,)).fetchone():
        return
    # Walks from name to name through the primary key, not over every row.
    names = db.execute(
        "WITH RECURSIVE step (name) AS (SELECT min(name) FROM attribute UNION ALL"
        " SELECT (SELECT min(name) FROM attribute WHERE name > step.name) FROM step"
        " WHERE step.name IS NOT NULL) SELECT name FROM step WHERE name IS NOT NULL LIMIT ?",
        (NAMES_SHOWN,),
    )
    raise unknown_attribute(name, [known for (known,) in names])


def _chunks(values: Sequence[V]) -> Iterator[tuple[str, list[V]]]:
    """Cut a list into parts that fit one statement, each with its placeholders."""
    for start in range(0, len(values), IDS_A_QUERY):
        chunk = list(values[start : start + IDS_A_QUERY])
        yield ",".join("?" * len(chunk)), chunk
