"""An item's matches by category: the best of each, beside the ranking over all."""

from dataclasses import replace

from snapshelf.shelf.result import CategoryGroup, FoundItem, Match
from snapshelf.store.filters import category_key

__all__ = ["group_by_category"]


def group_by_category(found: FoundItem, best: int) -> FoundItem:
    """Group an item's matches by their whole category.

    A group is the item's ranking without the products of other categories, and groups are ordered
    by their best match. Categories that differ in case or blanks only are one, as in a filter;
    products without a category are a group of their own. Nothing is searched for: what the item
    lacks, its groups lack. `Shelf.search` with ``by_category`` looks as deep as they need.

    Args:
        found: An item with its matches, best first.
        best: Largest number of matches in a group, at least 1.

    Returns:
        The same item and matches, with groups.

    Raises:
        ValueError: If `best` is below 1.
    """
    if best < 1:
        raise ValueError(f"best must be at least 1, got {best}")
    groups: dict[str, list[Match]] = {}
    for match in found.matches:
        own = groups.setdefault(category_key(match.product.category), [])
        if len(own) < best:
            own.append(replace(match, rank=len(own) + 1))
    return replace(
        found,
        by_category=tuple(
            CategoryGroup(own[0].product.category, tuple(own)) for own in groups.values()
        ),
    )
