"""`ProductFinder`: the products of a shelf that items show, many at a time."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from snapshelf.features.encoder import Domain
from snapshelf.locating.region import Region
from snapshelf.media.picture import RGB
from snapshelf.shelf.finding import find_items, find_shortlists
from snapshelf.shelf.result import FoundItem
from snapshelf.shelf.shelf import Shelf
from snapshelf.store.filters import Filter

__all__ = ["PreparedItem", "ProductFinder"]

BATCH = 32
"""Items that go through the encoder together."""


@dataclass(frozen=True, slots=True, eq=False)
class PreparedItem:
    """What searching for an item needs.

    Attributes:
        pixels: (S, T, 3) uint8, RGB, [0, 255], the encoder's input.
        description: By the re-ranker; None where the shelf's system has none.
    """

    pixels: NDArray[np.uint8]
    description: bytes | None


class ProductFinder:
    """Searches a shelf for items, as `Shelf.search` does for those of one picture.

    Args:
        shelf: Open.
        top: Largest number of products for each item, at least 1.
        where: Only products that pass this filter.

    Attributes:
        top: As given.
        where: As given.

    Raises:
        ValueError: If `top` is below 1.
    """

    def __init__(self, shelf: Shelf, *, top: int = 5, where: Filter | None = None) -> None:
        if top < 1:
            raise ValueError(f"top must be at least 1, got {top}")
        self._shelf = shelf
        self.top = top
        self.where = where

    def prepare(self, part: RGB, domain: Domain) -> PreparedItem:
        """Do all that comes before the encoder; may be called from several threads.

        Args:
            part: (H, W, 3) uint8, RGB, [0, 255], cut to the item.
            domain: The side that the picture comes from.
        """
        system = self._shelf.system
        described = None if system.reranker is None else system.reranker.describe(part, domain)
        return PreparedItem(system.encoder.prepare(part, domain), described)

    def find(
        self, items: Sequence[PreparedItem], regions: Sequence[Region], domain: Domain
    ) -> list[FoundItem]:
        """Search for items.

        Args:
            items: As `prepare` gave them, any number.
            regions: Where each of them is.
            domain: The side that the pictures come from.

        Returns:
            For each item its matches, most similar first.
        """
        found: list[FoundItem] = []
        store, system = self._shelf.store, self._shelf.system
        for start in range(0, len(items), BATCH):
            some = items[start : start + BATCH]
            embeddings = system.encoder.encode(np.stack([one.pixels for one in some]), domain)
            shortlists = find_shortlists(store, system, embeddings, top=self.top, where=self.where)
            described = [one.description for one in some if one.description is not None]
            found += find_items(
                store,
                system,
                regions[start : start + BATCH],
                shortlists,
                None if system.reranker is None else described,
                top=self.top,
            )
        return found
