"""Light on a relief: diffuse shading, reflections of softboxes or of the sky, and shadows."""

from dataclasses import dataclass, field

import numpy as np

from snapshelf.datasets.demo.raster import Plane, Raster, blurred, sampled, slopes
from snapshelf.datasets.demo.relief import Relief

__all__ = ["STUDIO", "Light", "lit"]


@dataclass(frozen=True, slots=True)
class Light:
    """Where light comes from.

    Attributes:
        towards: Direction of the main light as seen from the item: x to the right, y down,
            z to the viewer; of any length.
        fill: Share of light that comes from everywhere, [0, 1].
        strength: Brightness of a white surface that faces the main light, about 1.
        colour: RGB of the main light.
        shine: Brightness of reflections.
        window: Where the brightest reflection stands: x and y of the normal that mirrors it.
    """

    towards: tuple[float, float, float] = (-0.45, -0.6, 0.8)
    fill: float = 0.5
    strength: float = 1.0
    colour: tuple[float, float, float] = (1.0, 1.0, 1.0)
    shine: float = 0.55
    window: tuple[float, float] = field(default=(-0.5, -0.25))


STUDIO = Light()
"""Soft light from the upper left, as in a shop's studio."""

_BALL = 96


def lit(relief: Relief, light: Light) -> Raster:
    """Light a relief.

    Args:
        relief: The item; it covers something.
        light: What falls on it.

    Returns:
        (H, W, 4) float32, cut close to the item: RGB in linear light times coverage, [0, about
        1.3], and coverage.
    """
    rows = np.flatnonzero(relief.cover.max(1) > 0.02)
    columns = np.flatnonzero(relief.cover.max(0) > 0.02)
    window = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
    dx, dy = slopes(np.ascontiguousarray(relief.height[window]))
    cover, way_in, gloss = relief.cover[window], relief.open[window], relief.gloss[window]
    length = 1 / np.sqrt(dx * dx + dy * dy + 1)
    direction = np.array(light.towards, np.float32)
    direction /= np.float32(np.linalg.norm(direction))
    facing = (direction[2] - dx * direction[0] - dy * direction[1]) * length
    np.maximum(facing, 0, out=facing)
    # A wall that faces the viewer is the neutral grey that exposure is set for.
    diffuse = np.float32((1 - light.fill) / direction[2]) * facing
    diffuse += np.float32(light.fill) * (0.72 + 0.28 * length)
    diffuse *= way_in * np.float32(light.strength)
    tint = np.array(light.colour, np.float32)
    picture = np.empty((*cover.shape, 4), np.float32)
    np.multiply(relief.albedo[window], diffuse[..., None] * tint, out=picture[..., :3])
    if float(gloss.max()) > 0.02:
        shine = way_in * np.float32(light.shine * light.strength)
        shine *= _mirrored(gloss, light.window, dx * length, dy * length)
        picture[..., :3] += shine[..., None]
    picture[..., :3] *= cover[..., None]
    picture[..., 3] = cover
    return picture


def _mirrored(gloss: Plane, window: tuple[float, float], nx: Plane, ny: Plane) -> Plane:
    """Brightness of what each place mirrors, dull and sharp reflections mixed by the gloss."""
    centre, reach = np.float32(_BALL / 2 - 0.5), np.float32(_BALL / 2 - 1.5)
    x, y = centre - nx * reach, centre - ny * reach
    sharp = _surroundings(window)
    dull = blurred(sharp, _BALL * 0.11)
    return gloss * (sampled(sharp, x, y) * gloss + sampled(dull, x, y) * (1 - gloss))


def _surroundings(window: tuple[float, float]) -> Plane:
    """A mirror ball's picture of the room: a tall softbox, a fainter one opposite, a bright top."""
    axis = (np.arange(_BALL, dtype=np.float32) - (_BALL / 2 - 0.5)) / (_BALL / 2)
    y, x = np.meshgrid(axis, axis, indexing="ij")
    ball = np.zeros((_BALL, _BALL), np.float32)
    wx, wy = window
    for cx, cy, half_x, half_y, value in (
        (wx, wy, 0.11, 0.42, 1.0),
        (-wx * 1.35, wy * 0.5, 0.06, 0.5, 0.45),
        (0.0, -0.85, 0.5, 0.07, 0.5),
    ):
        inside = np.clip((half_x - np.abs(x - cx)) * 14 + 0.5, 0, 1)
        inside *= np.clip((half_y - np.abs(y - cy)) * 14 + 0.5, 0, 1)
        np.maximum(ball, inside * np.float32(value), out=ball)
    return np.asarray(ball + np.float32(0.05) * np.clip(-y, 0, 1), np.float32)
