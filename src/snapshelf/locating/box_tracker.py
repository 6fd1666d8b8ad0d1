"""The `BoxTracker` contract: boxes of one picture to where they are in the next ones."""

from collections.abc import Sequence
from typing import Protocol

from snapshelf.locating.region import Box
from snapshelf.media.picture import RGB

__all__ = ["BoxTracker"]


class BoxTracker(Protocol):
    """Follows what is in a box, without knowing what it is."""

    def follow(self, pictures: Sequence[RGB], boxes: Sequence[Box]) -> tuple[tuple[Box, ...], ...]:
        """Follow boxes of the first picture through the others, each box by itself.

        Args:
            pictures: At least one, (H, W, 3) uint8, RGB, [0, 255], of one size, in order; backwards
                in time where the last frame comes first.
            boxes: In the first picture.

        Returns:
            For each box where it is in each picture, beginning with the box as it was given, and
            ending with the last picture before it was lost.
        """
        ...
