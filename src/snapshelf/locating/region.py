"""A `Region`: a box in a picture that may hold an item."""

import math
from dataclasses import dataclass

__all__ = ["Box", "Point", "Region", "whole_pixels"]

Box = tuple[float, float, float, float]
"""``(x0, y0, x1, y1)`` in pixels, x to the right, y down, x1 and y1 exclusive."""

Point = tuple[float, float]
"""``(x, y)`` in pixels, x to the right, y down."""


@dataclass(frozen=True, slots=True)
class Region:
    """A box in an image.

    Attributes:
        box: In pixels of the decoded picture.
        label: What the locator takes it for, "" where it does not say.
        confidence: In [0, 1].
    """

    box: Box
    label: str = ""
    confidence: float = 1.0


def whole_pixels(box: Box, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """Give the pixels of a picture that a box touches.

    Args:
        box: ``(x0, y0, x1, y1)`` in pixels; may reach beyond the picture.
        size: (width, height) of the picture in pixels, each at least 1.

    Returns:
        A box in whole pixels, within the picture, of at least one pixel.

    Example:
        >>> whole_pixels((0.5, 2.0, 3.1, 99.0), (10, 8))
        (0, 2, 4, 8)
    """
    width, height = size
    left = min(max(math.floor(box[0]), 0), width - 1)
    top = min(max(math.floor(box[1]), 0), height - 1)
    right = min(max(math.ceil(box[2]), left + 1), width)
    bottom = min(max(math.ceil(box[3]), top + 1), height)
    return left, top, right, bottom
