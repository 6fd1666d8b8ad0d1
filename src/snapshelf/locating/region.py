"""A `Region`: a box in a picture that may hold an item."""

from dataclasses import dataclass

__all__ = ["Box", "Region"]

Box = tuple[float, float, float, float]
"""``(x0, y0, x1, y1)`` in pixels, x to the right, y down, x1 and y1 exclusive."""


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
