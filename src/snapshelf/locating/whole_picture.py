"""The simplest locator: the whole picture is the item."""

from snapshelf.locating.region import Region
from snapshelf.media.picture import RGB

__all__ = ["WholePicture"]


class WholePicture:
    """Takes the whole picture as the one item."""

    fingerprint = "whole-picture"

    def locate(self, picture: RGB) -> tuple[Region, ...]:
        """Give the one region that covers the picture.

        Args:
            picture: (H, W, 3) uint8, RGB, [0, 255].

        Returns:
            One region with confidence 1.
        """
        height, width = picture.shape[:2]
        return (Region(box=(0.0, 0.0, float(width), float(height))),)

    def candidates(self, picture: RGB) -> tuple[Region, ...]:
        """Give what `locate` gives: there is nothing to choose from.

        Args:
            picture: (H, W, 3) uint8, RGB, [0, 255].
        """
        return self.locate(picture)
