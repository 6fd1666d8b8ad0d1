"""What a search gives: for each item of a picture its matches, as frozen values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from snapshelf.catalog.product import Product
from snapshelf.locating.region import Box

__all__ = ["CategoryGroup", "FoundItem", "Item", "Match", "SearchResult"]


@dataclass(frozen=True, slots=True)
class Item:
    """Something searched for: a region of the query.

    Attributes:
        box: In pixels of the decoded query picture.
        label: What the locator takes it for, "" where it does not say.
        frames: First and last frame for an item of a video, None for a photo.
    """

    box: Box
    label: str = ""
    frames: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Match:
    """A product found for an item.

    Attributes:
        rank: From 1, the best.
        product: The product as the shelf holds it.
        image: The product's picture that matched best, as the feed names it.
        similarity: Larger is better; falls (or stays) from each rank to the next.
        confidence: Probability in [0, 1] that this is the product searched for; those of an
            item's matches sum to at most 1.
        evidence: Why it matched, of a re-ranker that can tell; as JSON can hold it.
        box: The part of `image` that matched, in pixels; None where that is not known.
    """

    rank: int
    product: Product
    image: str
    similarity: float
    confidence: float
    evidence: Mapping[str, Any] = field(default_factory=dict)
    box: Box | None = None


@dataclass(frozen=True, slots=True)
class CategoryGroup:
    """The best matches of one category.

    Attributes:
        category: The whole path as the best of them has it; () for products without one.
        matches: At least one; ranks are counted from 1 within the group.
    """

    category: tuple[str, ...]
    matches: tuple[Match, ...]


@dataclass(frozen=True, slots=True)
class FoundItem:
    """An item and its matches, best first.

    Attributes:
        item: What was searched for.
        matches: At most one per product.
        in_catalogue: Whether the best match is confident enough.
        by_category: The best matches of each category, that with the best match first; None where
            it was not asked for.
    """

    item: Item
    matches: tuple[Match, ...]
    in_catalogue: bool
    by_category: tuple[CategoryGroup, ...] | None = None


@dataclass(frozen=True, slots=True)
class SearchResult:
    """Everything found for one query picture.

    Attributes:
        query: The query's file name, "" for pixels.
        size: (width, height) of the decoded query in pixels.
        items: One for each item, most confident region first.
        seconds: Wall time of each step.
    """

    query: str
    size: tuple[int, int]
    items: tuple[FoundItem, ...]
    seconds: Mapping[str, float] = field(default_factory=dict)
