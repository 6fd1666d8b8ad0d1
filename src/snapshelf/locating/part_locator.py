"""The `PartLocator` contract: a picture to the boxes of its item's parts."""

from typing import Protocol

from snapshelf.locating.region import Box
from snapshelf.media.picture import RGB

__all__ = ["PartLocator"]


class PartLocator(Protocol):
    """Finds the parts of an item, always the same number of them in the same order.

    A deformable part model is one; `GridParts` is one that has learned nothing.
    """

    @property
    def count(self) -> int:
        """How many parts there are, at least 1."""
        ...

    @property
    def fingerprint(self) -> str:
        """Hex digest, or a name, of everything that decides which boxes come out."""
        ...

    def __call__(self, picture: RGB) -> tuple[Box, ...]:
        """Find the parts; may be called from several threads.

        Args:
            picture: (H, W, 3) uint8, RGB, [0, 255], the whole picture, from 1 x 1.

        Returns:
            `count` boxes in pixels of the picture. A box may reach out of it: what is outside is
            cut off, and at least one pixel stays.
        """
        ...
