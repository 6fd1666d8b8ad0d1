"""Round things: bodies turned about an upright axis, with labels that wrap around them."""

from collections.abc import Sequence

import numpy as np

from snapshelf.datasets.demo.colours import Colour
from snapshelf.datasets.demo.curves import Knot, Points, smooth
from snapshelf.datasets.demo.raster import Plane, Raster, sampled
from snapshelf.datasets.demo.relief import Relief, Window

__all__ = ["Turned"]


class Turned:
    """A body turned about the axis x = 50, seen from a little above.

    Args:
        profile: Right edge from top to bottom as knots of (x offset from the axis, y).
        tilt: Height of a horizontal circle as a share of its width, [0, 0.4].

    Attributes:
        outline: (N, 2) float32, its silhouette, design units.
    """

    def __init__(self, profile: Sequence[Knot], *, tilt: float = 0.1) -> None:
        right = smooth(profile, closed=False, steps=8)
        self._y = right[:, 1]
        self._r = np.maximum(right[:, 0], 0.05)
        self.tilt = tilt
        self.outline = self._silhouette(0, len(self._y) - 1)

    def _silhouette(self, first: int, last: int) -> Points:
        """Edge of the piece between two points of the profile, with round ends."""
        y, r = self._y[first : last + 1], self._r[first : last + 1]
        turn = np.linspace(0, np.pi, 24)
        right = np.stack([50 + r, y], 1)
        bottom = np.stack([50 + r[-1] * np.cos(turn), y[-1] + self.tilt * r[-1] * np.sin(turn)], 1)
        left = np.stack([50 - r, y], 1)[::-1]
        top = np.stack([50 - r[0] * np.cos(turn), y[0] - self.tilt * r[0] * np.sin(turn)], 1)
        return np.concatenate([right, bottom, left, top]).astype(np.float32)

    def radius(self, y: float) -> float:
        """Radius at a height, design units."""
        return float(np.interp(y, self._y, self._r))

    def band(self, top: float, bottom: float) -> Points:
        """Silhouette of the piece between two heights; its ends curve as the front does."""
        y = np.linspace(top, bottom, 24)
        r = np.interp(y, self._y, self._r)
        turn = np.linspace(0, np.pi, 24)
        below = np.stack([50 + r[-1] * np.cos(turn), bottom + self.tilt * r[-1] * np.sin(turn)], 1)
        above = np.stack([50 - r[0] * np.cos(turn), top + self.tilt * r[0] * np.sin(turn)], 1)
        right, left = np.stack([50 + r, y], 1), np.stack([50 - r, y], 1)[::-1]
        return np.concatenate([right, below, left, above]).astype(np.float32)

    def solid(
        self, relief: Relief, paint: Colour | Raster, *, gloss: float, cast: float = 0.3
    ) -> None:
        """Put the body onto the relief, in place of what is behind it."""
        window = relief.window(self.outline, 4)
        if window is None:
            return
        mask = relief.fill(self.outline, window)
        relief.layer(mask, window, paint, gloss=gloss, cast=cast)
        x, y = self._grid(relief, window)
        r = np.interp(y[:, 0], self._y, self._r).astype(np.float32)[:, None]
        rise = np.sqrt(np.clip(r * r - (x - 50) ** 2, 0, None)) * np.float32(relief.unit)
        relief.height[window] += (rise - relief.height[window]) * mask

    def wrap(
        self,
        relief: Relief,
        label: Raster,
        top: float,
        bottom: float,
        *,
        turn: float = 0.0,
        cover: float = 360.0,
        gloss: float = 0.3,
    ) -> None:
        """Wrap a flat label around the body.

        Args:
            relief: Where the body stands.
            label: (H, W, 3) float32, linear light; it spans `cover` degrees, and its middle
                faces the viewer.
            top: Height of its upper edge at the body's sides, design units.
            bottom: Height of its lower edge.
            turn: Turns the body to the right, degrees.
            cover: How much of the circumference it spans.
            gloss: Of the label.
        """
        window = relief.window(self.outline, 1)
        if window is None:
            return
        x, y = self._grid(relief, window)
        r = np.interp(y[:, 0], self._y, self._r).astype(np.float32)[:, None]
        across = np.clip((x - 50) / r, -1, 1)
        front = np.sqrt(1 - across * across)
        v = (y - np.float32(self.tilt) * r * front - np.float32(top)) / np.float32(bottom - top)
        angle = np.degrees(np.arcsin(across)) - np.float32(turn)
        angle = (angle + 180) % 360 - 180
        u = angle / np.float32(cover) + 0.5
        height, width = label.shape[:2]
        raster = sampled(label, u * width - 0.5, v * height - 0.5)
        edge = np.float32(relief.unit)
        mask = np.clip((np.minimum(v, 1 - v) * (bottom - top)) * edge + 0.5, 0, 1)
        if cover < 360:
            reach = np.minimum(u, 1 - u) * np.float32(np.radians(cover)) * r
            mask *= np.clip(reach * edge + 0.5, 0, 1)
        mask = np.asarray(mask * relief.fill(self.outline, window), np.float32)
        relief.layer(mask, window, raster, gloss=gloss)

    def ring(self, relief: Relief, y: float, value: Colour, width: float) -> None:
        """Draw a line around the body's front at a height."""
        turn = np.linspace(0.03, np.pi - 0.03, 40)
        r = self.radius(y)
        arc = np.stack([50 + r * np.cos(turn), y + self.tilt * r * np.sin(turn)], 1)
        relief.stroke([arc.astype(np.float32)], value, width)

    def shade(self, relief: Relief, y: float, *, width: float = 1.0, dark: float = 0.3) -> None:
        """Darken the body softly along its front at a height, as under a lid."""
        turn = np.linspace(0, np.pi, 40)
        r = self.radius(y)
        arc = np.stack([50 + r * np.cos(turn), y + self.tilt * r * np.sin(turn)], 1)
        relief.groove([arc.astype(np.float32)], width=width, depth=0.0, dark=dark)

    @staticmethod
    def _grid(relief: Relief, window: Window) -> tuple[Plane, Plane]:
        """Design units of each column, (1, W), and of each row, (H, 1)."""
        y, x = (
            (np.arange(span.start, span.stop, dtype=np.float32) + 0.5) / np.float32(relief.unit)
            for span in window
        )
        return x[None, :], y[:, None]
