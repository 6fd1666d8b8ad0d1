"""Shirts with a collar and buttons, long- or short-sleeved."""

import numpy as np

from snapshelf.datasets.demo.brands import mark
from snapshelf.datasets.demo.colours import blend, colour
from snapshelf.datasets.demo.curves import Knot, Points, box, ellipse, line, mirrored, smooth
from snapshelf.datasets.demo.design import Design, Pose
from snapshelf.datasets.demo.kinds.cloth import (
    cloth,
    drape,
    hem,
    inside,
    limb,
    mirror,
    sleeve,
    thread,
)
from snapshelf.datasets.demo.lettering import printed
from snapshelf.datasets.demo.patterns import turned_pattern
from snapshelf.datasets.demo.relief import Relief

__all__ = ["draw_shirt"]


def draw_shirt(relief: Relief, design: Design, pose: Pose) -> None:
    """Draw a buttoned shirt lying flat, seen from the front."""
    raster = cloth(design, relief.size)
    long = design.shape != "short-sleeved"
    half, hem_y = design.between("half", 22, 25), design.between("hem", 88, 93)
    shoulder, armpit = (50 + half, 18.0), (50 + half - 1.0, 39.0)
    relief.part(smooth(mirrored([(50, 8, 1), (57, 8.5), (61, 14, 1), (50, 24)])), inside(design))
    for left in (False, True):
        degrees = (70 if long else 50) + float(pose.rng.normal(0, 2)) + pose.spread * 4
        outline = limb(
            shoulder,
            armpit,
            length=64 if long else 24,
            degrees=degrees,
            cuff=10.5 if long else 16,
            bow=1.5,
        )
        sleeve(relief, raster, outline, pose, left=left, degrees=degrees)
        if long:
            _cuff(relief, design, outline, left=left)
    front: list[Knot] = [
        (50, 17),
        (58, 12, 1),
        (shoulder[0] - 6, 14.5),
        (*shoulder, 1),
        (shoulder[0] - 2, 28),
        (*armpit, 1),
        (50 + half - 1.5, 62),
        (50 + half, hem_y - 9),
        (50 + half - 3, hem_y - 5),
        (50 + half * 0.45, hem_y),
        (50, hem_y + 0.8),
    ]
    relief.part(smooth(mirrored(front)), raster, bulge=1.6, rim=9, cast=0.28)
    for side in (-1, 1):
        seam = smooth(
            [(50 + side * half, 18), (50 + side * (half - 2), 28), (50 + side * (half - 1), 39)],
            closed=False,
        )
        relief.groove([seam], width=0.5)
        yoke = smooth([(50 + side * 9, 14), (50 + side * (half - 1), 25)], closed=False)
        relief.groove([yoke], width=0.4, dark=0.25)
    relief.groove([line((47.4, 19), (47.4, hem_y)), line((52.6, 19), (52.6, hem_y))], width=0.5)
    relief.creases([line((50, 20), (50, hem_y))], width=4, depth=0.5)
    relief.stitch(line((47.9, 20), (47.9, hem_y - 1)), thread(design))
    button = colour("off-white") if design.pick("pearl", (True, True, False)) else design.palette[2]
    for y in np.arange(24.5, hem_y - 4, 9.2):
        relief.part(
            ellipse(50, float(y), 1.15, 1.15),
            button,
            bulge=0.5,
            rim=0.6,
            gloss=0.5,
            cast=0.5,
            spread=0.5,
        )
        holes = [line((49.7, float(y)), (50.3, float(y)))]
        relief.stroke(holes, colour("charcoal"), 0.35)
    pocket = line((57, 33), (69, 33), (69, 43), (63, 46), (57, 43))
    shift = (0.0, 0.0 if design.pattern == "plain" else relief.unit)
    if design.pick("pocket", (True, False)):
        relief.part(
            pocket, turned_pattern(raster, 0, shift), bulge=0.3, rim=1, cast=0.25, spread=0.6
        )
        relief.stitch(line((57.6, 34.6), (68.4, 34.6)), thread(design))
    else:
        printed(relief, mark(design.brand.mark), (60, 33, 65.5, 38.5), design.palette[2])
    hem(relief, (50 - half + 6, hem_y - 4), (50 + half - 6, hem_y - 4), design, sag=3)
    _collar(relief, design)
    drape(
        relief,
        pose,
        folds=(
            (50 + half - 3, 40, 56, 50),
            (50 - half + 3, 40, 44, 50),
            (50 + half - 4, 72, 54, 80),
            (50 - half + 4, 74, 45, 82),
            (62, 20, 66, 36),
            (38, 20, 34, 36),
        ),
    )


def _collar(relief: Relief, design: Design) -> None:
    """Two wings of the collar, folded over its stand."""
    white = design.pick("contrast", (False, False, True))
    tone = design.palette[1] if white else None
    raster = turned_pattern(cloth(design, relief.size), 35, (0.0, 0.0))
    wing = smooth(
        [(50.2, 18.5, 1), (53.5, 12), (58, 7.4, 1), (61.4, 11, 1), (61, 18), (56.5, 25, 1)]
    )
    for outline in (mirror(wing), wing):
        relief.part(outline, raster if tone is None else tone, bulge=0.8, rim=2, cast=0.4)
        edge = outline * 0.88 + outline.mean(0) * 0.12
        relief.stitch(edge, blend(thread(design), colour("grey"), 0.2))
    relief.part(
        box(46.8, 16.8, 53.2, 20, radius=1), raster if tone is None else tone, bulge=0.5, rim=1
    )
    relief.part(
        ellipse(50, 18.4, 1, 1), colour("off-white"), bulge=0.4, rim=0.5, gloss=0.4, cast=0.5
    )


def _cuff(relief: Relief, design: Design, outline: Points, *, left: bool) -> None:
    """The band at the end of a long sleeve, with its button."""
    top, bottom = outline[30], outline[40]
    back = outline[28] - outline[30]
    back = back / max(float(np.hypot(*back)), 1e-6)
    band = np.stack([top + back * 5, bottom + back * 5, bottom, top]).astype(np.float32)
    band = mirror(band) if left else band
    raster = turned_pattern(cloth(design, relief.size), 20, (0.0, 0.0))
    relief.part(band, raster, bulge=0.5, rim=1, cast=0.3)
    relief.stitch(band[:2], thread(design))
    x, y = band.mean(0) * 0.6 + band[1] * 0.4
    relief.part(
        ellipse(float(x), float(y), 0.9, 0.9), colour("off-white"), bulge=0.4, rim=0.5, cast=0.5
    )
