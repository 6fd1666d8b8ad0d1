"""Dresses: sleeveless A-line, wrap with short sleeves, and slip dresses; and skirts."""

import numpy as np

from snapshelf.datasets.demo.colours import blend
from snapshelf.datasets.demo.curves import Knot, line, mirrored, smooth
from snapshelf.datasets.demo.design import Design, Pose
from snapshelf.datasets.demo.kinds.cloth import cloth, drape, hem, inside, limb, sleeve, thread
from snapshelf.datasets.demo.kinds.tote import strap
from snapshelf.datasets.demo.relief import Relief

__all__ = ["draw_dress", "draw_skirt"]


def draw_dress(relief: Relief, design: Design, pose: Pose) -> None:
    """Draw a dress from the front."""
    raster = cloth(design, relief.size)
    hem_y, wide = design.between("hem", 84, 96), design.between("wide", 24, 33)
    waist = design.between("waist", 42, 46)
    slip, wrap = design.shape == "slip", design.shape == "wrap"
    if slip:
        for side in (-1, 1):
            path = smooth(
                [(50 + side * 9.5, 22), (50 + side * 8.5, 12), (50 + side * 6, 4)], closed=False
            )
            relief.part(strap(path, 1.2), design.palette[0], bulge=0.4, rim=0.6)
    else:
        neck = mirrored([(50, 5.5, 1), (58, 5.5, 1), (58, 14), (50, 22)])
        relief.part(smooth(neck), inside(design), bulge=0.2)
    shoulder, armpit = (66.0, 9.5), (64.5, 24.0)
    if wrap:
        for left in (False, True):
            degrees = 56 + float(pose.rng.normal(0, 2)) + pose.spread * 4
            outline = limb(shoulder, armpit, length=19, degrees=degrees, cuff=13, bow=0.8)
            sleeve(relief, raster, outline, pose, left=left, degrees=degrees)
    top: list[Knot] = (
        [(50, 25.5), (55, 22.5), (60.5, 19.5, 1), (63, 25, 1)]
        if slip
        else [
            (50, 29 if wrap else 16.5, 1 if wrap else 0),
            (56, 13),
            (58.5, 5, 1),
            (*shoulder, 1),
            (63, 17),
            (*armpit, 1),
        ]
    )
    body = smooth(
        mirrored(
            [
                *top,
                (61.5, 34),
                (59.5, waist),
                (62.5, waist + 10),
                (50 + wide * 0.78, (waist + hem_y) / 2 + 6),
                (50 + wide, hem_y, 1),
                (50 + wide * 0.5, hem_y + 2.2),
                (50, hem_y + 2.6),
            ]
        )
    )
    relief.part(body, raster, bulge=2.2, rim=9, cast=0.3)
    if wrap:
        lap = smooth([(57.5, 7), (53, 20), (44, 33), (40.5, waist)], closed=False)
        relief.creases([lap], width=1.6, depth=0.8)
        relief.groove([lap + np.array([-0.8, 0.6], np.float32)], width=0.8, dark=0.4)
        knot = smooth(
            [
                (41, waist, 1),
                (36, waist + 12),
                (38, waist + 26, 1),
                (41, waist + 25, 1),
                (40, waist + 12),
            ]
        )
        relief.part(knot, raster, bulge=0.8, rim=1.5, cast=0.4)
    belt = design.pick("belt", (True, False)) or wrap
    if belt:
        tone = design.palette[2] if design.pick("belt tone", (True, False)) else inside(design)
        band = smooth(
            mirrored(
                [
                    (50, waist - 1.2),
                    (59.9, waist - 1.8, 1),
                    (60.1, waist + 1.7, 1),
                    (50, waist + 2.4),
                ]
            )
        )
        relief.part(band, tone, bulge=0.7, rim=1.2, cast=0.4)
    else:
        relief.groove(
            [smooth([(40.5, waist), (50, waist + 1.2), (59.5, waist)], closed=False)], width=0.5
        )
    hem(relief, (50 - wide + 1.2, hem_y - 1.6), (50 + wide - 1.2, hem_y - 1.6), design, sag=2.4)
    _gathers(relief, pose, waist + 2, hem_y, 9.0, wide)
    drape(relief, pose, amount=0.8, columns=8, folds=((63, 25, 54, 33), (37, 25, 46, 33)))


def draw_skirt(relief: Relief, design: Design, pose: Pose) -> None:
    """Draw a skirt from the front: pleated, A-line or pencil."""
    raster = cloth(design, relief.size)
    hem_y = design.between("hem", 76, 92)
    wide = {"pencil": 21.0, "A-line": 31.0}.get(design.shape, 34.0) + design.between("w", -2, 3)
    hip = 17.0
    body = smooth(
        mirrored(
            [
                (50, 12),
                (50 + hip - 1, 12, 1),
                (50 + hip + 4, 30),
                (50 + (wide + hip) * 0.55, 46),
                (50 + wide, hem_y, 1),
                (50 + wide * 0.5, hem_y + 2.5),
                (50, hem_y + 3.2),
            ]
        )
    )
    relief.part(body, raster, bulge=2.2, rim=9, cast=0.3)
    band = smooth(
        mirrored([(50, 8.6), (50 + hip - 1, 7.6, 1), (50 + hip - 0.4, 13, 1), (50, 14.2)])
    )
    relief.part(
        band,
        blend(design.palette[0], thread(design), 0.15)
        if design.pattern == "plain"
        else design.palette[2],
        bulge=0.8,
        rim=1.6,
        cast=0.35,
    )
    if design.shape == "pleated":
        pleats = [
            line((50 + hip * t, 14), (50 + wide * t, hem_y + 2 * (1 - t * t)))
            for t in np.linspace(-0.92, 0.92, 13)
        ]
        relief.groove(pleats, width=0.8, depth=0.9, dark=0.4)
        relief.creases(
            [pleat + np.array([1.2, 0], np.float32) for pleat in pleats], width=1.8, depth=0.9
        )
    else:
        _gathers(relief, pose, 15, hem_y, hip, wide)
    if design.shape == "pencil":
        relief.groove([line((50, 14), (50, hem_y + 3))], width=0.5)
    hem(relief, (50 - wide + 1.2, hem_y - 1.6), (50 + wide - 1.2, hem_y - 1.6), design, sag=2.8)
    drape(relief, pose, amount=0.7, columns=7)


def _gathers(
    relief: Relief, pose: Pose, top: float, bottom: float, narrow: float, wide: float
) -> None:
    """Folds that fan out from the waist to the hem."""
    for t in np.linspace(-0.85, 0.85, 8):
        t = float(t + pose.rng.normal(0, 0.06))
        start = top + float(pose.rng.uniform(0, 0.35)) * (bottom - top)
        share = (start - top) / (bottom - top)
        x0, x1 = 50 + t * (narrow + (wide - narrow) * share), 50 + t * wide * 1.02
        path = smooth(
            [
                (x0, start),
                ((x0 + x1) / 2 + float(pose.rng.normal(0, 0.8)), (start + bottom) / 2),
                (x1, bottom),
            ],
            closed=False,
        )
        depth = float(pose.rng.uniform(0.8, 1.6)) * (0.4 + pose.wrinkles)
        relief.creases([path], width=2.4, depth=depth)
        relief.creases([path + np.array([2.2, 0], np.float32)], width=1.8, depth=-0.6 * depth)
