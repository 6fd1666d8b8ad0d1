"""Jeans and trousers with pockets, seams and a waistband; and shorts."""

import numpy as np

from snapshelf.datasets.demo.colours import blend, colour, is_dark
from snapshelf.datasets.demo.curves import box, ellipse, line, mirrored, smooth
from snapshelf.datasets.demo.design import Design, Pose
from snapshelf.datasets.demo.kinds.cloth import cloth, drape, inside, mirror, thread
from snapshelf.datasets.demo.noise import clouds
from snapshelf.datasets.demo.relief import Relief

__all__ = ["draw_trousers"]


def draw_trousers(relief: Relief, design: Design, pose: Pose) -> None:
    """Draw trousers from the front."""
    raster = cloth(design, relief.size)
    short = design.shape == "shorts"
    end = 60.0 if short else 96.0
    cuff = {"slim": 7.0, "wide-leg": 13.5, "shorts": 14.5}.get(design.shape, 9.5)
    denim = design.material == "denim"
    gold = colour("mustard") if denim else thread(design)
    wash = clouds(np.random.default_rng(design.family), relief.size, relief.size, 3)
    relief.part(
        smooth(mirrored([(50, 4.2), (65, 4, 1), (65.5, 8, 1), (50, 10)])), inside(design), bulge=0.2
    )
    step = pose.spread * 1.5
    for left in (True, False):
        apart = 1.5 + (step if left else -step) * 0.4
        leg = smooth(
            [
                (49.2, 7, 1),
                (65, 6, 1),
                (68.2, 22),
                (69.5 if short else 67.5, 44 if short else 50),
                (71.5 if short else 55 + apart + cuff * 1.35, end, 1),
                (51.5 + apart if short else 55 + apart, end + 1.2, 1),
                (50.6 if short else 53, 46 if short else 52),
                (50, 35, 1),
                (49.2, 20, 1),
            ]
        )
        relief.part(mirror(leg) if left else leg, raster, bulge=2.6, rim=7, cast=0.35)
        side = smooth(
            [
                (66.5, 10),
                (68, 24),
                (67, 46 if short else 50),
                (70 if short else 55 + apart + cuff * 1.25, end - 1),
            ],
            closed=False,
        )
        hem_line = line(
            (52.5 + apart if short else 55.5 + apart, end - 1.6),
            (70.8 if short else 54.6 + apart + cuff * 1.35, end - 2.4),
        )
        pocket = smooth([(58, 10.4), (59, 16), (63, 20.5), (67.6, 21)], closed=False)
        inner = smooth(
            [
                (50.8, 36),
                (51.4 if short else 53.8, 46 if short else 52),
                (52.2 + apart if short else 55.6 + apart, end - 2),
            ],
            closed=False,
        )
        for path in (side, hem_line, pocket, inner):
            path = mirror(path) if left else path
            relief.groove([path], width=0.5, depth=0.35, dark=0.3)
            relief.stitch(path + np.array([0.7 if left else -0.7, 0.6], np.float32), gold)
    if denim:
        fade = np.clip(0.10 * wash + 0.02, -0.1, 0.25)
        relief.albedo *= (1 + fade)[..., None]
        pale = blend(design.palette[0], colour("white"), 0.5)
        for k in range(4):
            for x in (41.5, 58.5):
                relief.tint(ellipse(x, 34, 5.5 - k, 15 - 2.5 * k), pale, strength=0.05)
    band = smooth(mirrored([(50, 8.2), (65.2, 5.6, 1), (65.8, 10.2, 1), (50, 13)]))
    relief.part(band, raster, bulge=0.7, rim=1.4, cast=0.3)
    relief.stitch(smooth([(34.6, 9.6), (50, 12.2), (65.4, 9.6)], closed=False), gold)
    for x in (39.0, 61.0):
        relief.part(box(x - 0.9, 5.8, x + 0.9, 12.4), raster, bulge=0.5, rim=0.6, cast=0.4)
    fly = smooth([(52.8, 13), (52.8, 25), (50.4, 30)], closed=False)
    relief.stitch(fly, gold)
    relief.groove([line((50, 13), (50, 34))], width=0.6)
    relief.part(
        ellipse(50, 10.6, 1.5, 1.5),
        colour("mustard") if denim else colour("charcoal"),
        bulge=0.8,
        rim=0.8,
        gloss=0.6,
        cast=0.5,
    )
    if design.shape == "cargo":
        for flip in (False, True):
            pouch = box(60.5, 46, 69.5, 59, radius=0.8)
            flap = box(60, 45, 70, 49, radius=0.8)
            for piece in (pouch, flap):
                relief.part(mirror(piece) if flip else piece, raster, bulge=0.9, rim=1.5, cast=0.4)
    if is_dark(design.palette[0]) or denim:
        relief.creases([line((58, 60), (62, 60)), line((38, 62), (43, 61))], width=1.5, depth=0.5)
    knee = 64 if not short else 50
    drape(
        relief,
        pose,
        columns=6,
        folds=(
            (51, 33, 62, 27),
            (49, 33, 38, 27),
            (51, 36, 61, 36),
            (49, 36, 39, 36),
            (56, knee, 66, knee - 3),
            (44, knee, 34, knee - 2),
            (57, knee + 4, 65, knee + 3),
            (58, end - 12, 64, end - 10),
            (42, end - 13, 36, end - 10),
        ),
    )
