"""A `Product` as the text that the embedded store keeps, and back."""

import hashlib
import json
from decimal import Decimal

from snapshelf.catalog.product import Availability, Price, Product

__all__ = ["product_body", "product_digest", "read_product"]


def product_body(product: Product) -> str:
    """Write a product as JSON, the same text for equal products."""
    price = product.price
    body = {
        "title": product.title,
        "description": product.description,
        "category": product.category,
        "brand": product.brand,
        "price": None if price is None else [str(price.amount), price.currency],
        "availability": product.availability,
        "url": product.url,
        "images": product.images,
        "attributes": dict(sorted(product.attributes.items())),
    }
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))


def product_digest(product: Product) -> str:
    """Hex digest over everything the feed says of a product."""
    text = f"{product.id}\n{product_body(product)}"
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def read_product(product_id: str, body: str) -> Product:
    """Read back what `product_body` wrote."""
    fields = json.loads(body)
    price, availability = fields["price"], fields["availability"]
    return Product(
        id=product_id,
        title=fields["title"],
        description=fields["description"],
        category=tuple(fields["category"]),
        brand=fields["brand"],
        price=None if price is None else Price(Decimal(price[0]), price[1]),
        availability=None if availability is None else Availability(availability),
        url=fields["url"],
        images=tuple(fields["images"]),
        attributes=fields["attributes"],
    )
