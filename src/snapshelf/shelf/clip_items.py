"""The items of a clip: trajectories that show the same thing are one."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from snapshelf.media.encode import encode_jpeg
from snapshelf.shelf.result import BestFrame
from snapshelf.shelf.seen_trajectory import SeenTrajectory

__all__ = ["THUMBNAIL", "ClipItem", "ClipItems"]

THUMBNAIL = 320
"""Pixels of the longer side of a small picture."""


@dataclass(frozen=True, slots=True, eq=False)
class ClipItem:
    """An item of a clip.

    Attributes:
        numbers: Of its trajectories.
        frames: First and last frame of all its appearances.
        spans: First and last second of each appearance, in order.
        total: (D,) float32, the sum of the embeddings of its steps.
        label: What the locator takes it for, as of its weightiest trajectory.
        confidence: In [0, 1], likewise.
        best: Likewise, the best frame.
        description: Likewise, by the system's re-ranker; b"" where there is none.
        weightiest: Seconds times confidence of that trajectory.
        weight: The same of all its trajectories together.
    """

    numbers: frozenset[int]
    frames: tuple[int, int]
    spans: tuple[tuple[float, float], ...]
    total: NDArray[np.float32]
    label: str
    confidence: float
    best: BestFrame
    description: bytes
    weightiest: float
    weight: float

    @property
    def embedding(self) -> NDArray[np.float32]:
        """(D,) float32, L2-normalised: the direction of the mean."""
        length = float(np.linalg.norm(self.total))
        return (self.total / max(length, 1e-12)).astype(np.float32)


class ClipItems:
    """Puts trajectories together to items, as they come.

    A trajectory is part of the item whose mean embedding is nearest to its own, if it is near
    enough and the two are never seen at the same time; pieces of one trajectory always are.

    Args:
        alike: In [-1, 1]. Cosine that is near enough.
        most: Items that are kept, at least 1: the weightiest.
        describe: Describes a trajectory for re-ranking.
    """

    def __init__(self, *, alike: float, most: int, describe: Callable[[SeenTrajectory], bytes]):
        self._alike, self._most, self._describe = alike, most, describe
        self._items: list[ClipItem] = []
        self.dropped = 0

    def add(self, seen: SeenTrajectory) -> None:
        """Take a trajectory in.

        Args:
            seen: The next one.
        """
        new = _item(seen)
        place = self._place_of(new)
        if place is None:
            self._items.append(replace(new, description=self._describe(seen)))
        else:
            before = self._items[place]
            if new.weightiest > before.weightiest:
                new = replace(new, description=self._describe(seen))
            self._items[place] = _joined(before, new)
        if len(self._items) > self._most:
            self._items.remove(min(self._items, key=lambda item: item.weight))
            self.dropped += 1

    def given(self) -> tuple[ClipItem, ...]:
        """Give the items, in the order in which they first appear."""
        return tuple(
            sorted(self._items, key=lambda item: (item.spans[0], item.frames, -item.weight))
        )

    def _place_of(self, new: ClipItem) -> int | None:
        """Give the place of the item that a new trajectory is part of, None if it is another."""
        nearest, place = self._alike, None
        for index, item in enumerate(self._items):
            if item.numbers & new.numbers:
                return index
            if _seen_together(item, new):
                continue
            likeness = float(item.embedding @ new.embedding)
            if likeness >= nearest:
                nearest, place = likeness, index
        return place


def _item(seen: SeenTrajectory) -> ClipItem:
    """Make an item, not described yet, of one trajectory."""
    trajectory, view = seen.trajectory, seen.view
    # A clip of one frame lasts too.
    weight = trajectory.confidence * (trajectory.last - trajectory.first + 0.1)
    return ClipItem(
        numbers=frozenset((trajectory.number,)),
        frames=(trajectory.frames[0], trajectory.frames[-1]),
        spans=((trajectory.first, trajectory.last),),
        total=seen.total,
        label=trajectory.label,
        confidence=trajectory.confidence,
        best=BestFrame(
            trajectory.times[view.step],
            trajectory.boxes[view.step],
            encode_jpeg(view.picture, longest_side=THUMBNAIL),
            (view.picture.shape[1], view.picture.shape[0]),
        ),
        description=b"",
        weightiest=weight,
        weight=weight,
    )


def _joined(one: ClipItem, other: ClipItem) -> ClipItem:
    """Make one item of two."""
    main = other if other.weightiest > one.weightiest else one
    return replace(
        main,
        numbers=one.numbers | other.numbers,
        frames=(min(one.frames[0], other.frames[0]), max(one.frames[1], other.frames[1])),
        spans=_spans(one, other),
        total=one.total + other.total,
        weight=one.weight + other.weight,
    )


def _spans(one: ClipItem, other: ClipItem) -> tuple[tuple[float, float], ...]:
    """Put appearances in order; those that touch, as pieces of one trajectory do, are one."""
    joined: list[tuple[float, float]] = []
    for first, last in sorted((*one.spans, *other.spans)):
        if joined and first <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], last))
        else:
            joined.append((first, last))
    return tuple(joined)


def _seen_together(one: ClipItem, other: ClipItem) -> bool:
    return any(
        first <= until and since <= last
        for first, last in one.spans
        for since, until in other.spans
    )
