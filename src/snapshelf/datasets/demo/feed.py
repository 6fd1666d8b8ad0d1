"""The demo shop's product feed: CSV with the column names of the Google Merchant Center."""

import csv
import io
from collections.abc import Iterable

from snapshelf.catalog.product import Product

__all__ = ["COLUMNS", "feed_text"]

COLUMNS = (
    "id",
    "title",
    "description",
    "category",
    "brand",
    "price",
    "availability",
    "link",
    "image_link",
    "additional_image_link",
    "color",
    "pattern",
    "material",
)


def feed_text(products: Iterable[Product]) -> str:
    """Write products as CSV with a header line and plain line feeds."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(COLUMNS)
    for product in products:
        table.writerow(
            [
                product.id,
                product.title,
                product.description,
                " > ".join(product.category),
                product.brand,
                str(product.price or ""),
                product.availability or "",
                product.url,
                product.images[0],
                ",".join(product.images[1:]),
                product.attributes.get("color", ""),
                product.attributes.get("pattern", ""),
                product.attributes.get("material", ""),
            ]
        )
    return text.getvalue()
