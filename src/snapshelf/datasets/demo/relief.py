"""A `Relief`: an item before light falls on it, built part by part.

It keeps, for each pixel, the colour, the height above the ground, the gloss, how much light can
reach it, and whether the item covers it. Lighting it is one step at the end, so that a product
can be drawn once for the studio and anew, with other folds and another sun, for the street.
"""

from collections.abc import Sequence

import numpy as np

from snapshelf.datasets.demo.colours import Colour
from snapshelf.datasets.demo.curves import Points
from snapshelf.datasets.demo.raster import (
    Plane,
    Raster,
    blurred,
    filled,
    inflated,
    sampled,
    slopes,
    stroked,
)

__all__ = ["Relief", "Window"]

Window = tuple[slice, slice]
"""Rows and columns of a relief, pixels."""


class Relief:
    """An item's colours and form on a square of 100 x 100 design units.

    Args:
        size: Pixels along a side.

    Attributes:
        size: Pixels along a side.
        unit: Pixels in one design unit.
        albedo: (size, size, 3) float32, RGB, linear light, [0, 1].
        height: (size, size) float32, pixels towards the viewer.
        gloss: (size, size) float32, [0, 1], from dull to mirror-like.
        open: (size, size) float32, [0, 1], the share of light that reaches the place.
        cover: (size, size) float32, [0, 1], whether the item is there.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self.unit = size / 100.0
        self.albedo: Raster = np.zeros((size, size, 3), np.float32)
        self.height: Plane = np.zeros((size, size), np.float32)
        self.gloss: Plane = np.zeros((size, size), np.float32)
        self.open: Plane = np.ones((size, size), np.float32)
        self.cover: Plane = np.zeros((size, size), np.float32)

    def part(
        self,
        outline: Points,
        paint: Colour | Raster,
        *,
        bulge: float = 1.5,
        rim: float = 5.0,
        gloss: float = 0.05,
        cast: float = 0.35,
        spread: float = 1.2,
        fresh: bool = False,
    ) -> None:
        """Lay a piece of material onto the item.

        Args:
            outline: Its edge, design units.
            paint: One colour, or a raster of the relief's size to cut it from.
            bulge: Height in its middle, design units.
            rim: How far from its edge it has risen to that height, design units.
            gloss: In [0, 1].
            cast: How dark a shadow it throws on what it lies on, [0, 1].
            spread: How far that shadow reaches, design units.
            fresh: Whether the form beneath no longer shows (a cap on a bottle), or still does
                (a pocket on a folded shirt).
        """
        window = self.window(outline, spread * 3 + 1)
        if window is None:
            return
        mask = self.fill(outline, window)
        self.layer(mask, window, paint, gloss=gloss, cast=cast, spread=spread)
        bump = inflated(mask, rim * self.unit) * np.float32(bulge * self.unit)
        if fresh:
            self.height[window] += (bump - self.height[window]) * mask
        else:
            self.height[window] += bump

    def layer(
        self,
        mask: Plane,
        window: Window,
        paint: Colour | Raster,
        *,
        gloss: float,
        cast: float = 0.0,
        spread: float = 1.0,
    ) -> None:
        """Put a material where a mask is, without changing the form.

        Args:
            mask: (window's shape) float32, [0, 1].
            window: Which part of the relief.
            paint: One colour, a raster of the relief's size to cut it from, or one of the
                window's.
            gloss: In [0, 1].
            cast: How dark a shadow it throws around it, [0, 1].
            spread: How far that shadow reaches, design units.
        """
        if cast > 0:
            shadow = blurred(mask, spread * self.unit) * np.float32(cast)
            self.open[window] *= 1 - shadow * (1 - mask)
        self.open[window] += (1 - self.open[window]) * mask
        self._paint(mask, window, paint)
        self.gloss[window] += (np.float32(gloss) - self.gloss[window]) * mask
        cover = self.cover[window]
        cover += mask * (1 - cover)

    def tint(self, outline: Points, paint: Colour | Raster, *, strength: float = 1.0) -> None:
        """Colour a place of the item (a print, a panel of the same cloth) and keep its form."""
        window = self.window(outline, 1)
        if window is not None:
            mask = self.fill(outline, window) * np.float32(strength) * self.cover[window]
            self._paint(mask, window, paint)

    def lay(self, mask: Plane, window: Window, paint: Colour | Raster) -> None:
        """Colour the item where a mask, in [0, 1] and of a window's shape, is; keep its form."""
        self._paint(mask * self.cover[window], window, paint)

    def stroke(self, lines: Sequence[Points], colour: Colour, width: float) -> None:
        """Draw lines of a colour onto the item; width in design units."""
        drawn = self._stroke(lines, width)
        if drawn is not None:
            mask, window = drawn
            self._paint(mask * self.cover[window], window, colour)

    def groove(
        self, lines: Sequence[Points], *, width: float = 0.6, depth: float = 0.4, dark: float = 0.35
    ) -> None:
        """Press seams into the item: lines that are lower and darker than their surroundings."""
        drawn = self._stroke(lines, width)
        if drawn is not None:
            mask, window = drawn
            mask = blurred(mask, width * self.unit * 0.4)
            self.height[window] -= mask * np.float32(depth * self.unit)
            self.open[window] *= 1 - np.float32(dark) * mask

    def creases(self, lines: Sequence[Points], *, width: float, depth: float) -> None:
        """Raise soft folds along lines; a negative depth presses them in (design units)."""
        drawn = self._stroke(lines, width, pad=width * 2)
        if drawn is not None:
            mask, window = drawn
            mask = blurred(mask, width * self.unit * 0.7)
            self.height[window] += mask * np.float32(depth * self.unit)

    def stitch(
        self, along: Points, colour: Colour, *, dash: float = 0.9, width: float = 0.28
    ) -> None:
        """Sew along a line: dashes of thread, each in a small dent; design units."""
        steps = np.hypot(*np.diff(along, axis=0).T)
        length = float(steps.sum())
        if length < dash:
            return
        travelled = np.concatenate([[0.0], np.cumsum(steps)])
        count = max(1, int(length / (dash * 1.7)))
        starts = np.arange(count) * (length / count)
        lines = []
        for start in starts:
            at = np.array([start, start + dash])
            x = np.interp(at, travelled, along[:, 0])
            y = np.interp(at, travelled, along[:, 1])
            lines.append(np.stack([x, y], 1).astype(np.float32))
        self.groove([along], width=width * 2, depth=0.12, dark=0.12)
        self.stroke(lines, colour, width)

    def drag(self, amount: float) -> None:
        """Shift the colours along the slopes, so that a pattern follows its cloth's folds.

        Args:
            amount: Design units for a slope of 1.
        """
        dx, dy = slopes(blurred(self.height, 1.2 * self.unit))
        rows, columns = np.indices(self.height.shape, np.float32)
        reach = np.float32(amount * self.unit)
        x = columns + np.clip(dx, -1, 1) * reach
        y = rows + np.clip(dy, -1, 1) * reach
        self.albedo = sampled(self.albedo, x, y)

    def _paint(self, mask: Plane, window: Window, paint: Colour | Raster) -> None:
        whole = paint.ndim == 3 and paint.shape[:2] != mask.shape
        colour = paint[window] if whole else paint
        self.albedo[window] += (colour - self.albedo[window]) * mask[..., None]

    def window(self, outline: Points, pad: float) -> Window | None:
        """Give the smallest window that holds an outline, None where it is off the relief.

        Args:
            outline: Design units.
            pad: Added on every side, design units.
        """
        low = np.floor((outline.min(0) - pad) * self.unit).astype(int)
        high = np.ceil((outline.max(0) + pad) * self.unit).astype(int) + 1
        low, high = np.clip(low, 0, self.size), np.clip(high, 0, self.size)
        if (high - low).min() < 3:
            return None
        return slice(int(low[1]), int(high[1])), slice(int(low[0]), int(high[0]))

    def _local(self, points: Points, window: Window) -> Points:
        corner = np.array([window[1].start, window[0].start], np.float32)
        return np.asarray(points * np.float32(self.unit) - corner, np.float32)

    def fill(self, outline: Points, window: Window) -> Plane:
        """Fill an outline; (window's shape) float32, [0, 1]."""
        rows, columns = window
        return filled(
            self._local(outline, window), rows.stop - rows.start, columns.stop - columns.start
        )

    def _stroke(
        self, lines: Sequence[Points], width: float, *, pad: float = 0.0
    ) -> tuple[Plane, Window] | None:
        if not lines:
            return None
        window = self.window(np.concatenate(lines), width + pad + 1)
        if window is None:
            return None
        rows, columns = window
        local = [self._local(points, window) for points in lines]
        height, across = rows.stop - rows.start, columns.stop - columns.start
        return stroked(local, width * self.unit, height, across), window
