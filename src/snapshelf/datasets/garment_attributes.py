"""What can be told of a garment in a photo: derived from its pixels, not published."""

from collections.abc import Mapping

import cv2
import numpy as np

from snapshelf.datasets.derived_attributes import COLOURS, TEMPERATURES, colour_names
from snapshelf.datasets.garment_areas import GarmentArea
from snapshelf.datasets.training_item import AttributeValue
from snapshelf.media.picture import RGB

__all__ = ["garment_attributes"]

LEAST_SECOND = 0.15
"""Of the garment's pixels: a second colour that covers less is none."""

DETAIL = 2.0
"""Standard deviation in pixels of the blur that tells a pattern from the shape of folds."""

PATTERNS = ((5.0, "plain"), (10.0, "textured"), (np.inf, "patterned"))
"""Mean difference of lightness from the blurred garment, in [0, 255], below which it is called so:
about thirds of the garments that are trained on."""

SIZES = ((0.01, "small"), (0.04, "middling"), (np.inf, "large"))
"""Share of the photo's pixels below which a garment is called so."""


def garment_attributes(photo: RGB, area: GarmentArea) -> Mapping[str, AttributeValue]:
    """Tell a garment's class, colours, strength of pattern and size.

    Args:
        photo: (H, W, 3) uint8, RGB, [0, 255], as large as the label map.
        area: The garment; its box lies within the photo.

    Returns:
        "garment", "colour", "second colour" (``("none", "none")`` where there is none), "pattern"
        and "size".
    """
    x0, y0, x1, y1 = (int(value) for value in area.box)
    pixels = np.ascontiguousarray(photo[y0:y1, x0:x1])
    votes = np.bincount(colour_names(pixels)[area.mask], minlength=len(COLOURS))
    first, second = np.argsort(-votes, kind="stable")[:2].tolist()
    has_second = votes[second] >= LEAST_SECOND * votes.sum()
    strength, share = _detail(pixels, area), np.count_nonzero(area.mask) / photo[..., 0].size
    return {
        "garment": area.value,
        "colour": (TEMPERATURES[COLOURS[first]], COLOURS[first]),
        "second colour": (
            (TEMPERATURES[COLOURS[second]], COLOURS[second]) if has_second else ("none", "none")
        ),
        "pattern": _named(strength, PATTERNS),
        "size": _named(share, SIZES),
    }


def _detail(pixels: RGB, area: GarmentArea) -> float:
    """Give the mean difference of lightness from the blurred garment, its edge left out."""
    inner = cv2.erode(np.pad(area.mask, 1).astype(np.uint8), np.ones((5, 5)))[1:-1, 1:-1] > 0
    if not inner.any():
        inner = area.mask
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY).astype(np.float32)
    weights = area.mask.astype(np.float32)
    # Blurred among the garment's own pixels.
    near = np.maximum(cv2.GaussianBlur(weights, (0, 0), DETAIL), 1e-6)
    blurred = cv2.GaussianBlur(grey * weights, (0, 0), DETAIL) / near
    return float(np.abs(grey - blurred)[inner].mean())


def _named(value: float, classes: tuple[tuple[float, str], ...]) -> AttributeValue:
    name = next(name for end, name in classes if value < end)
    return name, name
