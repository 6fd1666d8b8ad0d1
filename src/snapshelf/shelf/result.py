"""What a search gives: for each item of a picture its matches, as frozen values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from snapshelf.catalog.product import Product
from snapshelf.locating.region import Box

__all__ = [
    "BestFrame",
    "CategoryGroup",
    "ClipFacts",
    "FoundItem",
    "Item",
    "Match",
    "SearchResult",
]


@dataclass(frozen=True, slots=True)
class BestFrame:
    """The frame of a clip that shows an item best.

    Attributes:
        seconds: Since the clip's beginning.
        box: Of the item, in pixels of the frame's decoded picture.
        jpeg: A small picture of the item, cut out, as a JPEG's bytes.
        size: (width, height) in pixels of that picture before it was made small.
    """

    seconds: float
    box: Box
    jpeg: bytes = field(repr=False)
    size: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Item:
    """Something searched for: a region of the query.

    Attributes:
        box: In pixels of the decoded query picture; of a clip's, in its best frame.
        label: What the locator takes it for, "" where it does not say.
        frames: First and last frame for an item of a video, counted from 0 among all frames of
            the clip; None for a photo.
        spans: When an item of a video is seen: first and last second of each appearance, in
            order; empty for a photo.
        best: Its best frame, None for a photo.
    """

    box: Box
    label: str = ""
    frames: tuple[int, int] | None = None
    spans: tuple[tuple[float, float], ...] = ()
    best: BestFrame | None = None

    @property
    def seconds(self) -> tuple[float, float] | None:
        """First and last second of an item of a video, None for a photo."""
        return (self.spans[0][0], self.spans[-1][1]) if self.spans else None


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
class ClipFacts:
    """What was read of a clip.

    Attributes:
        seconds: When the last frame that was looked at is shown, since the clip's beginning.
        frames: How many frames were looked at.
        warnings: What was wrong with the clip, or left out of it.
        poster: A small picture of the clip, as a JPEG's bytes; b"" for none.
    """

    seconds: float
    frames: int
    warnings: tuple[str, ...] = ()
    poster: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class SearchResult:
    """Everything found for one query, a picture or a clip.

    Attributes:
        query: The query's file name, "" for pixels.
        size: (width, height) of the decoded query in pixels; of a clip, of its first frame.
        items: One for each item, most confident region first; of a clip, in the order in which
            they first appear.
        seconds: Wall time of each step.
        clip: What was read of a clip, None for a picture.
    """

    query: str
    size: tuple[int, int]
    items: tuple[FoundItem, ...]
    seconds: Mapping[str, float] = field(default_factory=dict)
    clip: ClipFacts | None = None
