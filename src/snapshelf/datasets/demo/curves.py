"""Smooth outlines from a few points: splines with corners, ellipses, rounded boxes, mirror halves.

Every outline is (N, 2) float32, x to the right and y down, in design units: an item's picture is
100 units wide and 100 units high.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["Knot", "Points", "box", "ellipse", "line", "mirrored", "smooth", "turned"]

Points = NDArray[np.float32]
"""(N, 2) float32, design units."""

Knot = tuple[float, float] | tuple[float, float, int]
"""``(x, y)`` of a point that a curve passes smoothly, or ``(x, y, 1)`` of a corner."""


def smooth(knots: Sequence[Knot], *, closed: bool = True, steps: int = 10) -> Points:
    """Lay a smooth curve (cubic Hermite, Catmull-Rom tangents) through knots.

    Args:
        knots: At least two; a corner has no tangent in common on its two sides.
        closed: Whether the last knot is joined to the first.
        steps: Points per piece of curve between two knots.

    Returns:
        (N, 2) float32.
    """
    where = np.array([knot[:2] for knot in knots], np.float32)
    corner = [len(knot) == 3 for knot in knots]
    count = len(where)
    pieces = count if closed else count - 1
    t = np.linspace(0, 1, steps, endpoint=False, dtype=np.float32)[:, None]
    curve = []
    for i in range(pieces):
        j = (i + 1) % count
        start, end = where[i], where[j]
        chord = end - start
        before = where[i - 1] if closed or i > 0 else start
        after = where[(j + 1) % count] if closed or j + 1 < count else end
        out = chord if corner[i] else _tangent(before, end, chord)
        into = chord if corner[j] else _tangent(start, after, chord)
        t2, t3 = t * t, t * t * t
        curve.append(
            (2 * t3 - 3 * t2 + 1) * start
            + (t3 - 2 * t2 + t) * out
            + (3 * t2 - 2 * t3) * end
            + (t3 - t2) * into
        )
    if not closed:
        curve.append(where[-1:])
    return np.concatenate(curve).astype(np.float32)


def _tangent(before: Points, after: Points, chord: Points) -> Points:
    """Direction of before to after at the length of the chord, so uneven knots don't overshoot."""
    through = after - before
    length = float(np.hypot(*through))
    if length == 0.0:
        return chord
    return np.asarray(through * (float(np.hypot(*chord)) / length), np.float32)


def mirrored(knots: Sequence[Knot], *, about: float = 50.0) -> list[Knot]:
    """Complete the right half of a symmetric outline, given from top to bottom, with its left.

    Knots on the axis itself are not doubled.
    """
    left: list[Knot] = [
        (2 * about - knot[0], *knot[1:]) for knot in reversed(knots) if abs(knot[0] - about) > 1e-6
    ]
    return [*knots, *left]


def ellipse(
    x: float, y: float, rx: float, ry: float, *, start: float = 0.0, stop: float = 360.0
) -> Points:
    """Lay out an ellipse, or the arc from `start` to `stop` (degrees, clockwise from the right)."""
    angle = np.radians(np.linspace(start, stop, 48, endpoint=stop - start < 360))
    return np.stack([x + rx * np.cos(angle), y + ry * np.sin(angle)], 1).astype(np.float32)


def box(x0: float, y0: float, x1: float, y1: float, *, radius: float = 0.0) -> Points:
    """Lay out an upright rectangle, with its corners rounded to a radius."""
    if radius <= 0:
        return np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)], np.float32)
    r = min(radius, (x1 - x0) / 2, (y1 - y0) / 2)
    corners = [
        (x1 - r, y0 + r, 270.0),
        (x1 - r, y1 - r, 0.0),
        (x0 + r, y1 - r, 90.0),
        (x0 + r, y0 + r, 180.0),
    ]
    arcs = []
    for x, y, start in corners:
        angle = np.radians(np.linspace(start, start + 90, 8))
        arcs.append(np.stack([x + r * np.cos(angle), y + r * np.sin(angle)], 1))
    return np.concatenate(arcs).astype(np.float32)


def line(*points: tuple[float, float]) -> Points:
    """Join points by straight pieces."""
    return np.array(points, np.float32)


def turned(points: Points, degrees: float, x: float, y: float) -> Points:
    """Turn points clockwise about (x, y)."""
    angle = math.radians(degrees)
    turn = np.array(
        [[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]], np.float32
    )
    centre = np.array([x, y], np.float32)
    return np.asarray((points - centre) @ turn + centre, np.float32)
