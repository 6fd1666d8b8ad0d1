"""Search results as the JSON that others script against."""

from typing import Any

from snapshelf.shelf.result import FoundItem, Match, SearchResult

__all__ = ["items_json"]


def items_json(result: SearchResult) -> list[dict[str, Any]]:
    """Write the items of one query.

    Args:
        result: What was found.

    Returns:
        For each item ``{"item": {"box", "label", "frames"?}, "matches": [...],
        "in_catalogue"}``; a match has ``rank``, ``product``, ``similarity``, ``confidence`` and
        ``evidence``. A box is ``[x0, y0, x1, y1]`` in pixels; price and category are written
        as feeds write them (``"19.90 EUR"``, ``"Apparel > Shoes"``), None where unknown.
    """
    return [_item(found) for found in result.items]


def _item(found: FoundItem) -> dict[str, Any]:
    item: dict[str, Any] = {"box": list(found.item.box), "label": found.item.label}
    if found.item.frames is not None:
        item["frames"] = list(found.item.frames)
    return {
        "item": item,
        "matches": [_match(match) for match in found.matches],
        "in_catalogue": found.in_catalogue,
    }


def _match(match: Match) -> dict[str, Any]:
    product = match.product
    return {
        "rank": match.rank,
        "product": {
            "id": product.id,
            "title": product.title,
            "category": " > ".join(product.category) or None,
            "brand": product.brand or None,
            "price": None if product.price is None else str(product.price),
            "url": product.url or None,
            "image": match.image,
        },
        "similarity": match.similarity,
        "confidence": match.confidence,
        "evidence": dict(match.evidence),
    }
