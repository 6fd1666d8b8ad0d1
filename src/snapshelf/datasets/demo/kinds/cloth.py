"""What garments have in common: cloth, sleeves, folds and hems."""

import math
from functools import lru_cache

import numpy as np

from snapshelf.datasets.demo.colours import Colour, blend, is_dark
from snapshelf.datasets.demo.curves import Points, line, smooth
from snapshelf.datasets.demo.design import Design, Pose
from snapshelf.datasets.demo.noise import ripples
from snapshelf.datasets.demo.patterns import pattern, turned_pattern, weave
from snapshelf.datasets.demo.raster import Raster
from snapshelf.datasets.demo.relief import Relief

__all__ = ["cloth", "drape", "hem", "inside", "limb", "sleeve", "thread"]


@lru_cache(maxsize=4)
def cloth(design: Design, size: int) -> Raster:
    """The product's cloth with its pattern and weave; (size, size, 3), not to be written to."""
    raster = pattern(design.pattern, design.palette, size, design.rng("pattern"))
    raster = weave(raster, design.material, design.rng("weave"))
    raster.flags.writeable = False
    return raster


def inside(design: Design) -> Colour:
    """The cloth's wrong side, seen in a neck or a hood."""
    return blend(design.palette[0], np.array([0.02, 0.02, 0.025], np.float32), 0.45)


def thread(design: Design) -> Colour:
    """The colour of seams: a little off the cloth's, so that they can be seen."""
    main = design.palette[0]
    lighter = np.array([1.0, 1.0, 1.0], np.float32)
    return blend(main, lighter, 0.28) if is_dark(main) else np.asarray(main * 0.6, np.float32)


def limb(
    root_out: tuple[float, float],
    root_in: tuple[float, float],
    *,
    length: float,
    degrees: float,
    cuff: float,
    bow: float = 0.0,
) -> Points:
    """Outline of a sleeve on the item's right side, from its seam to its cuff.

    Args:
        root_out: Where the seam starts at the shoulder.
        root_in: Where it ends at the armpit.
        length: From shoulder to cuff.
        degrees: Down from the horizontal.
        cuff: Width at the end.
        bow: How far its middle is bent outwards.
    """
    angle = math.radians(degrees)
    dx, dy = math.cos(angle), math.sin(angle)
    top = (root_out[0] + dx * length, root_out[1] + dy * length)
    bottom = (top[0] - dy * cuff, top[1] + dx * cuff)
    out_middle = ((root_out[0] + top[0]) / 2 + dy * bow, (root_out[1] + top[1]) / 2 - dx * bow)
    in_middle = (
        (root_in[0] + bottom[0]) / 2 + dy * bow * 0.8,
        (root_in[1] + bottom[1]) / 2 - dx * bow * 0.8,
    )
    return smooth(
        [
            (*root_out, 1),
            (root_out[0] + dx * 3 + 1.0, root_out[1] + dy * 3 - 0.4),
            out_middle,
            (*top, 1),
            (*bottom, 1),
            in_middle,
            (*root_in, 1),
            (root_in[0] - 5, root_in[1] - 4, 1),
            (root_out[0] - 6, root_out[1] - 1, 1),
        ]
    )


def sleeve(
    relief: Relief,
    raster: Raster,
    outline: Points,
    pose: Pose,
    *,
    left: bool,
    degrees: float,
    bulge: float = 1.8,
) -> None:
    """Lay a sleeve of cloth that is cut at an angle, as `limb` outlines it for the right side."""
    turn = degrees - 90
    shift = float(pose.rng.uniform(-3, 3)) * relief.unit
    if left:
        outline = mirror(outline)
        turn = -turn
    relief.part(
        outline,
        turned_pattern(raster, turn, (shift, 0.0)),
        bulge=bulge,
        rim=6,
        cast=0.3,
    )


def mirror(outline: Points) -> Points:
    """Mirror an outline about the item's middle."""
    flipped = outline.copy()
    flipped[:, 0] = 100 - flipped[:, 0]
    return flipped


def drape(
    relief: Relief,
    pose: Pose,
    *,
    folds: tuple[tuple[float, float, float, float], ...] = (),
    amount: float = 1.0,
    columns: int = 7,
) -> None:
    """Let the cloth fall into folds.

    Args:
        relief: The garment, its parts laid.
        pose: Decides how strongly, and its generator where.
        folds: (x0, y0, x1, y1) of long folds, design units; each is bent and shifted by chance.
        amount: Scales all heights.
        columns: Number of upright waves across the garment.
    """
    rng, scale = pose.rng, amount * (0.35 + pose.wrinkles)
    waves = ripples(rng, relief.size, relief.size, 3, columns)
    waves += 0.5 * ripples(rng, relief.size, relief.size, 6, columns + 3)
    relief.height += waves * np.float32(0.8 * scale * relief.unit)
    for x0, y0, x1, y1 in folds:
        x0, x1 = x0 + float(rng.normal(0, 1.5)), x1 + float(rng.normal(0, 2.5))
        y0, y1 = y0 + float(rng.normal(0, 1.5)), y1 + float(rng.normal(0, 2.5))
        bend = float(rng.normal(0, 0.09))
        middle = ((x0 + x1) / 2 + (y1 - y0) * bend, (y0 + y1) / 2 - (x1 - x0) * bend)
        path = smooth([(x0, y0), middle, (x1, y1)], closed=False)
        depth = float(rng.uniform(0.7, 1.5)) * scale
        relief.creases([path], width=float(rng.uniform(1.6, 3.2)), depth=depth)
        lower = path + np.array([0.8, 1.8], np.float32)
        relief.creases([lower], width=1.6, depth=-0.55 * depth)
    relief.drag(1.4)


def hem(
    relief: Relief,
    start: tuple[float, float],
    end: tuple[float, float],
    design: Design,
    *,
    sag: float = 0.0,
) -> None:
    """Sew a double row of stitches along an edge."""
    middle = ((start[0] + end[0]) / 2, (start[1] + end[1]) / 2 + sag)
    path = smooth([start, middle, end], closed=False) if sag else line(start, end)
    relief.stitch(path, thread(design))
    relief.stitch(path + np.array([0, -1.0], np.float32), thread(design))
