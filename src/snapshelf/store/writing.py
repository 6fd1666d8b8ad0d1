"""The SQL that changes a shelf's database; every function runs inside a transaction."""

import sqlite3
from collections.abc import Sequence

from snapshelf.catalog.product import Product
from snapshelf.errors import ShelfError
from snapshelf.store.filters import category_key
from snapshelf.store.records import PictureRecord, ProductRecord
from snapshelf.store.rows import product_body, product_digest
from snapshelf.store.runs import mark_seen

__all__ = ["delete_products", "next_version", "note", "purge_removed", "put_product"]


def next_version(db: sqlite3.Connection) -> int:
    """Count the shelf's version up by one and give it."""
    db.execute("UPDATE meta SET value = value + 1 WHERE name = 'version'")
    (version,) = db.execute("SELECT value FROM meta WHERE name = 'version'").fetchone()
    return int(version)


def note(db: sqlite3.Connection, name: str, value: str) -> None:
    """Set what the shelf notes about itself under a name."""
    db.execute(
        "INSERT INTO meta VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = ?",
        (name, value, value),
    )


def put_product(db: sqlite3.Connection, record: ProductRecord, *, version: int, run: int) -> None:
    """Insert a product or replace it whole.

    Args:
        db: The database.
        record: The product and its pictures, see `check_records`.
        version: The shelf's version that this transaction makes.
        run: The indexing run that saw it.
    """
    number = _put_fields(db, record.product)
    _put_pictures(db, number, record.pictures, version)
    mark_seen(db, [number], run=run)


def delete_products(db: sqlite3.Connection, products: Sequence[int], *, version: int) -> None:
    """Remove products, given by number; their pictures are marked as removed."""
    db.executemany(
        "UPDATE picture SET removed = ? WHERE product = ? AND removed IS NULL",
        ((version, number) for number in products),
    )
    db.executemany("DELETE FROM product WHERE number = ?", ((number,) for number in products))


def purge_removed(db: sqlite3.Connection, *, up_to: int) -> None:
    """Delete for good the pictures that were removed up to a version."""
    db.execute("DELETE FROM picture WHERE removed <= ?", (up_to,))


def _put_fields(db: sqlite3.Connection, product: Product) -> int:
    price = product.price
    (number,) = db.execute(
        "INSERT INTO product (id, digest, body, category_key, brand_key, price, currency_key,"
        " availability) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (id) DO UPDATE SET digest = excluded.digest, body = excluded.body,"
        " category_key = excluded.category_key, brand_key = excluded.brand_key,"
        " price = excluded.price, currency_key = excluded.currency_key,"
        " availability = excluded.availability RETURNING number",
        (
            product.id,
            product_digest(product),
            product_body(product),
            category_key(product.category),
            product.brand.casefold(),
            None if price is None else float(price.amount),
            "" if price is None else price.currency.casefold(),
            product.availability or "",
        ),
    ).fetchone()
    db.execute("DELETE FROM attribute WHERE product = ?", (number,))
    db.executemany(
        "INSERT OR IGNORE INTO attribute VALUES (?, ?, ?)",
        ((n.casefold(), v.casefold(), number) for n, v in product.attributes.items()),
    )
    return int(number)


def _put_pictures(
    db: sqlite3.Connection, product: int, pictures: Sequence[PictureRecord], version: int
) -> None:
    rows = db.execute(
        "SELECT source, content, number FROM picture WHERE product = ? AND removed IS NULL",
        (product,),
    )
    current = {(source, content): number for source, content, number in rows}
    # A feed may name one picture twice: its first record is enough, and has the embeddings.
    wanted: dict[tuple[str, str], PictureRecord] = {}
    for picture in pictures:
        wanted.setdefault((picture.source, picture.content), picture)
    for position, (key, picture) in enumerate(wanted.items()):
        number = current.pop(key, None)
        if number is not None:
            db.execute(
                "UPDATE picture SET position = ?, signature = ? WHERE number = ?",
                (position, picture.signature, number),
            )
            continue
        (number,) = db.execute(
            "INSERT INTO picture (product, position, source, signature, content, added)"
            " VALUES (?, ?, ?, ?, ?, ?) RETURNING number",
            (product, position, picture.source, picture.signature, picture.content, version),
        ).fetchone()
        if picture.regions is None:
            _copy_regions(db, product, number, picture)
        else:
            _put_regions(db, product, number, picture)
    db.executemany(
        "UPDATE picture SET removed = ? WHERE number = ?",
        ((version, number) for number in current.values()),
    )


def _put_regions(db: sqlite3.Connection, product: int, number: int, picture: PictureRecord) -> None:
    assert picture.regions is not None
    assert picture.embeddings is not None
    vectors = picture.embeddings.astype("<f4", copy=False)
    descriptions = picture.descriptions
    for row, (region, vector) in enumerate(zip(picture.regions, vectors, strict=True)):
        (region_number,) = db.execute(
            "INSERT INTO region (picture, product, x0, y0, x1, y1, label, confidence)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING number",
            (number, product, *region.box, region.label, region.confidence),
        ).fetchone()
        db.execute("INSERT INTO embedding VALUES (?, ?)", (region_number, vector.tobytes()))
        if descriptions is not None:
            db.execute("INSERT INTO description VALUES (?, ?)", (region_number, descriptions[row]))


def _copy_regions(
    db: sqlite3.Connection, product: int, number: int, picture: PictureRecord
) -> None:
    """Take over what another picture of the same content gave (a removed one will do)."""
    source = db.execute(
        "SELECT number FROM picture WHERE content = ? AND number <> ?"
        " AND EXISTS (SELECT 1 FROM region WHERE region.picture = picture.number)"
        " ORDER BY number LIMIT 1",
        (picture.content, number),
    ).fetchone()
    if source is None:
        raise ShelfError(
            f"no embedding of {picture.source!r} (content {picture.content}) is known; "
            "run the same command again"
        )
    for region, *fields in db.execute(
        "SELECT number, x0, y0, x1, y1, label, confidence FROM region WHERE picture = ?", source
    ).fetchall():
        (copied,) = db.execute(
            "INSERT INTO region (picture, product, x0, y0, x1, y1, label, confidence)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING number",
            (number, product, *fields),
        ).fetchone()
        db.execute(
            "INSERT INTO embedding SELECT ?, vector FROM embedding WHERE region = ?",
            (copied, region),
        )
        db.execute(
            "INSERT INTO description SELECT ?, body FROM description WHERE region = ?",
            (copied, region),
        )
