"""The `Locator` contract: a picture to the regions that may hold an item."""

from typing import Protocol

from snapshelf.locating.region import Region
from snapshelf.media.picture import RGB

__all__ = ["Locator"]


class Locator(Protocol):
    """Finds where the items of a picture are."""

    @property
    def fingerprint(self) -> str:
        """Hex digest of everything that decides which regions come out."""
        ...

    def locate(self, picture: RGB) -> tuple[Region, ...]:
        """Find the regions of a picture that may hold an item, most confident first.

        Args:
            picture: (H, W, 3) uint8, RGB, [0, 255].

        Returns:
            At least one region; boxes lie within the picture.
        """
        ...

    def candidates(self, picture: RGB) -> tuple[Region, ...]:
        """Give every region that `locate` chooses from, most confident first.

        Args:
            picture: (H, W, 3) uint8, RGB, [0, 255].

        Returns:
            At least one region: the whole picture is always among them.
        """
        ...
