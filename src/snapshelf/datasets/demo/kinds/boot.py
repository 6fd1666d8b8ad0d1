"""Boots and pumps from the side."""

import numpy as np

from snapshelf.datasets.demo.colours import Colour, blend, colour
from snapshelf.datasets.demo.curves import line, smooth
from snapshelf.datasets.demo.design import Design, Pose
from snapshelf.datasets.demo.kinds.cloth import cloth, thread
from snapshelf.datasets.demo.kinds.tote import strap
from snapshelf.datasets.demo.relief import Relief

__all__ = ["draw_boot", "draw_pump"]

BLACK = colour("black")


def draw_boot(relief: Relief, design: Design, pose: Pose) -> None:
    """Draw an ankle boot, its toe to the left: Chelsea, lace-up or heeled."""
    main, second, accent = design.palette
    raster = cloth(design, relief.size)
    heeled = design.shape == "heeled"
    top = design.between("top", 10, 22)
    lift = 9.0 if heeled else 0.0
    ground = 88.0
    relief.part(
        smooth([(48, top, 1), (66, top - 3), (84, top + 1, 1), (80, top + 9), (52, top + 9)]),
        blend(main, BLACK, 0.7),
        bulge=0.3,
    )
    heel_tone = blend(colour("espresso"), BLACK, design.between("heel tone", 0, 0.8))
    if heeled:
        relief.part(
            smooth(
                [(70, 70, 1), (90, 68, 1), (88, 78), (86, ground, 1), (76, ground, 1), (75, 80)]
            ),
            heel_tone,
            bulge=3,
            rim=5,
            gloss=0.35,
        )
    upper = smooth(
        [
            (6, ground - 4, 1),
            (7, 77),
            (15, 71.5),
            (28, 68),
            (39, 61),
            (45.5, 50),
            (47, 34),
            (48, top + 1, 1),
            (66, top + 5),
            (84, top + 1, 1),
            (84.5, 36),
            (86, 54),
            (90.5, 70 - lift * 0.3),
            (90, ground - 5 - lift, 1),
            (70, ground - 4 - lift * 0.9),
            (44, ground - 3 - lift * 0.1),
            (20, ground - 3, 1),
        ]
    )
    relief.part(upper, raster, bulge=7, rim=14, gloss=0.28, cast=0.3)
    seam = smooth([(45.6, 50), (56, 62), (60, 74), (59, ground - 5 - lift * 0.6)], closed=False)
    relief.groove([seam], width=0.6, depth=0.4)
    relief.stitch(seam + np.array([1.3, 0], np.float32), thread(design))
    if design.shape == "Chelsea":
        gore = smooth([(58, top + 3, 1), (73, top + 3, 1), (70.5, 42), (66, 53, 1), (61, 42)])
        elastic = blend(accent, BLACK, 0.35)
        relief.part(gore, elastic, bulge=-0.3, rim=1.5, gloss=0.05, cast=0.2)
        ribs = [line((x, top + 4), (66 + (x - 66) * 0.35, 51)) for x in np.linspace(59, 72.4, 11)]
        relief.groove(ribs, width=0.4, depth=0.3, dark=0.3)
        loop = strap(
            smooth([(80, top + 6), (81, top - 5), (85, top - 4), (84, top + 7)], closed=False), 2.2
        )
        relief.part(loop, second, bulge=0.6, rim=1, cast=0.3)
    elif design.shape == "lace-up":
        _laces(relief, design, pose, top)
    else:
        zip_line = smooth([(68, top + 4), (69, 40), (72, 66)], closed=False)
        relief.groove([zip_line], width=1.2, depth=0.4, dark=0.5)
        relief.stroke([zip_line], colour("silver"), 0.5)
    cap = smooth([(19, 70.8), (25, 77), (25.5, ground - 4)], closed=False)
    if design.pick("cap", (True, False)):
        relief.groove([cap], width=0.6)
        relief.stitch(cap + np.array([1.2, 0], np.float32), thread(design))
    sole = (
        smooth(
            [
                (4, ground - 3.6, 1),
                (24, ground - 2.6),
                (48, ground - 4),
                (70, ground - 13, 1),
                (90.5, ground - 15, 1),
                (90.5, ground - 12.5, 1),
                (72, ground - 10),
                (48, ground - 0.8),
                (24, ground, 1),
                (6, ground, 1),
            ]
        )
        if heeled
        else line(
            (4, ground - 5),
            (91, ground - 6),
            (91.5, ground + 4),
            (70, ground + 4),
            (68, ground + 1.5),
            (56, ground + 1.5),
            (54, ground + 3),
            (6, ground + 3),
        )
    )
    relief.part(sole, heel_tone, bulge=1.5, rim=2.5, gloss=0.15, cast=0.3, fresh=True)
    if not heeled:
        relief.stitch(smooth([(6, ground - 3.4), (90, ground - 4.4)], closed=False), colour("sand"))
        relief.groove(
            [line((x, ground + 0.5), (x, ground + 4)) for x in np.linspace(8, 90, 24)],
            width=0.7,
            dark=0.4,
        )
    for _ in range(2):
        y = float(pose.rng.uniform(58, 64))
        bend = smooth([(36, y + 6), (42, y + 3), (50, y + 4)], closed=False)
        relief.creases([bend], width=1.8, depth=0.8)


def _laces(relief: Relief, design: Design, pose: Pose, top: float) -> None:
    tone = design.palette[2]
    facing = smooth(
        [(45, 56, 1), (48, 40), (49, top + 3, 1), (56, top + 4, 1), (55, 42), (54, 58, 1)]
    )
    relief.part(
        facing, blend(design.palette[0], BLACK, 0.2), bulge=0.6, rim=1.5, gloss=0.25, cast=0.3
    )
    for y in np.linspace(top + 7, 56, 6):
        wobble = float(pose.rng.normal(0, 0.3))
        path = smooth([(44.6, y - 1.6 + wobble), (49, y - 1), (54, y + 1.2)], closed=False)
        relief.part(strap(path, 1.7), tone, bulge=0.8, rim=0.8, cast=0.45, spread=0.7)
        relief.stroke([line((54, y + 1.2), (54.4, y + 1.3))], colour("silver"), 1.5)
    for dx, dy in ((-9, 4), (7, 5), (-5, 12), (4, 13)):
        sway = float(pose.rng.normal(0, 1))
        path = smooth(
            [(47, top + 7), (47 + dx * 0.7, top + 6 + dy * 0.3), (47 + dx + sway, top + 7 + dy)],
            closed=False,
        )
        relief.part(strap(path, 1.3), tone, bulge=0.8, rim=0.7, cast=0.4, spread=0.7)


def draw_pump(relief: Relief, design: Design, _pose: Pose) -> None:
    """Draw a pump, its toe to the left: stiletto, block heel or flat."""
    main, second, accent = design.palette
    raster = cloth(design, relief.size)
    lift = {"stiletto": 34.0, "block-heel": 24.0}.get(design.shape, 4.0)
    ground, back = 84.0, 84.0 - lift
    heel = main if design.pick("heel", (True, False)) else accent
    if design.shape == "stiletto":
        relief.part(
            smooth(
                [
                    (79, back - 4, 1),
                    (94, back - 8, 1),
                    (93, back + 8),
                    (90, ground, 1),
                    (87, ground, 1),
                    (87, back + 10),
                ]
            ),
            heel,
            bulge=2,
            rim=3,
            gloss=0.4,
        )
    elif design.shape == "block-heel":
        relief.part(
            smooth(
                [
                    (76, back - 2, 1),
                    (94.5, back - 6, 1),
                    (93.5, back + 10),
                    (93, ground, 1),
                    (79, ground, 1),
                    (78.5, back + 8),
                ]
            ),
            heel,
            bulge=3.5,
            rim=5,
            gloss=0.4,
        )
    else:
        relief.part(
            line((78, ground - 4), (94, ground - 5), (94, ground + 1), (78, ground + 1)),
            colour("espresso"),
            bulge=1,
            rim=2,
        )
    lining = smooth(
        [
            (34, ground - 9 - lift * 0.08, 1),
            (56, ground - 14 - lift * 0.35),
            (78, back - 18),
            (94, back - 24, 1),
            (90, back - 10),
            (60, ground - 8 - lift * 0.45),
        ]
    )
    relief.part(lining, blend(colour("beige"), second, 0.25), bulge=0.3, cast=0)
    slide = lift * 0.06
    upper = smooth(
        [
            (3, ground - 1.5, 1),
            (8, ground - 8.5),
            (20, ground - 14),
            (33, ground - 17 - slide, 1),
            (42, ground - 8 - lift * 0.16),
            (58, ground - 7.5 - lift * 0.5),
            (76, back - 12),
            (88, back - 21),
            (95, back - 26, 1),
            (97.5, back - 14),
            (95.5, back - 3, 1),
            (78, back - 1.0),
            (60, ground - 1.5 - lift * 0.52),
            (44, ground - 1.2 - lift * 0.16),
            (24, ground, 1),
        ]
    )
    relief.part(upper, raster, bulge=5, rim=9, gloss=0.45, cast=0.3)
    sole = smooth(
        [
            (3, ground - 1.4, 1),
            (24, ground - 0.4),
            (44, ground - 1.6 - lift * 0.16),
            (60, ground - 2 - lift * 0.52),
            (78, back - 1.5),
            (95.5, back - 3.2, 1),
            (95, back - 0.8, 1),
            (78, back + 1.2),
            (60, ground + 0.8 - lift * 0.5),
            (44, ground + 1 - lift * 0.14),
            (24, ground + 1.4),
            (8, ground + 0.8, 1),
        ]
    )
    relief.part(
        sole,
        colour("espresso") if design.pick("sole", (True, False)) else colour("red"),
        bulge=0.6,
        rim=1,
        gloss=0.2,
        cast=0.2,
    )
    trim = design.pick("trim", ("bow", "strap", "buckle", "none"))
    if trim == "bow":
        _bow(relief, 25, ground - 13, second)
    elif trim == "buckle":
        relief.part(
            line((18, ground - 14.5), (30, ground - 17.5), (31, ground - 11.5), (19, ground - 8.5)),
            colour("mustard"),
            bulge=0.8,
            rim=1,
            gloss=0.7,
            cast=0.4,
        )
        relief.part(
            line(
                (20.6, ground - 13), (28, ground - 15), (28.6, ground - 12.4), (21.2, ground - 10.4)
            ),
            main,
            bulge=0,
            rim=1,
        )
    elif trim == "strap":
        x, y = 62.0, ground - 9 - lift * 0.55
        path = smooth(
            [(x, y + 2), (x + 4, y - 12), (x + 13, y - 19), (x + 22, y - 18)], closed=False
        )
        relief.part(strap(path, 2.4), raster, bulge=1, rim=1.2, gloss=0.4, cast=0.35)
        relief.part(
            line((x + 2, y - 9), (x + 5.6, y - 10.6), (x + 6.8, y - 7.6), (x + 3.2, y - 6)),
            colour("mustard"),
            bulge=0.6,
            rim=0.6,
            gloss=0.7,
        )


def _bow(relief: Relief, x: float, y: float, tone: Colour) -> None:
    for side in (-1, 1):
        wing = smooth(
            [
                (x, y, 1),
                (x + side * 5, y - 4.4),
                (x + side * 8.5, y - 2.5),
                (x + side * 8, y + 2.4),
                (x + side * 4, y + 2.6),
            ]
        )
        relief.part(wing, tone, bulge=1.4, rim=2.5, gloss=0.3, cast=0.4)
    relief.part(
        smooth([(x - 1.6, y - 1.8), (x + 1.6, y - 1.8), (x + 1.6, y + 1.8), (x - 1.6, y + 1.8)]),
        tone,
        bulge=1.2,
        rim=1.2,
        gloss=0.3,
        cast=0.45,
    )
