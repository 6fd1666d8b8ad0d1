"""Hoodies with a kangaroo pocket and drawstrings, closed or with a zip."""

import numpy as np

from snapshelf.datasets.demo.brands import logo, mark
from snapshelf.datasets.demo.colours import Colour, blend, colour
from snapshelf.datasets.demo.curves import Points, ellipse, line, mirrored, smooth
from snapshelf.datasets.demo.design import Design, Pose
from snapshelf.datasets.demo.kinds.cloth import (
    cloth,
    drape,
    inside,
    limb,
    mirror,
    sleeve,
    thread,
)
from snapshelf.datasets.demo.kinds.emblem import emblem
from snapshelf.datasets.demo.kinds.tote import strap
from snapshelf.datasets.demo.lettering import printed
from snapshelf.datasets.demo.raster import Raster
from snapshelf.datasets.demo.relief import Relief

__all__ = ["draw_hoodie"]


def draw_hoodie(relief: Relief, design: Design, pose: Pose) -> None:
    """Draw a hoodie lying flat, its hood up."""
    raster = cloth(design, relief.size)
    half, hem_y = design.between("half", 24, 27), design.between("hem", 84, 88)
    shoulder, armpit = (50 + half, 27.0), (50 + half - 1, 49.0)
    rib = blend(design.palette[0], inside(design), 0.35)
    if design.pick("contrast", (False, False, True)):
        rib = design.palette[1]
    hood = smooth(mirrored([(50, 3.5), (62, 6.5), (66, 18), (64, 29, 1), (50, 36)]))
    relief.part(hood, raster, bulge=3, rim=7)
    opening = smooth(mirrored([(50, 9.5), (58.5, 13), (60, 24), (50, 35.5, 1)]))
    relief.part(opening, inside(design), bulge=-0.8, rim=4, cast=0.0)
    relief.groove([opening], width=1.0, depth=0.2, dark=0.35)
    for left in (False, True):
        degrees = 72 + float(pose.rng.normal(0, 2)) + pose.spread * 4
        outline = limb(shoulder, armpit, length=57, degrees=degrees, cuff=11.5, bow=2)
        sleeve(relief, raster, outline, pose, left=left, degrees=degrees, bulge=2.6)
        _ribbed_cuff(relief, rib, outline, left=left)
    body = smooth(
        mirrored(
            [
                (50, 36.5),
                (57, 31),
                (63, 24.5, 1),
                (shoulder[0] - 5, 24.6),
                (*shoulder, 1),
                (shoulder[0] - 2, 38),
                (*armpit, 1),
                (50 + half - 1, 70),
                (50 + half - 1.5, hem_y, 1),
                (50, hem_y + 1),
            ]
        )
    )
    relief.part(body, raster, bulge=2.4, rim=9, cast=0.3)
    band = smooth(
        mirrored(
            [
                (50, hem_y, 1),
                (50 + half - 1.5, hem_y - 0.8, 1),
                (50 + half - 3, hem_y + 6.5, 1),
                (50, hem_y + 7.6),
            ]
        )
    )
    relief.part(band, rib, bulge=1.4, rim=3, cast=0.25)
    ribs = [
        line((x, hem_y + 0.6), (x, hem_y + 6.6))
        for x in np.linspace(50 - half + 4, 50 + half - 4, 34)
    ]
    relief.groove(ribs, width=0.45, depth=0.25, dark=0.18)
    for side in (-1, 1):
        seam = smooth(
            [(50 + side * half, 27), (50 + side * (half - 2), 38), (50 + side * (half - 1), 49)],
            closed=False,
        )
        relief.groove([seam], width=0.6)
    _front(relief, design, raster, hem_y)
    _strings(relief, design, pose)
    drape(
        relief,
        pose,
        amount=1.2,
        folds=(
            (50 + half - 3, 50, 57, 58),
            (50 - half + 3, 50, 43, 58),
            (62, 30, 68, 46),
            (38, 30, 32, 46),
            (50 + half - 3, 76, 60, 82),
            (50 - half + 3, 76, 40, 82),
        ),
    )


def _front(relief: Relief, design: Design, raster: Raster, hem_y: float) -> None:
    """The pocket and what is printed, or the zip."""
    pocket = smooth(
        mirrored(
            [
                (50, hem_y - 23, 1),
                (60.5, hem_y - 23, 1),
                (67.5, hem_y - 9, 1),
                (67.5, hem_y - 0.5, 1),
                (50, hem_y - 0.5, 1),
            ]
        )
    )
    relief.part(pocket, raster, bulge=0.9, rim=3, cast=0.4)
    for side in (-1, 1):
        edge = line(
            (50 + side * 60.5 - side * 50 - side * 0.8, hem_y - 22.5), (50 + side * 16.6, hem_y - 9)
        )
        relief.stitch(edge, thread(design))
    if design.shape == "zip":
        relief.groove([line((50, 36), (50, hem_y + 7))], width=1.6, depth=0.3, dark=0.5)
        steel = colour("silver")
        teeth = [line((49.3, y), (50.7, y)) for y in np.arange(37, hem_y + 7, 1.1)]
        relief.stroke(teeth, steel, 0.5)
        relief.part(
            line((49.2, 36), (50.8, 36), (51.2, 42), (48.8, 42)),
            steel,
            bulge=0.6,
            rim=0.8,
            gloss=0.6,
        )
        printed(relief, mark(design.brand.mark), (60, 41, 67, 48), design.palette[1])
    elif design.motif == "logo print":
        printed(relief, logo(design.brand), (36, 41, 64, 59), design.palette[1])
    elif design.motif == "emblem":
        emblem(relief, design, (37, 38, 63, 62))
    else:
        printed(relief, mark(design.brand.mark), (60, 41, 67, 48), design.palette[1])


def _strings(relief: Relief, design: Design, pose: Pose) -> None:
    """Two drawstrings that hang from eyelets, each with a knot."""
    cord = colour("white") if design.pick("cord", (True, False)) else design.palette[2]
    for side in (-1, 1):
        sway = float(pose.rng.normal(0, 1.6))
        reach = 52 + float(pose.rng.normal(0, 1.5))
        path = smooth(
            [
                (50 + side * 5.4, 31.5),
                (50 + side * 6.2 + sway * 0.4, 40),
                (50 + side * 5.6 + sway, reach),
            ],
            closed=False,
        )
        relief.part(strap(path, 1.2), cord, bulge=0.7, rim=0.7, cast=0.45, spread=0.7)
        relief.part(
            ellipse(50 + side * 5.6 + sway, reach, 1.2, 1.5), cord, bulge=0.8, rim=1, cast=0.4
        )
        relief.part(
            ellipse(50 + side * 5.4, 31.3, 1.1, 1.1),
            colour("silver"),
            bulge=0.5,
            rim=0.5,
            gloss=0.6,
        )


def _ribbed_cuff(relief: Relief, rib: Colour, outline: Points, *, left: bool) -> None:
    top, bottom = outline[30], outline[40]
    back = outline[28] - outline[30]
    back = back / max(float(np.hypot(*back)), 1e-6)
    middle = (top + bottom) / 2
    low, high = middle + (top - middle) * 0.86, middle + (bottom - middle) * 0.86
    band = np.stack([top + back, bottom + back, high - back * 5.5, low - back * 5.5]).astype(
        np.float32
    )
    band = mirror(band) if left else band
    relief.part(band, rib, bulge=1.6, rim=3, cast=0.3)
    lines = [
        np.stack([band[0] + (band[1] - band[0]) * t, band[3] + (band[2] - band[3]) * t])
        for t in np.linspace(0.1, 0.9, 8)
    ]
    relief.groove([piece.astype(np.float32) for piece in lines], width=0.45, depth=0.25, dark=0.2)
