"""Patterns of cloth and paper: rasters that repeat at their edges."""

import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from snapshelf.datasets.demo.colours import Colour, blend
from snapshelf.datasets.demo.curves import Points
from snapshelf.datasets.demo.noise import clouds, ripples
from snapshelf.datasets.demo.raster import Plane, Raster, filled, warped

__all__ = ["PATTERNS", "pattern", "turned_pattern", "weave"]

Palette = Sequence[Colour]
"""Main, second and accent colour."""


def pattern(name: str, palette: Palette, size: int, rng: np.random.Generator) -> Raster:
    """Draw a pattern.

    Args:
        name: A key of `PATTERNS`.
        palette: Main, second and accent colour.
        size: Pixels along a side of the result.
        rng: Decides scale and places.

    Returns:
        (size, size, 3) float32, RGB, linear light; it can be tiled.
    """
    return PATTERNS[name](palette, size, rng)


def turned_pattern(raster: Raster, degrees: float, shift: tuple[float, float]) -> Raster:
    """Turn a pattern about its middle and shift it, for a panel cut at another angle."""
    size = raster.shape[0]
    angle, middle = math.radians(degrees), size / 2
    cos, sin = math.cos(angle), math.sin(angle)
    matrix = np.array(
        [
            [cos, -sin, middle - cos * middle + sin * middle + shift[0]],
            [sin, cos, middle - sin * middle - cos * middle + shift[1]],
            [0, 0, 1],
        ]
    )
    return warped(raster, matrix, size, size, wrap=True)


def weave(raster: Raster, material: str, rng: np.random.Generator) -> Raster:
    """Give a raster the grain of its material: "knit", "denim", "leather", "canvas" or plain."""
    size = raster.shape[0]
    if material == "denim":
        rows, columns = np.indices((size, size), np.float32)
        twill = np.sin((rows + columns) * np.float32(2 * np.pi * (size // 5) / size))
        grain = twill * 0.10 + ripples(rng, size, size, size // 2, size // 9) * 0.10
        grain += clouds(rng, size, size, 3, octaves=3) * 0.05
    elif material == "knit":
        rows, columns = np.indices((size, size), np.float32)
        across = columns * np.float32(np.pi * (size // 7) / size)
        stitches = np.sin(
            rows * np.float32(2 * np.pi * (size // 8) / size) + np.abs(np.sin(across)) * 2.2
        )
        grain = stitches * 0.10 - np.cos(across * 2) * 0.09
    elif material == "leather":
        grain = clouds(rng, size, size, 48, octaves=2) * 0.05 + clouds(rng, size, size, 4) * 0.016
    elif material == "canvas":
        grain = ripples(rng, size, size, size // 2, size // 8) * 0.06
        grain += ripples(rng, size, size, size // 8, size // 2) * 0.06
    else:
        grain = ripples(rng, size, size, size // 2, size // 2) * 0.025
    return np.asarray(np.clip(raster * (1 + grain[..., None]), 0, 1), np.float32)


def _flat(value: Colour, size: int) -> Raster:
    return np.broadcast_to(value, (size, size, 3)).astype(np.float32)


def _mixed(below: Raster, above: Colour, mask: Plane | NDArray[np.float64]) -> Raster:
    return np.asarray(below + (above - below) * np.asarray(mask, np.float32)[..., None], np.float32)


def _bands(size: int, edges: Sequence[tuple[float, float]], repeats: int) -> Plane:
    """A (size,) profile, 1 within each (start, stop) of the unit period, antialiased."""
    t = (np.arange(size * 4, dtype=np.float32) * repeats / (size * 4)) % 1.0
    inside = np.zeros_like(t)
    for start, stop in edges:
        inside[(t >= start) & (t < stop)] = 1
    return np.asarray(inside.reshape(size, 4).mean(1), np.float32)


def _plain(palette: Palette, size: int, _rng: np.random.Generator) -> Raster:
    return _flat(palette[0], size)


def _stripes(palette: Palette, size: int, rng: np.random.Generator) -> Raster:
    repeats, share = int(rng.integers(9, 18)), float(rng.uniform(0.25, 0.55))
    rows = np.broadcast_to(_bands(size, [(0, share)], repeats)[:, None], (size, size))
    return _mixed(_flat(palette[0], size), palette[1], rows)


def _blocks(palette: Palette, size: int, rng: np.random.Generator) -> Raster:
    first, second = float(rng.uniform(0.36, 0.46)), float(rng.uniform(0.05, 0.16))
    rows = _flat(palette[0], size)
    chest = _bands(size, [(first, first + second)], 1)[:, None]
    above = _bands(size, [(0, first)], 1)[:, None]
    rows = _mixed(rows, palette[1], np.broadcast_to(above, (size, size)))
    return _mixed(rows, palette[2], np.broadcast_to(chest, (size, size)))


def _pinstripes(palette: Palette, size: int, rng: np.random.Generator) -> Raster:
    columns = _bands(size, [(0, 0.14)], int(rng.integers(16, 28)))[None, :]
    return _mixed(_flat(palette[0], size), palette[1], np.broadcast_to(columns, (size, size)))


def _checks(palette: Palette, size: int, rng: np.random.Generator) -> Raster:
    band = _bands(size, [(0, 0.5)], int(rng.integers(12, 22)))
    mask = (band[:, None] + band[None, :]) * 0.5
    return _mixed(_flat(palette[1], size), palette[0], mask)


def _plaid(palette: Palette, size: int, rng: np.random.Generator) -> Raster:
    repeats = int(rng.integers(4, 8))
    wide = _bands(size, [(0.05, 0.4)], repeats)
    thin = _bands(size, [(0.68, 0.73), (0.78, 0.83)], repeats)
    cloth = _mixed(_flat(palette[0], size), palette[1], (wide[:, None] + wide[None, :]) * 0.42)
    return _mixed(cloth, palette[2], np.clip(thin[:, None] + thin[None, :], 0, 1) * 0.75)


def _dots(palette: Palette, size: int, rng: np.random.Generator) -> Raster:
    repeats, radius = int(rng.integers(9, 16)), float(rng.uniform(0.18, 0.3))
    axis = np.arange(size, dtype=np.float32) * np.float32(repeats / size)
    y, x = np.meshgrid(axis, axis, indexing="ij")
    mask = np.zeros((size, size), np.float32)
    sharp = size / repeats / 1.5
    for shift in (0.0, 0.5):
        away = np.hypot((x + shift) % 1 - 0.5, (y + shift) % 1 - 0.5)
        np.maximum(mask, np.clip((radius - away) * sharp + 0.5, 0, 1), out=mask)
    return _mixed(_flat(palette[0], size), palette[1], mask)


def _tiled_shapes(size: int, shapes: Sequence[tuple[Points, Colour]], ground: Colour) -> Raster:
    """Draw polygons (pixels) in turn, each again where it leaves the tile."""
    pad = size // 5
    wide = np.empty((size + 2 * pad, size + 2 * pad, 3), np.float32)
    wide[:] = ground
    for points, value in shapes:
        for dx in (-size, 0, size):
            for dy in (-size, 0, size):
                moved = points + np.array([dx + pad, dy + pad], np.float32)
                low, high = moved.min(0), moved.max(0)
                if (high < 0).any() or (low > size + 2 * pad).any():
                    continue
                x0, y0 = np.maximum(np.floor(low).astype(int) - 1, 0)
                x1, y1 = np.minimum(np.ceil(high).astype(int) + 2, size + 2 * pad)
                if x1 - x0 < 2 or y1 - y0 < 2:
                    continue
                mask = filled(moved - np.array([x0, y0], np.float32), int(y1 - y0), int(x1 - x0))
                cut = wide[y0:y1, x0:x1]
                cut += (value - cut) * mask[..., None]
    return np.ascontiguousarray(wide[pad : pad + size, pad : pad + size])


def _petal(x: float, y: float, length: float, width: float, angle: float) -> Points:
    t = np.linspace(0, 2 * np.pi, 18, endpoint=False, dtype=np.float32)
    along = length * (0.5 - 0.5 * np.cos(t))
    side = width * np.sin(t) * (0.6 + 0.4 * along / length)
    cos, sin = math.cos(angle), math.sin(angle)
    return np.stack([x + along * cos - side * sin, y + along * sin + side * cos], 1).astype(
        np.float32
    )


def _scattered(
    rng: np.random.Generator, size: int, count: int, apart: float
) -> list[tuple[float, float]]:
    """Places on a tile that keep their distance from each other, across its edges too."""
    places: list[tuple[float, float]] = []
    for _ in range(count * 12):
        x, y = (float(value) for value in rng.uniform(0, size, 2))
        near = any(
            math.hypot((x - px + size / 2) % size - size / 2, (y - py + size / 2) % size - size / 2)
            < apart
            for px, py in places
        )
        if not near:
            places.append((x, y))
        if len(places) == count:
            break
    return places


def _floral(palette: Palette, size: int, rng: np.random.Generator) -> Raster:
    scale = float(rng.uniform(0.045, 0.075)) * size
    petals, bloom, heart = int(rng.integers(5, 8)), palette[1], palette[2]
    leaf = blend(palette[0], np.array([0.05, 0.22, 0.06], np.float32), 0.75)
    shapes: list[tuple[Points, Colour]] = []
    for x, y in _scattered(rng, size, 44, scale * 2.1):
        turn, reach = float(rng.uniform(0, 6.28)), scale * float(rng.uniform(0.75, 1.1))
        shapes += [
            (_petal(x, y, reach * 1.7, reach * 0.3, turn + side), leaf) for side in (0.4, 2.9)
        ]
        for k in range(petals):
            angle = turn + 2 * math.pi * k / petals
            shade = blend(bloom, heart, 0.12 * (k % 2))
            shapes.append((_petal(x, y, reach, reach * 0.36, angle), shade))
        shapes.append((_disc(x, y, reach * 0.27), heart))
    for x, y in _scattered(rng, size, 40, scale * 1.8):
        shapes.insert(0, (_disc(x, y, scale * 0.14), blend(bloom, palette[0], 0.3)))
    return _tiled_shapes(size, shapes, palette[0])


def _leaves(palette: Palette, size: int, rng: np.random.Generator) -> Raster:
    scale = float(rng.uniform(0.09, 0.13)) * size
    shapes: list[tuple[Points, Colour]] = []
    for x, y in _scattered(rng, size, 34, scale * 1.05):
        turn = float(rng.uniform(0, 6.28))
        value = palette[1] if rng.random() < 0.65 else palette[2]
        for k in range(-3, 4):
            reach = scale * (1 - 0.09 * abs(k))
            shapes.append((_petal(x, y, reach, scale * 0.1, turn + k * 0.42), value))
    return _tiled_shapes(size, shapes, palette[0])


def _stars(palette: Palette, size: int, rng: np.random.Generator) -> Raster:
    scale = float(rng.uniform(0.025, 0.045)) * size
    shapes = []
    for x, y in _scattered(rng, size, 70, scale * 2.4):
        turn = float(rng.uniform(0, 6.28))
        angle = turn + np.arange(10) * np.pi / 5
        reach = np.where(np.arange(10) % 2 == 0, scale, scale * 0.42)
        points = np.stack([x + reach * np.cos(angle), y + reach * np.sin(angle)], 1)
        shapes.append((points.astype(np.float32), palette[1] if rng.random() < 0.8 else palette[2]))
    return _tiled_shapes(size, shapes, palette[0])


def _disc(x: float, y: float, radius: float) -> Points:
    angle = np.linspace(0, 2 * np.pi, 16, endpoint=False)
    return np.stack([x + radius * np.cos(angle), y + radius * np.sin(angle)], 1).astype(np.float32)


def _camouflage(palette: Palette, size: int, rng: np.random.Generator) -> Raster:
    cells = int(rng.integers(4, 7))
    cloth = _flat(palette[0], size)
    dark = blend(palette[0], np.zeros(3, np.float32), 0.6)
    for value, limit in ((palette[1], 0.25), (palette[2], 0.55), (dark, 0.5)):
        field = clouds(rng, size, size, cells, octaves=3)
        cloth = _mixed(cloth, value, np.clip((field - limit) * 14, 0, 1))
    return cloth


def _tie_dye(palette: Palette, size: int, rng: np.random.Generator) -> Raster:
    field = clouds(rng, size, size, 3, octaves=5)
    wash = 0.5 + 0.5 * np.sin(field * 3.2)
    cloth = _mixed(_flat(palette[1], size), palette[0], np.clip(wash * 1.4, 0, 1))
    return _mixed(cloth, palette[2], np.clip(clouds(rng, size, size, 4) - 0.5, 0, 1) * 0.8)


def _chevron(palette: Palette, size: int, rng: np.random.Generator) -> Raster:
    repeats, teeth = int(rng.integers(7, 12)), int(rng.integers(5, 9))
    rows, columns = np.indices((size, size), np.float32)
    zigzag = np.abs((columns * teeth / size) % 1 - 0.5) * 2
    phase = (rows * repeats / size + zigzag * 0.6) % 1
    sharp = size / repeats / 1.5
    mask = np.clip((0.25 - np.abs(phase - 0.5)) * sharp + 0.5, 0, 1)
    return _mixed(_flat(palette[0], size), palette[1], mask)


def _diamonds(palette: Palette, size: int, rng: np.random.Generator) -> Raster:
    repeats = int(rng.integers(5, 9))
    rows, columns = np.indices((size, size), np.float32)
    u = (columns * repeats / size) % 1 - 0.5
    v = (rows * (repeats // 2) / size) % 1 - 0.5
    away = np.abs(u) + np.abs(v)
    cloth = _mixed(_flat(palette[0], size), palette[1], np.clip((0.42 - away) * 40, 0, 1))
    thin = np.abs(np.abs(u - v) % 1 - 0.5)
    lines = np.clip((0.02 - np.abs(thin - 0.48)) * 90, 0, 1)
    return _mixed(cloth, palette[2], lines)


PATTERNS: dict[str, Callable[[Palette, int, np.random.Generator], Raster]] = {
    "plain": _plain,
    "striped": _stripes,
    "colour-block": _blocks,
    "pinstriped": _pinstripes,
    "gingham": _checks,
    "plaid": _plaid,
    "polka-dot": _dots,
    "floral": _floral,
    "palm-leaf": _leaves,
    "star-print": _stars,
    "camouflage": _camouflage,
    "tie-dye": _tie_dye,
    "chevron": _chevron,
    "argyle": _diamonds,
}
"""Every pattern by the name a shop gives it."""
