"""What verified key points say of a match: in plain words, and drawn across both pictures."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeGuard

from snapshelf.locating.region import Box, whole_pixels

__all__ = ["TOLD", "Drawing", "DrawnPart", "Line", "draw_points", "tell_points"]

TOLD = ("matches", "inliers", "colour", "points")
"""Names of the evidence that `tell_points` puts into words."""

WIDTH, GAP = 1000.0, 60.0
"""Of a drawing, in its own units: the pictures are as large as fits into a square each."""

MOST_LINES = 60

FAR = 1e9
"""No picture has so many pixels on a side; nor is infinity or what is no number below it."""


@dataclass(frozen=True, slots=True)
class DrawnPart:
    """Where a part of a picture is drawn.

    Attributes:
        x: Left side, in the drawing's units.
        y: Upper side.
        width: In the drawing's units.
        height: In the drawing's units.
        part: ``(x0, y0, x1, y1)``: the part that is shown, in pixels of the whole picture.
        size: (width, height) of the whole picture in pixels.
    """

    x: float
    y: float
    width: float
    height: float
    part: tuple[int, int, int, int]
    size: tuple[int, int]

    def place(self, x: float, y: float) -> tuple[float, float] | None:
        """Give where a point of the part is drawn.

        Args:
            x: In pixels from the part's left side.
            y: In pixels from its upper side.

        Returns:
            In the drawing's units; None of a point that is not in the part.
        """
        left, top, right, bottom = self.part
        # Points are given to a tenth of a pixel.
        if not (-0.1 <= x <= right - left + 0.1 and -0.1 <= y <= bottom - top + 0.1):
            return None
        return (
            self.x + self.width * x / (right - left),
            self.y + self.height * y / (bottom - top),
        )


@dataclass(frozen=True, slots=True)
class Line:
    """From a point of the query's item to the point of the product's picture that it matches."""

    x1: float
    y1: float
    x2: float
    y2: float


@dataclass(frozen=True, slots=True)
class Drawing:
    """The query's item and the product's picture beside each other, with lines across.

    Attributes:
        width: In its own units.
        height: In the same.
        query: The query's item, on the left.
        product: The product's picture, on the right.
        lines: One for each point, at most `MOST_LINES`, at least one.
        is_whole: Whether that is all of the verified points, as far as the evidence tells.
    """

    width: float
    height: float
    query: DrawnPart
    product: DrawnPart
    lines: tuple[Line, ...]
    is_whole: bool


def tell_points(evidence: Mapping[str, Any]) -> str | None:
    """Say in a sentence what key points and colours tell, as `VerifiedReranker` gives them.

    Args:
        evidence: Of a match.

    Returns:
        "" where no point is verified; None where the evidence does not tell how many of how many
        matched points are.

    Example:
        >>> tell_points({"matches": 52, "inliers": 38, "colour": 0.82})
        '38 of 52 points agree, colours fit 0.82'
    """
    matches, inliers, colour = (evidence.get(name) for name in ("matches", "inliers", "colour"))
    if not _is_count(matches) or not _is_count(inliers) or not 0 <= inliers <= matches:
        return None
    if inliers == 0:
        return ""
    told = f"{inliers} of {matches} points agree"
    if not _is_number(colour):
        return told
    fit = f"colours fit {colour:.2f}" if colour > 0 else f"colours do not fit ({colour:.2f})"
    return f"{told}, {fit}"


def draw_points(
    evidence: Mapping[str, Any],
    *,
    item: Box,
    query: tuple[int, int],
    image: Box | None,
    product: tuple[int, int] | None,
) -> Drawing | None:
    """Lay out both pictures and the lines between their verified points.

    Args:
        evidence: Of a match; its ``points`` are x and y in pixels of the query's item, then of the
            part of the product's picture that matched.
        item: The query's item, in pixels of the query.
        query: (width, height) of the query in pixels.
        image: The part of the product's picture that matched, in pixels of it; None for all of it.
        product: (width, height) of the product's picture in pixels, None where it is not known.

    Returns:
        None where there is no point, or where it cannot be told where one belongs: the size is not
        known, or the picture is no longer the one that was indexed, so that points lie beside it.
    """
    points = evidence.get("points")
    if product is None or not isinstance(points, list | tuple) or not points:
        return None
    if image is not None and (image[2] > product[0] + 1 or image[3] > product[1] + 1):
        return None
    side = (WIDTH - GAP) / 2
    height = side * max(_flatness(item, query), _flatness(image, product))
    left = _fit(item, query, 0.0, height)
    right = _fit(image, product, side + GAP, height)
    lines = []
    for point in points[:MOST_LINES]:
        if not _is_point_pair(point):
            return None
        start, end = left.place(point[0], point[1]), right.place(point[2], point[3])
        if start is None or end is None:
            return None
        lines.append(Line(*start, *end))
    inliers = evidence.get("inliers")
    is_whole = len(points) <= len(lines) and not (_is_count(inliers) and inliers > len(lines))
    return Drawing(WIDTH, height, left, right, tuple(lines), is_whole)


def _fit(box: Box | None, size: tuple[int, int], x: float, height: float) -> DrawnPart:
    """Place a part of a picture in the middle of a square of the drawing, as large as fits."""
    part = _part(box, size)
    wide, high = part[2] - part[0], part[3] - part[1]
    side = (WIDTH - GAP) / 2
    scale = side / max(wide, high)
    return DrawnPart(
        x=x + (side - scale * wide) / 2,
        y=(height - scale * high) / 2,
        width=scale * wide,
        height=scale * high,
        part=part,
        size=size,
    )


def _flatness(box: Box | None, size: tuple[int, int]) -> float:
    """Give how high a part of a picture is where its longer side is 1."""
    x0, y0, x1, y1 = _part(box, size)
    return (y1 - y0) / max(x1 - x0, y1 - y0)


def _part(box: Box | None, size: tuple[int, int]) -> tuple[int, int, int, int]:
    return (0, 0, *size) if box is None else whole_pixels(box, size)


def _is_point_pair(value: object) -> bool:
    return isinstance(value, list | tuple) and len(value) == 4 and all(map(_is_number, value))


def _is_count(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and -FAR < value < FAR
