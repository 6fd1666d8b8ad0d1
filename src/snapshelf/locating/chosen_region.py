"""The items of a picture, or those that a user chose: boxes as drawn, or what points are on."""

from collections.abc import Sequence

import numpy as np

from snapshelf.locating.locator import Locator
from snapshelf.locating.region import Box, Point, Region
from snapshelf.media.picture import RGB

__all__ = ["chosen_regions", "region_at", "region_of_box"]


def chosen_regions(
    locator: Locator,
    picture: RGB,
    *,
    boxes: Sequence[Box] = (),
    points: Sequence[Point] = (),
) -> tuple[Region, ...]:
    """Give the regions to look at: those that the user chose, else what the locator finds.

    Args:
        locator: Not asked where there are only boxes.
        picture: (H, W, 3) uint8, RGB, [0, 255].
        boxes: See `region_of_box`.
        points: See `region_at`.

    Returns:
        At least one region: those of the boxes, then those of the points, each once; without
        any, what the locator finds.

    Raises:
        ValueError: If what is given does not lie in the picture.
    """
    chosen = [region_of_box(picture, box) for box in boxes]
    chosen += [region_at(locator, picture, point) for point in points]
    return tuple(dict.fromkeys(chosen)) or locator.locate(picture)


def region_of_box(picture: RGB, box: Box) -> Region:
    """Take a user's box as the item.

    Args:
        picture: (H, W, 3) uint8, RGB, [0, 255].
        box: In pixels; what lies outside of the picture is cut off.

    Returns:
        A region with confidence 1.

    Raises:
        ValueError: If a number is not finite, or the box has no area in the picture.
    """
    height, width = picture.shape[:2]
    if not np.isfinite(box).all():
        raise ValueError(f"box must be four finite numbers, got {box}")
    x0, y0 = max(float(box[0]), 0.0), max(float(box[1]), 0.0)
    x1, y1 = min(float(box[2]), float(width)), min(float(box[3]), float(height))
    if x1 <= x0 or y1 <= y0:
        raise ValueError(
            f"box must be x0, y0, x1, y1 with an area in the picture of {width} x {height} "
            f"pixels, got {box}"
        )
    return Region((x0, y0, x1, y1))


def region_at(locator: Locator, picture: RGB, point: Point) -> Region:
    """Find what a user pointed at: of all candidates that hold the point the most confident one.

    The whole picture is always a candidate, so there is one. It is what remains where no other
    holds the point; where one does, the user has told that the item is a part.

    Args:
        locator: Names the candidates.
        picture: (H, W, 3) uint8, RGB, [0, 255].
        point: (x, y) in pixels, in the picture.

    Returns:
        The region as the locator gives it, of equal ones the smallest.

    Raises:
        ValueError: If the point does not lie in the picture.
    """
    height, width = picture.shape[:2]
    x, y = point
    if not (0 <= x < width and 0 <= y < height):
        raise ValueError(
            f"point must be x, y in the picture of {width} x {height} pixels, got {point}"
        )
    candidates = locator.candidates(picture)
    holding = [region for region in candidates if _holds(region.box, point)]
    whole = (0.0, 0.0, float(width), float(height))
    parts = [region for region in holding if region.box != whole]
    return max(parts or holding, key=lambda region: (region.confidence, -_area(region.box)))


def _holds(box: Box, point: Point) -> bool:
    return box[0] <= point[0] < box[2] and box[1] <= point[1] < box[3]


def _area(box: Box) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])
