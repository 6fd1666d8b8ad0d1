"""From the numbers that a search finds to what they show."""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from typing import overload

import numpy as np
from numpy.typing import NDArray

from snapshelf.locating.region import Box
from snapshelf.store.reading import read_labels
from snapshelf.store.records import Hit
from snapshelf.store.view import View

__all__ = ["Hits", "hits_at", "read_hits", "regions_of"]

Label = tuple[str, str, Box]


class Hits(Sequence[Hit]):
    """A ranking, of which a place is read only when it is looked at.

    A re-ranker may look at every product of a shop, of which a few are shown.

    Args:
        view: The view that was searched; what its index shows is read there.
        regions: (K,) int64, region numbers, best first.
        similarities: (K,) float32.
        beside: What those regions show that are not in the index.

    Attributes:
        regions: As given.
    """

    def __init__(
        self,
        view: View,
        regions: NDArray[np.int64],
        similarities: NDArray[np.float32],
        beside: Mapping[int, Label],
    ) -> None:
        self.regions = regions
        self._view, self._similarities, self._beside = view, similarities, beside

    def __len__(self) -> int:
        """Give the number K of places."""
        return len(self.regions)

    @overload
    def __getitem__(self, place: int) -> Hit: ...

    @overload
    def __getitem__(self, place: slice) -> list[Hit]: ...

    def __getitem__(self, place: int | slice) -> Hit | list[Hit]:
        """Read a place, from 0, or several."""
        if isinstance(place, slice):
            return self.at(place)
        count = len(self)
        if not -count <= place < count:
            raise IndexError(f"place must be in [{-count}, {count}), got {place}")
        return self.at(slice(place % count, place % count + 1))[0]

    def __iter__(self) -> Iterator[Hit]:
        """Read all places at once."""
        return iter(self.at(slice(None)))

    def __eq__(self, other: object) -> bool:
        """Whether another sequence has the same hits."""
        return isinstance(other, Sequence) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]  # compared by its hits, as a list is

    def at(self, places: list[int] | slice) -> list[Hit]:
        """Read several places."""
        numbers = self.regions[places]
        labels = {} if self._view.index is None else self._view.index.labels_of(numbers)
        return [
            Hit(*(labels.get(number) or self._beside[number]), similarity, number)
            for number, similarity in zip(
                numbers.tolist(), self._similarities[places].tolist(), strict=True
            )
        ]


def read_hits(
    db: sqlite3.Connection,
    view: View,
    regions: NDArray[np.int64],
    similarities: NDArray[np.float32],
) -> Hits:
    """Tell what a ranking shows: from the index where it has the row, else from the database.

    Args:
        db: Inside a transaction that sees the view's version.
        view: The view that was searched.
        regions: (K,) int64, region numbers, best first.
        similarities: (K,) float32.
    """
    missing = regions if view.index is None else regions[~view.index.holds(regions)]
    beside = read_labels(db, missing.tolist()) if len(missing) else {}
    return Hits(view, regions, similarities, beside)


def hits_at(hits: Sequence[Hit], places: list[int]) -> list[Hit]:
    """Give the hits at some places."""
    return hits.at(places) if isinstance(hits, Hits) else [hits[place] for place in places]


def regions_of(hits: Sequence[Hit]) -> NDArray[np.int64]:
    """Give the region numbers of hits: (K,) int64."""
    if isinstance(hits, Hits):
        return hits.regions
    return np.fromiter((hit.region for hit in hits), np.int64, len(hits))
