"""The attributes of Google's product data specification that a product is read from."""

from collections.abc import Mapping

__all__ = ["GOOGLE_NAMES"]

GOOGLE_NAMES: Mapping[str, tuple[str, ...]] = {
    "id": ("id",),
    "title": ("title",),
    "description": ("description", "summary", "content"),
    "category": ("product_type", "google_product_category"),
    "brand": ("brand",),
    "price": ("price",),
    "currency": (),
    "availability": ("availability",),
    "url": ("link",),
    "image": ("image_link",),
    "images": ("additional_image_link",),
}
"""For each field of a product the attributes it is read from, the preferred first."""
