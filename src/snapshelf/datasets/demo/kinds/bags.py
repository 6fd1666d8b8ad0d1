"""Backpacks and handbags."""

import numpy as np

from snapshelf.datasets.demo.brands import logo, mark
from snapshelf.datasets.demo.colours import Colour, blend, colour
from snapshelf.datasets.demo.curves import Points, box, ellipse, line, mirrored, smooth
from snapshelf.datasets.demo.design import Design, Pose
from snapshelf.datasets.demo.kinds.cloth import cloth, drape, thread
from snapshelf.datasets.demo.kinds.tote import strap
from snapshelf.datasets.demo.lettering import printed
from snapshelf.datasets.demo.relief import Relief

__all__ = ["draw_backpack", "draw_handbag"]

BLACK = colour("black")


def draw_backpack(relief: Relief, design: Design, pose: Pose) -> None:
    """Draw a backpack from the front."""
    main, second, accent = design.palette
    raster = cloth(design, relief.size)
    half, top = design.between("half", 24, 28), design.between("top", 12, 16)
    roll = design.shape == "roll-top"
    sag = pose.spread * 3
    for side in (-1, 1):
        path = smooth(
            [
                (50 + side * 12, top + 6),
                (50 + side * (half + 4), 34),
                (50 + side * (half + 6 + sag), 62),
                (50 + side * (half - 3), 88),
            ],
            closed=False,
        )
        relief.part(strap(path, 5), blend(main, BLACK, 0.45), bulge=1.5, rim=2.5, cast=0.3)
    handle = strap(
        smooth(
            [(42, top + 3), (43, top - 8), (50, top - 10), (57, top - 8), (58, top + 3)],
            closed=False,
        ),
        3.2,
    )
    relief.part(handle, blend(main, BLACK, 0.3), bulge=1.2, rim=1.6)
    body = smooth(
        mirrored(
            [
                (50, top),
                (50 + half * 0.62, top + (1 if not roll else 0)),
                (50 + half - 1, top + 13),
                (50 + half, 52),
                (50 + half + 1.5, 82),
                (50 + half - 4, 93),
                (50, 94.5),
            ]
        )
    )
    relief.part(body, raster, bulge=9, rim=18, gloss=0.08)
    if roll:
        fold = smooth(
            mirrored(
                [
                    (50, top - 1),
                    (50 + half * 0.75, top - 1, 1),
                    (50 + half * 0.8, top + 11, 1),
                    (50, top + 12.5),
                ]
            )
        )
        relief.part(fold, raster, bulge=2.5, rim=4, cast=0.45)
        for side in (-1, 1):
            band = strap(
                smooth([(50 + side * 11, top + 2), (50 + side * 11.5, 38)], closed=False), 2.6
            )
            relief.part(band, second, bulge=0.6, rim=1, cast=0.3)
            relief.part(
                box(50 + side * 11.3 - 2.4, 27, 50 + side * 11.3 + 2.4, 31.5, radius=0.8),
                colour("charcoal"),
                bulge=0.8,
                rim=1,
                gloss=0.4,
                cast=0.4,
            )
    else:
        _zip(
            relief,
            smooth(
                [
                    (50 - half + 1.5, 56),
                    (50 - half + 3, 28),
                    (50 - half * 0.4, top + 6),
                    (50 + half * 0.4, top + 6),
                    (50 + half - 3, 28),
                    (50 + half - 1.5, 56),
                ],
                closed=False,
            ),
        )
    pocket_tone = second if design.pick("pocket", (True, False)) else None
    pocket = smooth(
        mirrored(
            [
                (50, 57),
                (50 + half * 0.68, 58, 1),
                (50 + half * 0.78, 70),
                (50 + half * 0.74, 87),
                (50, 89.5),
            ]
        )
    )
    relief.part(pocket, raster if pocket_tone is None else pocket_tone, bulge=3.5, rim=8, cast=0.4)
    _zip(relief, smooth([(50 - half * 0.64, 62), (50, 60.8), (50 + half * 0.64, 62)], closed=False))
    patch = colour("camel") if design.pick("patch", (True, False)) else accent
    relief.part(box(42, 36, 58, 46, radius=1.5), patch, bulge=0.4, rim=1, gloss=0.2, cast=0.3)
    ink = blend(patch, BLACK, 0.75)
    printed(relief, logo(design.brand, stacked=False), (43.5, 37.5, 56.5, 44.5), ink)
    printed(
        relief, mark(design.brand.mark), (45, 68, 55, 78), accent if pocket_tone is None else main
    )
    drape(
        relief,
        pose,
        amount=0.8,
        columns=5,
        folds=(
            (50 - half + 3, 46, 40, 54),
            (50 + half - 3, 46, 60, 54),
            (40, 92, 44, 84),
            (62, 92, 57, 84),
        ),
    )


def _zip(relief: Relief, path: Points) -> None:
    relief.groove([path], width=1.8, depth=0.5, dark=0.45)
    relief.stroke([path], colour("charcoal"), 1.2)
    relief.stitch(path, colour("silver"), dash=0.35, width=0.55)
    x, y = path[-1]
    pull = line((x - 0.8, y), (x + 0.8, y), (x + 1.1, y + 5), (x - 1.1, y + 5))
    relief.part(pull, colour("silver"), bulge=0.6, rim=0.7, gloss=0.6, cast=0.4)


def draw_handbag(relief: Relief, design: Design, pose: Pose) -> None:
    """Draw a handbag from the front: with a flap, a top handle or a bucket."""
    main, second, accent = design.palette
    raster = cloth(design, relief.size)
    metal = colour("mustard") if design.pick("metal", (True, True, False)) else colour("silver")
    half = design.between("half", 28, 36)
    top = design.between("top", 40, 46)
    sway = pose.spread * 3
    bucket = design.shape == "bucket"
    rise = 9.0 if design.shape != "flap" else 5.0
    inner = half * (0.5 if design.shape == "satchel" else 0.78)
    handle = smooth(
        [
            (50 - inner, top + 5, 1),
            (50 - inner + 1 + sway, top - 16),
            (50 + sway, rise),
            (50 + inner - 1 + sway, top - 16),
            (50 + inner, top + 5, 1),
        ],
        closed=False,
    )
    tone = main if design.pick("handle", (True, False)) else accent
    if design.pick("chain", (False, False, True)) and not bucket:
        relief.part(strap(handle, 1.4), metal * 0.6, bulge=0.6, rim=0.7, gloss=0.7)
        relief.stitch(handle, metal, dash=2.0, width=2.0)
    else:
        relief.part(strap(handle, 3.6), tone, bulge=1.6, rim=1.8, gloss=0.3)
        relief.stitch(handle, thread(design))
    foot = half + (design.between("flare", 1, 4) if not bucket else -5)
    body = smooth(
        mirrored(
            [
                (50, top),
                (50 + half - 3, top, 1),
                (50 + half, top + 6),
                (50 + foot, 84),
                (50 + foot - 4, 91, 1),
                (50, 92),
            ]
        )
    )
    relief.part(body, raster, bulge=6, rim=12, gloss=0.3)
    for side in (-1, 1):
        relief.part(
            ellipse(50 + side * inner, top + 4.5, 2.4, 2.4),
            metal,
            bulge=1,
            rim=1,
            gloss=0.8,
            cast=0.4,
        )
        relief.part(ellipse(50 + side * inner, top + 4.5, 1.3, 1.3), main, bulge=0, rim=1)
    edge = body * 0.94 + np.array([50, (top + 91) / 2], np.float32) * 0.06
    relief.stitch(edge, thread(design))
    if design.shape == "flap":
        flap = smooth(
            mirrored(
                [
                    (50, top - 1.5),
                    (50 + half - 2, top - 1, 1),
                    (50 + half - 1, top + 10),
                    (50 + half * 0.55, top + 25),
                    (50, top + 28.5),
                ]
            )
        )
        relief.part(
            flap,
            raster if design.pick("two-tone", (True, False)) else second,
            bulge=2,
            rim=5,
            gloss=0.3,
            cast=0.5,
            spread=1.8,
        )
        relief.stitch(flap * 0.95 + np.array([50, top + 13], np.float32) * 0.05, thread(design))
        _clasp(relief, 50, top + 26, metal)
    elif bucket:
        relief.groove(
            [
                smooth(
                    [(50 - half + 2, top + 9), (50, top + 11), (50 + half - 2, top + 9)],
                    closed=False,
                )
            ],
            width=1,
            depth=0.6,
        )
        for t in np.linspace(-0.85, 0.85, 9):
            relief.creases(
                [line((50 + half * t, top + 1), (50 + half * t * 0.97, top + 16))],
                width=2,
                depth=1.2,
            )
        tie = smooth([(47, top + 10), (44, top + 24), (46, top + 34)], closed=False)
        relief.part(strap(tie, 1.5), accent, bulge=0.8, rim=0.8, cast=0.4)
        relief.part(
            strap(tie * np.array([-1, 1], np.float32) + np.array([100, 0], np.float32), 1.5),
            accent,
            bulge=0.8,
            rim=0.8,
            cast=0.4,
        )
    else:
        for x in (50 - half * 0.5, 50 + half * 0.5):
            belt = box(x - 2.6, top - 0.5, x + 2.6, top + 32, radius=2.4)
            relief.part(belt, second, bulge=0.9, rim=1.4, gloss=0.3, cast=0.4)
            relief.part(
                box(x - 3.6, top + 18, x + 3.6, top + 24, radius=1),
                metal,
                bulge=0.9,
                rim=1,
                gloss=0.8,
                cast=0.4,
            )
            relief.part(box(x - 2, top + 19.6, x + 2, top + 22.4), second, bulge=0, rim=1)
        relief.groove(
            [
                smooth(
                    [(50 - half + 1, top + 14), (50, top + 15), (50 + half - 1, top + 14)],
                    closed=False,
                )
            ],
            width=0.7,
        )
    printed(relief, logo(design.brand, stacked=False), (39, 80, 61, 86), blend(metal, main, 0.2))
    drape(relief, pose, amount=0.35, columns=4)


def _clasp(relief: Relief, x: float, y: float, metal: Colour) -> None:
    relief.part(
        box(x - 4.4, y - 3, x + 4.4, y + 4, radius=1.5),
        metal,
        bulge=1.2,
        rim=1.4,
        gloss=0.8,
        cast=0.5,
    )
    relief.part(ellipse(x, y + 0.6, 1.8, 1.8), metal * 0.7, bulge=0.8, rim=1, gloss=0.8, cast=0.3)
