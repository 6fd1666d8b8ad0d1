"""The SQL that reads products with all that was stored with them."""

import sqlite3

import numpy as np

from snapshelf.locating.region import Region
from snapshelf.store.reading import read_descriptions
from snapshelf.store.records import PictureRecord, ProductRecord, StoredRecords
from snapshelf.store.rows import read_product

__all__ = ["read_records"]


def read_records(db: sqlite3.Connection, dimension: int, after: int, most: int) -> StoredRecords:
    """Read products, by rising number, with their pictures.

    Args:
        db: Inside a transaction.
        dimension: Length D of an embedding.
        after: Those of larger numbers than this.
        most: At most so many.
    """
    found = db.execute(
        "SELECT number, id, body FROM product WHERE number > ? ORDER BY number LIMIT ?",
        (after, most),
    ).fetchall()
    records = tuple(
        ProductRecord(read_product(name, body), _pictures(db, dimension, number))
        for number, name, body in found
    )
    return StoredRecords(records, found[-1][0] if found else 0)


def _pictures(db: sqlite3.Connection, dimension: int, product: int) -> tuple[PictureRecord, ...]:
    rows = db.execute(
        "SELECT number, source, signature, content FROM picture"
        " WHERE product = ? AND removed IS NULL ORDER BY position",
        (product,),
    ).fetchall()
    pictures = []
    for number, source, signature, content in rows:
        regions = db.execute(
            "SELECT number, x0, y0, x1, y1, label, confidence, vector FROM region"
            " JOIN embedding ON embedding.region = region.number"
            " WHERE picture = ? ORDER BY number",
            (number,),
        ).fetchall()
        numbers = [row[0] for row in regions]
        described = read_descriptions(db, numbers)
        vectors = np.frombuffer(b"".join(row[7] for row in regions), "<f4")
        pictures.append(
            PictureRecord(
                source,
                signature,
                content,
                tuple(Region((x0, y0, x1, y1), *rest) for _, x0, y0, x1, y1, *rest, _ in regions),
                vectors.reshape(len(regions), dimension),
                tuple(described[n] for n in numbers) if described else None,
            )
        )
    return tuple(pictures)
