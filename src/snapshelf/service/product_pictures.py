"""Where the service shows pictures of products."""

from typing import Any
from urllib.parse import quote

from snapshelf.catalog.product import Product
from snapshelf.shelf.as_json import item_json
from snapshelf.shelf.result import FoundItem, Match

__all__ = ["address_of_picture", "is_url", "picture_address", "shown_item"]


def is_url(source: str) -> bool:
    """Whether a feed names a picture by its address."""
    return source.lower().startswith(("http://", "https://"))


def picture_address(product_id: str, number: int) -> str:
    """Give where the service shows a picture of a product.

    Example:
        >>> picture_address("A/1 b", 0)
        '/v1/products/A%2F1%20b/images/0'
    """
    return f"/v1/products/{quote(product_id, safe='', errors='replace')}/images/{number}"


def address_of_picture(product: Product, image: str) -> str:
    """Give where the service shows a picture of a product, or its main one if it has that no more.

    Args:
        product: The product.
        image: As the feed names it.
    """
    number = product.images.index(image) if image in product.images else 0
    return picture_address(product.id, number)


def shown_item(found: FoundItem) -> dict[str, Any]:
    """Write an item as `item_json` does, with what it takes to show its matches.

    Args:
        found: The item and its matches.

    Returns:
        Each match has besides ``picture``, where the service shows the picture that matched, and
        ``region``, the part of it that did: ``[x0, y0, x1, y1]`` in its pixels, or None.
    """
    written = item_json(found)
    _show(written["matches"], found.matches)
    for group, shown in zip(found.by_category or (), written.get("by_category", ()), strict=True):
        _show(shown["matches"], group.matches)
    return written


def _show(written: list[dict[str, Any]], matches: tuple[Match, ...]) -> None:
    for shown, match in zip(written, matches, strict=True):
        shown["picture"] = address_of_picture(match.product, match.image)
        shown["region"] = None if match.box is None else list(match.box)
