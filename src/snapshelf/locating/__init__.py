"""Where the items of a picture are."""

from snapshelf.locating.grid_parts import GridParts
from snapshelf.locating.locator import Locator
from snapshelf.locating.part_locator import PartLocator
from snapshelf.locating.region import Box, Point, Region
from snapshelf.locating.trajectory import Trajectory
from snapshelf.locating.whole_if_plain import WholeIfPlain
from snapshelf.locating.whole_picture import WholePicture

__all__ = [
    "Box",
    "GridParts",
    "Locator",
    "PartLocator",
    "Point",
    "Region",
    "Trajectory",
    "WholeIfPlain",
    "WholePicture",
]
