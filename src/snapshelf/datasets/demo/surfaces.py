"""Surfaces that things lie on or stand before: wood, stone, brick, grass, tiles, cloth."""

from collections.abc import Callable
from functools import lru_cache

import numpy as np

from snapshelf.datasets.demo.colours import blend, colour
from snapshelf.datasets.demo.noise import clouds, ripples
from snapshelf.datasets.demo.patterns import pattern, weave
from snapshelf.datasets.demo.raster import Plane, Raster, blurred, slopes, stroked

__all__ = ["SURFACES", "TILE", "surface"]

TILE = 768
"""Pixels along a side of a surface; it can be tiled."""


@lru_cache(maxsize=64)
def surface(name: str, variant: int) -> Raster:
    """Draw a surface.

    Args:
        name: A key of `SURFACES`.
        variant: Decides its colours and details.

    Returns:
        (TILE, TILE, 3) float32, RGB, linear light, [0, 1]; not to be written to.
    """
    rng = np.random.default_rng([TILE, variant, *name.encode()])
    raster = np.asarray(np.clip(SURFACES[name](rng), 0.0, 1.0), np.float32)
    raster.flags.writeable = False
    return raster


def _toned(base: Raster, field: Plane) -> Raster:
    return np.asarray(base * (1 + field[..., None]), np.float32)


def _ground(*names: str) -> Callable[[np.random.Generator], Raster]:
    def chosen(rng: np.random.Generator) -> Raster:
        return colour(names[int(rng.integers(len(names)))])

    return chosen


def _planks(rng: np.random.Generator) -> Raster:
    tone = _ground("tan", "camel", "sand", "brown", "beige", "espresso")(rng)
    count = int(rng.integers(4, 8))
    width = TILE // count
    picture = np.empty((TILE, TILE, 3), np.float32)
    for k in range(count):
        stop = TILE if k == count - 1 else (k + 1) * width
        rows = stop - k * width
        grain = ripples(rng, rows, TILE, max(8, rows // 4), 5) * 0.10
        warp = ripples(rng, rows, TILE, 3, 4)
        level = np.linspace(0, 9, rows, dtype=np.float32)[:, None]
        grain += 0.07 * np.sin(level * 2.2 + warp * 2.6)
        shade = np.float32(rng.uniform(0.78, 1.16))
        picture[k * width : stop] = _toned(np.broadcast_to(tone * shade, (rows, TILE, 3)), grain)
        picture[k * width : k * width + 2] *= 0.45
        joint = int(rng.integers(0, TILE - 3))
        picture[k * width : stop, joint : joint + 2] *= 0.5
    return picture


def _concrete(rng: np.random.Generator) -> Raster:
    tone = _ground("grey", "silver", "beige")(rng)
    field = clouds(rng, TILE, TILE, 4, octaves=6) * 0.10
    field += ripples(rng, TILE, TILE, TILE, TILE) * 0.06
    return _toned(np.broadcast_to(tone, (TILE, TILE, 3)), field)


def _marble(rng: np.random.Generator) -> Raster:
    light, dark = (("white", "grey"), ("charcoal", "silver"))[int(rng.integers(2))]
    veins = np.abs(clouds(rng, TILE, TILE, 3, octaves=5))
    share = np.clip(1 - veins * 7, 0, 1) * 0.5 + np.clip(clouds(rng, TILE, TILE, 2), 0, 1) * 0.12
    base = np.broadcast_to(colour(light), (TILE, TILE, 3))
    return np.asarray(base + (colour(dark) - base) * share[..., None], np.float32)


def _bricks(rng: np.random.Generator) -> Raster:
    tone = _ground("rust", "burgundy", "tan", "off-white")(rng)
    rows, columns = 12, 6
    high, wide = TILE // rows, TILE // columns
    y, x = np.indices((TILE, TILE), np.float32)
    row = (y // high).astype(int)
    shifted = (x + (row % 2) * (wide // 2)) % TILE
    column = (shifted // wide).astype(int)
    tones = rng.uniform(0.7, 1.2, (rows, columns)).astype(np.float32)
    shade = tones[row, column] * (1 + clouds(rng, TILE, TILE, 24, octaves=3) * 0.12)
    rough = ripples(rng, TILE, TILE, 90, 90) * 1.2
    gap = np.minimum(
        np.minimum(y % high, high - y % high), np.minimum(shifted % wide, wide - shifted % wide)
    )
    mortar = np.clip((3.4 - gap + rough) / 2, 0, 1)
    picture = np.broadcast_to(tone, (TILE, TILE, 3)) * shade[..., None]
    picture = picture + (colour("silver") * 0.8 - picture) * mortar[..., None]
    _, dy = slopes(blurred(1 - mortar, 1.5))
    return _toned(picture, dy * 1.6)


def _tiles(rng: np.random.Generator) -> Raster:
    count = int(rng.integers(5, 9))
    tone = _ground("white", "ice", "mint", "cream", "sky", "blush")(rng)
    other = tone if rng.random() < 0.6 else _ground("grey", "teal", "navy", "sand")(rng)
    y, x = np.indices((TILE, TILE), np.float32)
    side = TILE / count
    even = ((x // side + y // side) % 2)[..., None] if count % 2 == 0 else np.zeros((TILE, TILE, 1))
    gap = np.minimum(np.minimum(x % side, side - x % side), np.minimum(y % side, side - y % side))
    grout = np.clip((2.6 - gap) / 1.6, 0, 1)[..., None]
    picture = tone + (other - tone) * even
    picture = picture + (colour("grey") - picture) * grout
    return _toned(np.asarray(picture, np.float32), clouds(rng, TILE, TILE, 3) * 0.03)


def _grass(rng: np.random.Generator) -> Raster:
    picture = _toned(
        np.broadcast_to(blend(colour("forest"), colour("brown"), 0.3), (TILE, TILE, 3)),
        clouds(rng, TILE, TILE, 8) * 0.2,
    )
    for layer in range(7):
        roots = rng.uniform(0, TILE, (420, 2))
        lean = rng.normal(0, 9, (420, 1))
        tall = rng.uniform(14, 36, (420, 1))
        blades = [
            np.array([(x, y), (x + a * 0.4, y - h * 0.6), (x + a, y - h)], np.float32)
            for (x, y), (a,), (h,) in zip(roots, lean, tall, strict=True)
        ]
        mask = stroked(blades, 2.0, TILE, TILE)
        tone = blend(colour("green"), colour("lime"), float(rng.uniform(0, 0.6)))
        tone = blend(tone, colour("forest"), 0.7 - 0.1 * layer)
        picture = picture * (1 - 0.3 * blurred(mask, 3)[..., None])
        picture = picture + (tone - picture) * mask[..., None]
    return np.asarray(picture, np.float32)


def _rug(rng: np.random.Generator) -> Raster:
    names = [
        ("burgundy", "cream", "navy"),
        ("off-white", "grey", "black"),
        ("teal", "sand", "rust"),
        ("indigo", "off-white", "mustard"),
        ("sage", "cream", "brown"),
    ][int(rng.integers(5))]
    palette = tuple(colour(name) for name in names)
    style = ("argyle", "chevron", "striped", "plain", "plaid")[int(rng.integers(5))]
    return weave(pattern(style, palette, TILE, rng), "knit", rng)


def _bedsheet(rng: np.random.Generator) -> Raster:
    tone = _ground("white", "ice", "blush", "beige", "lilac")(rng)
    folds = clouds(rng, TILE, TILE, 3, octaves=3)
    dx, dy = slopes(folds * 34)
    shade = np.clip(-(dx + dy) * 0.35, -0.45, 0.3)
    return weave(_toned(np.broadcast_to(tone, (TILE, TILE, 3)), shade), "canvas", rng)


def _asphalt(rng: np.random.Generator) -> Raster:
    grit = ripples(rng, TILE, TILE, TILE // 2, TILE // 2) * 0.22
    grit += (
        ripples(rng, TILE, TILE, TILE // 5, TILE // 5) * 0.12 + clouds(rng, TILE, TILE, 3) * 0.07
    )
    return _toned(np.broadcast_to(colour("charcoal") * 1.5, (TILE, TILE, 3)), grit)


def _paving(rng: np.random.Generator) -> Raster:
    count = int(rng.integers(4, 7))
    side = TILE / count
    y, x = np.indices((TILE, TILE), np.float32)
    bend = ripples(rng, TILE, TILE, 20, 20) * 1.5
    gap = (
        np.minimum(np.minimum(x % side, side - x % side), np.minimum(y % side, side - y % side))
        + bend
    )
    joint = np.clip((4 - gap) / 3, 0, 1)
    tones = rng.uniform(0.8, 1.15, (count + 1, count + 1)).astype(np.float32)
    shade = tones[(y // side).astype(int), (x // side).astype(int)]
    stone = _concrete(rng) * shade[..., None]
    return np.asarray(stone * (1 - 0.65 * joint[..., None]), np.float32)


def _plaster(rng: np.random.Generator) -> Raster:
    tone = _ground(
        "off-white", "cream", "ice", "sage", "blush", "sand", "silver", "teal", "mustard"
    )(rng)
    field = clouds(rng, TILE, TILE, 3) * 0.03 + ripples(rng, TILE, TILE, 200, 200) * 0.02
    return _toned(np.broadcast_to(tone, (TILE, TILE, 3)), field)


def _wallpaper(rng: np.random.Generator) -> Raster:
    names = [
        ("cream", "sage", "rust"),
        ("ice", "white", "sky"),
        ("blush", "white", "burgundy"),
        ("forest", "sage", "mustard"),
        ("off-white", "beige", "camel"),
    ][int(rng.integers(5))]
    palette = tuple(colour(name) for name in names)
    style = ("floral", "pinstriped", "palm-leaf", "argyle", "polka-dot")[int(rng.integers(5))]
    main, second, third = palette
    return pattern(style, (main, blend(main, second, 0.55), blend(main, third, 0.5)), TILE, rng)


SURFACES: dict[str, Callable[[np.random.Generator], Raster]] = {
    "planks": _planks,
    "concrete": _concrete,
    "marble": _marble,
    "bricks": _bricks,
    "tiles": _tiles,
    "grass": _grass,
    "rug": _rug,
    "bedsheet": _bedsheet,
    "asphalt": _asphalt,
    "paving": _paving,
    "plaster": _plaster,
    "wallpaper": _wallpaper,
}
"""Every surface by name."""
