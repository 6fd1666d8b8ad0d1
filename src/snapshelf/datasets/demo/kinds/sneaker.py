"""Sneakers from the side: runners, low court shoes and high-tops."""

import numpy as np

from snapshelf.datasets.demo.brands import mark
from snapshelf.datasets.demo.colours import Colour, blend, colour
from snapshelf.datasets.demo.curves import Knot, line, smooth
from snapshelf.datasets.demo.design import Design, Pose
from snapshelf.datasets.demo.kinds.cloth import cloth, thread
from snapshelf.datasets.demo.kinds.tote import strap
from snapshelf.datasets.demo.lettering import printed
from snapshelf.datasets.demo.relief import Relief

__all__ = ["draw_sneaker"]


def draw_sneaker(relief: Relief, design: Design, pose: Pose) -> None:
    """Draw a sneaker, its toe to the left."""
    main, second, accent = design.palette
    raster = cloth(design, relief.size)
    high = design.shape == "high-top"
    runner = design.shape == "runner"
    rise = -17.0 if high else 0.0
    sole_top = 70.0 - (2.0 if runner else 0.0)
    white = colour("off-white") if design.pick("sole", (True, True, False)) else second
    # The inside of the collar, seen behind the tongue.
    relief.part(
        smooth(
            [
                (60, 36 + rise, 1),
                (74, 34 + rise),
                (90, 35 + rise, 1),
                (88, 48 + rise),
                (64, 50 + rise),
            ]
        ),
        blend(main, colour("black"), 0.6),
        bulge=0.4,
    )
    tongue = smooth(
        [(53, 40 + rise, 1), (59, 29 + rise), (66, 31 + rise, 1), (66, 48 + rise), (50, 56)]
    )
    relief.part(tongue, raster if design.pattern == "plain" else main, bulge=1.8, rim=4)
    upper: list[Knot] = [
        (5, sole_top + 3, 1),
        (6.5, 62),
        (13, 57.5),
        (24, 55),
        (36, 51),
        (47, 45),
        (56, 39 + rise * 0.8),
        (62, 36.5 + rise, 1),
        (67, 43 + rise),
        (76, 45.5 + rise),
        (86, 40 + rise),
        (92, 35 + rise, 1),
        (95, 42 + rise * 0.8),
        (93.5, 56),
        (95, sole_top + 3, 1),
    ]
    relief.part(smooth(upper), raster, bulge=6.5, rim=15, gloss=0.1)
    cap = smooth(
        [
            (5, sole_top + 3, 1),
            (6.5, 62),
            (13, 57.5),
            (23, 55.3, 1),
            (27, 61),
            (27, sole_top + 3, 1),
        ]
    )
    cap_tone = design.pick("cap", (second, main, accent))
    relief.part(cap, cap_tone, bulge=0.5, rim=2, gloss=0.25, cast=0.2)
    heel = smooth(
        [
            (84, sole_top + 3, 1),
            (83, 56),
            (87, 44 + rise * 0.7),
            (92.4, 38 + rise * 0.9, 1),
            (95, 44 + rise * 0.6),
            (93.5, 56),
            (95, sole_top + 3, 1),
        ]
    )
    relief.part(
        heel,
        accent if design.pick("heel", (True, False)) else second,
        bulge=0.6,
        rim=2,
        gloss=0.2,
        cast=0.2,
    )
    guard = smooth(
        [
            (38, 52, 1),
            (50, 45),
            (62, 37 + rise, 1),
            (65, 41 + rise, 1),
            (56, 50 + rise * 0.3),
            (45, 58),
            (39, 60, 1),
        ]
    )
    relief.part(guard, blend(main, second, 0.3), bulge=0.5, rim=1.5, gloss=0.15, cast=0.2)
    _side(relief, design, sole_top, rise)
    _laces(relief, design, pose, rise)
    edge = smooth(
        [(62, 37 + rise), (67, 43.8 + rise), (76, 46.3 + rise), (86, 41 + rise), (92, 36 + rise)],
        closed=False,
    )
    relief.creases([edge], width=2.4, depth=1.0)
    relief.stitch(edge + np.array([0, 2.6], np.float32), thread(design))
    relief.stitch(smooth([(28, 57), (28.4, 62), (28.4, sole_top)], closed=False), thread(design))
    _sole(relief, design, sole_top, white, runner=runner)


def _side(relief: Relief, design: Design, sole_top: float, rise: float) -> None:
    """The brand's sign on the quarter: stripes, a swoosh-free wave, a bolt or the mark."""
    _, second, accent = design.palette
    sign = design.pick("sign", ("stripes", "bar", "mark", "wave"))
    if sign == "stripes":
        for k in range(3):
            x = 50 + 7 * k
            relief.part(
                line((x, sole_top), (x + 4, sole_top), (x + 10.5, 49), (x + 6.5, 49)),
                second,
                bulge=0.3,
                rim=0.8,
                gloss=0.2,
                cast=0.2,
            )
    elif sign == "bar":
        relief.part(
            smooth(
                [(44, sole_top, 1), (60, 58), (84, 50, 1), (84, 57, 1), (66, 63), (54, sole_top, 1)]
            ),
            accent,
            bulge=0.3,
            rim=0.8,
            gloss=0.2,
            cast=0.2,
        )
    elif sign == "wave":
        relief.part(
            strap(smooth([(42, 66), (54, 60), (64, 64), (82, 52)], closed=False), 4),
            second,
            bulge=0.3,
            rim=0.8,
            gloss=0.2,
            cast=0.2,
        )
        relief.part(
            strap(smooth([(46, 70), (58, 65), (67, 68), (83, 58)], closed=False), 1.6),
            accent,
            bulge=0.2,
            rim=0.5,
            gloss=0.2,
            cast=0.1,
        )
    else:
        printed(relief, mark(design.brand.mark), (60, 50 + rise * 0.2, 76, 66 + rise * 0.2), second)


def _laces(relief: Relief, design: Design, pose: Pose, rise: float) -> None:
    """Rows of laces over the tongue, each with an eyelet, and a bow."""
    tone = colour("white") if design.pick("laces", (True, False)) else design.palette[2]
    rows = 7 if rise else 5
    for k in range(rows):
        t = k / (rows - 1)
        x, y = 41 + 18 * t, 53.5 - 12 * t + rise * t * 0.95
        wobble = float(pose.rng.normal(0, 0.35))
        path = smooth(
            [(x - 3.4, y - 4.4 + wobble), (x + 1.0, y - 2.4), (x + 4.6, y + 1.4 + wobble)],
            closed=False,
        )
        relief.part(strap(path, 2.0), tone, bulge=0.9, rim=0.9, cast=0.4, spread=0.7)
        relief.stroke(
            [np.array([(x + 4.4, y + 1.2), (x + 4.8, y + 1.6)], np.float32)],
            colour("charcoal"),
            1.3,
        )
    x, y = 57, 40 + rise
    droop = 4 + 3 * pose.spread
    for path in (
        smooth([(x, y), (x - 9, y - 3), (x - 11, y + 3), (x - 2, y + 1)], closed=False),
        smooth(
            [(x, y), (x + 5, y + 6), (x + 9, y + 4 + droop * 0.4), (x + 1, y + 1)], closed=False
        ),
        smooth([(x, y), (x - 4, y + 7), (x - 3, y + 9 + droop)], closed=False),
    ):
        relief.part(strap(path, 1.5), tone, bulge=0.8, rim=0.8, cast=0.4, spread=0.7)


def _sole(relief: Relief, design: Design, top: float, white: Colour, *, runner: bool) -> None:
    """The midsole, its foxing line, and the outsole's profile."""
    _, second, accent = design.palette
    if runner:
        middle = smooth(
            [
                (4, top + 1, 1),
                (30, top + 4),
                (60, top + 3),
                (97, top - 4, 1),
                (98, 80),
                (92, 85),
                (60, 84),
                (20, 86),
                (4, 80),
            ]
        )
        out = smooth(
            [(6, 82, 1), (20, 86), (60, 84), (92, 84.5, 1), (90, 88, 1), (60, 87.5), (20, 89.5, 1)]
        )
    else:
        middle = smooth(
            [
                (4, top, 1),
                (30, top + 2),
                (60, top + 2),
                (96, top, 1),
                (97, 78),
                (96, 84, 1),
                (50, 85),
                (5, 84, 1),
                (3, 78),
            ]
        )
        out = line((5, 83.5), (96, 83.5), (95, 87), (7, 87))
    relief.part(
        out, design.pick("tread", (colour("tan"), accent, colour("charcoal"))), bulge=1, rim=2
    )
    teeth = [line((x, 85), (x + 0.3, 90)) for x in np.linspace(9, 93, 30)]
    relief.groove(teeth, width=0.8, depth=0.4, dark=0.5)
    relief.part(middle, white, bulge=2.6, rim=4.5, gloss=0.15, cast=0.35, fresh=True)
    stripe = smooth([(5, 79), (30, 80.6), (60, 80), (96.5, 78.4)], closed=False)
    relief.stroke([stripe], second if design.pick("foxing", (True, False)) else accent, 1.0)
    relief.stitch(
        smooth([(5, top + 3.4), (30, top + 5.4), (60, top + 5), (96, top + 2.4)], closed=False),
        blend(white, colour("grey"), 0.6),
    )
    if not runner:
        ribs = [line((x, 75), (x, 79)) for x in np.linspace(6, 17, 9)]
        relief.groove(ribs, width=0.5, depth=0.3, dark=0.3)
