"""Search results and duplicates as the JSON that others script against."""

from typing import Any

from snapshelf.catalog.product import Product
from snapshelf.shelf.duplicates import DuplicateGroup
from snapshelf.shelf.result import FoundItem, Match, SearchResult

__all__ = ["group_json", "item_json", "items_json", "product_json"]


def items_json(result: SearchResult) -> list[dict[str, Any]]:
    """Write the items of one query.

    Args:
        result: What was found.

    Returns:
        For each item what `item_json` gives.
    """
    return [item_json(found) for found in result.items]


def item_json(found: FoundItem) -> dict[str, Any]:
    """Write an item.

    Args:
        found: The item and its matches.

    Returns:
        ``{"item": {"box", "label"}, "matches": [...], "in_catalogue"}``; a match has ``rank``,
        ``product`` (see `product_json`), ``similarity``, ``confidence`` and ``evidence``. A box
        is ``[x0, y0, x1, y1]`` in pixels. An item of a clip has ``"frames": [first, last]``,
        ``"seconds": [first, last]``, ``"spans"``, the same of each of its appearances, and
        ``"best": {"seconds", "box"}``, its best frame, too. Where it was asked for there is
        ``by_category`` too: ``[{"category", "matches"}]``, the category written as a product's.
    """
    item: dict[str, Any] = {"box": list(found.item.box), "label": found.item.label}
    if found.item.frames is not None:
        item["frames"] = list(found.item.frames)
    if found.item.seconds is not None:
        item["seconds"] = list(found.item.seconds)
        item["spans"] = [list(span) for span in found.item.spans]
    if found.item.best is not None:
        item["best"] = {"seconds": found.item.best.seconds, "box": list(found.item.best.box)}
    written = {
        "item": item,
        "matches": [_match(match) for match in found.matches],
        "in_catalogue": found.in_catalogue,
    }
    if found.by_category is not None:
        written["by_category"] = [
            {
                "category": _category(group.category),
                "matches": [_match(match) for match in group.matches],
            }
            for group in found.by_category
        ]
    return written


def product_json(product: Product, image: str) -> dict[str, Any]:
    """Write a product.

    Args:
        product: As a shelf holds it.
        image: The one of its pictures that is meant, as the feed names it.

    Returns:
        ``{"id", "title", "category", "brand", "price", "url", "image"}``; price and category are
        written as feeds write them (``"19.90 EUR"``, ``"Apparel > Shoes"``), None where unknown.
    """
    return {
        "id": product.id,
        "title": product.title,
        "category": _category(product.category),
        "brand": product.brand or None,
        "price": None if product.price is None else str(product.price),
        "url": product.url or None,
        "image": image,
    }


def group_json(group: DuplicateGroup) -> dict[str, Any]:
    """Write a group of products that look the same.

    Args:
        group: The group.

    Returns:
        ``{"similarity", "products": [{"product", "similarity", "like": {"id", "image"},
        "same_picture"}]}``, see `product_json`; ``same_picture`` is None where that is not known.
    """
    return {
        "similarity": group.similarity,
        "products": [
            {
                "product": product_json(one.product, one.image),
                "similarity": one.similarity,
                "like": {"id": one.other_id, "image": one.other_image},
                "same_picture": one.same_picture,
            }
            for one in group.duplicates
        ],
    }


def _category(path: tuple[str, ...]) -> str | None:
    return " > ".join(path) or None


def _match(match: Match) -> dict[str, Any]:
    return {
        "rank": match.rank,
        "product": product_json(match.product, match.image),
        "similarity": match.similarity,
        "confidence": match.confidence,
        "evidence": dict(match.evidence),
    }
