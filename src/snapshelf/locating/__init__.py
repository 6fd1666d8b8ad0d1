"""Where the items of a picture are."""

from snapshelf.locating.locator import Locator
from snapshelf.locating.region import Box, Region
from snapshelf.locating.whole_picture import WholePicture

__all__ = ["Box", "Locator", "Region", "WholePicture"]
