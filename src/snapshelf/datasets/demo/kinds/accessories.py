"""Caps, wristwatches and sunglasses."""

import numpy as np

from snapshelf.datasets.demo.brands import logo, mark
from snapshelf.datasets.demo.colours import blend, colour, is_dark
from snapshelf.datasets.demo.curves import Points, box, ellipse, line, mirrored, smooth
from snapshelf.datasets.demo.design import Design, Pose
from snapshelf.datasets.demo.kinds.cloth import cloth, drape, mirror, thread
from snapshelf.datasets.demo.kinds.tote import strap
from snapshelf.datasets.demo.lettering import Lettering, printed, words
from snapshelf.datasets.demo.relief import Relief

__all__ = ["draw_cap", "draw_sunglasses", "draw_watch"]

WHITE, BLACK = colour("white"), colour("black")


def draw_cap(relief: Relief, design: Design, pose: Pose) -> None:
    """Draw a cap from the front: baseball, trucker with a mesh, or a bucket hat."""
    _, second, accent = design.palette
    raster = cloth(design, relief.size)
    if design.shape == "bucket":
        brim = smooth(
            [(8, 74), (16, 62, 1), (50, 58), (84, 62, 1), (92, 74), (80, 84), (50, 88), (20, 84)]
        )
        relief.part(brim, raster, bulge=3, rim=7)
        for k in range(1, 5):
            ring = brim * (1 - 0.055 * k) + np.array([50, 66], np.float32) * (0.055 * k)
            relief.stitch(ring, thread(design))
        crown = smooth(mirrored([(50, 22), (69, 25, 1), (74, 44), (77, 65), (50, 72)]))
        relief.part(crown, raster, bulge=9, rim=15, cast=0.5, spread=2)
        relief.groove([smooth([(31, 26), (50, 29.5), (69, 26)], closed=False)], width=0.7)
        printed(relief, logo(design.brand), (39, 42, 61, 60), second)
        drape(relief, pose, amount=0.6, columns=5)
        return
    crown = smooth(mirrored([(50, 16), (67, 21), (80, 40), (82, 62, 1), (50, 67)]))
    relief.part(crown, raster, bulge=16, rim=28, gloss=0.05)
    if design.shape == "trucker":
        for flip in (False, True):
            side = smooth([(64, 20, 1), (75, 30), (80, 42), (82, 62, 1), (68, 64.5, 1), (67, 40)])
            mesh = second if design.pick("mesh", (True, False)) else WHITE
            relief.part(mirror(side) if flip else side, mesh, bulge=0.1, rim=1, cast=0.1)
            holes = [
                line((x, y), (x + 0.5, y))
                for y in np.arange(22, 64, 2.2)
                for x in np.arange(66, 82, 2.2)
            ]
            holes = [mirror(hole) if flip else hole for hole in holes]
            relief.groove(holes, width=0.9, depth=0.1, dark=0.4)
    for x0, x1 in ((50, 50), (41, 27), (59, 73)):
        seam = smooth([(50 + (x0 - 50) * 0.15, 17), ((x0 + x1) / 2, 40), (x1, 65)], closed=False)
        relief.groove([seam], width=0.5, depth=0.4)
        relief.stitch(seam + np.array([0.9, 0], np.float32), thread(design))
        if x0 != 50:
            relief.part(
                ellipse((x0 + x1) / 2 + (3 if x0 > 50 else -3), 33, 1.1, 1.1),
                BLACK,
                bulge=-0.2,
                rim=0.5,
                cast=0,
            )
    relief.part(ellipse(50, 16.4, 3, 1.6), accent, bulge=1, rim=1.4, cast=0.3)
    motif = accent if design.motif == "badge" else second
    if design.motif == "badge":
        relief.part(ellipse(50, 44, 11, 11), second, bulge=0.5, rim=1, cast=0.3)
        printed(relief, mark(design.brand.mark), (43, 37, 57, 51), motif)
    elif design.motif == "word":
        style = Lettering(8, 0.9, spacing=0.06, case="upper")
        printed(relief, words(design.model, style), (34, 38, 66, 51), second)
    else:
        printed(relief, logo(design.brand), (35, 35, 65, 55), second)
    bill_tone = raster if design.pick("bill", (True, False)) else second
    sag = 4 + pose.spread
    bill = smooth(
        [
            (17, 62, 1),
            (30, 59.5),
            (50, 58.6),
            (70, 59.5),
            (83, 62, 1),
            (88, 72),
            (76, 80 + sag),
            (50, 84 + sag),
            (24, 80 + sag),
            (12, 72),
        ]
    )
    relief.part(bill, bill_tone, bulge=5, rim=16, cast=0.55, spread=2.2, fresh=True)
    for k in range(1, 6):
        curve = bill * (1 - 0.07 * k) + np.array([50, 62], np.float32) * (0.07 * k)
        relief.stitch(curve[35:], thread(design))
    drape(relief, pose, amount=0.25, columns=5)


def draw_watch(relief: Relief, design: Design, pose: Pose) -> None:
    """Draw a wristwatch from the front: a round or a square case, leather or steel band."""
    main, second, accent = design.palette
    steel = {"gold": colour("mustard"), "steel": colour("silver"), "black": colour("charcoal")}[
        design.pick("metal", ("gold", "steel", "steel", "black"))
    ]
    metal_band = design.shape == "steel band"
    band_tone = steel if metal_band else main
    half = design.between("band", 8.5, 10.5)
    radius = design.between("radius", 19, 23)
    for y0, y1, end in ((3, 36, 0.82), (64, 96.5, 0.72)):
        top_half, bottom_half = (half * end, half) if y0 < 50 else (half, half * end)
        piece = smooth(
            [
                (50 - top_half, y0, 1),
                (50, y0 - (1.4 if y0 < 50 else 0)),
                (50 + top_half, y0, 1),
                (50 + bottom_half, y1, 1),
                (50, y1 + (1.4 if y0 > 50 else 0)),
                (50 - bottom_half, y1, 1),
            ]
        )
        relief.part(
            piece,
            cloth(design, relief.size) if not metal_band else band_tone,
            bulge=1.6,
            rim=3,
            gloss=0.25 if not metal_band else 0.7,
        )
        if metal_band:
            rows = [line((50 - half, y), (50 + half, y)) for y in np.arange(y0 + 2, y1, 3.4)]
            relief.groove(rows, width=0.8, depth=0.6, dark=0.5)
            relief.groove(
                [line((50 + s * half * 0.4, y0), (50 + s * half * 0.4, y1)) for s in (-1, 1)],
                width=0.6,
                depth=0.4,
                dark=0.4,
            )
        else:
            inner = piece * 0.86 + piece.mean(0) * 0.14
            relief.stitch(np.concatenate([inner, inner[:1]]), blend(thread(design), WHITE, 0.3))
            if y0 > 50:
                for y in np.arange(76, 94, 4):
                    relief.part(ellipse(50, float(y), 0.9, 0.9), BLACK, bulge=-0.3, rim=0.5, cast=0)
            else:
                relief.part(
                    box(50 - half, 4, 50 + half, 9, radius=1),
                    steel,
                    bulge=0.8,
                    rim=0.8,
                    gloss=0.8,
                    cast=0.3,
                )
                relief.part(
                    box(50 - half + 2, 5.4, 50 + half - 2, 7.8),
                    band_tone * 0.7,
                    bulge=0,
                    rim=0.6,
                    cast=0,
                )
    relief.part(
        box(50 + radius - 1, 47.6, 50 + radius + 4, 52.4, radius=1),
        steel,
        bulge=1.6,
        rim=1.6,
        gloss=0.8,
    )
    square = design.shape == "square case"
    relief.part(
        _case(radius, square=square), steel, bulge=3.2, rim=3.4, gloss=0.8, cast=0.5, spread=1.6
    )
    dial = second if design.pick("dial", (True, False)) else WHITE
    if metal_band:
        dial = main
    relief.part(_case(radius * 0.84, square=square), dial, bulge=-0.8, rim=1.2, gloss=0.25, cast=0)
    ink = WHITE if is_dark(dial) else BLACK
    marks = []
    for k in range(12):
        angle = np.radians(30 * k)
        near, far = radius * (0.62 if k % 3 == 0 else 0.68), radius * 0.77
        marks.append(
            line(
                (50 + near * np.sin(angle), 50 - near * np.cos(angle)),
                (50 + far * np.sin(angle), 50 - far * np.cos(angle)),
            )
        )
    relief.stroke(marks, ink, design.pick("marks", (0.6, 1.0, 1.5)))
    printed(relief, words(design.brand.name, design.brand.lettering), (43, 39, 57, 43), ink)
    if design.pick("subdial", (True, False)):
        relief.part(
            ellipse(50, 58.5, 4.6, 4.6), blend(dial, ink, 0.18), bulge=-0.3, rim=0.6, cast=0
        )
        relief.stroke([line((50, 58.5), (52.4, 56.2))], ink, 0.4)
    hour, minute = float(pose.rng.uniform(0, 12)), float(pose.rng.uniform(0, 60))
    for turn, reach, width, tone in (
        (hour / 12, 0.42, 1.5, ink),
        (minute / 60, 0.66, 1.0, ink),
        (float(pose.rng.random()), 0.72, 0.4, accent),
    ):
        angle = 2 * np.pi * turn
        hand = line(
            (50 - 2.4 * np.sin(angle), 50 + 2.4 * np.cos(angle)),
            (50 + radius * reach * np.sin(angle), 50 - radius * reach * np.cos(angle)),
        )
        relief.stroke([hand], tone, width)
    relief.part(ellipse(50, 50, 1.2, 1.2), steel, bulge=0.5, rim=0.6, gloss=0.7)


def draw_sunglasses(relief: Relief, design: Design, pose: Pose) -> None:
    """Draw sunglasses from the front, their temples behind."""
    frame, second, _ = design.palette
    tint = blend(second, BLACK, design.between("dark", 0.55, 0.85))
    y, apart = 50.0, design.between("apart", 20.5, 22.5)
    wide, tall = design.between("lens", 17, 19), design.between("tall", 12, 15)
    lens = _lens(design.shape, 50 + apart, y, wide, tall)
    rim = _lens(
        design.shape,
        50 + apart,
        y,
        wide + (1.2 if design.shape == "aviator" else 3.2),
        tall + (1.2 if design.shape == "aviator" else 3.2),
    )
    droop = 3 * pose.spread
    for left in (False, True):
        hinge = 50 + apart + wide
        temple = smooth(
            [
                (hinge - 1, y - tall * 0.75, 1),
                (hinge + 3.4, y - tall * 0.8),
                (hinge + 4.6, y - tall * 1.05 + droop * 0.3),
                (hinge + 2.2, y - tall * 1.35 + droop, 1),
                (hinge + 0.8, y - tall * 1.3 + droop, 1),
                (hinge + 1.4, y - tall * 0.95),
                (hinge - 3, y - tall * 0.4, 1),
            ]
        )
        relief.part(
            mirror(temple) if left else temple,
            blend(frame, BLACK, 0.35),
            bulge=1,
            rim=1.6,
            gloss=0.4,
        )
    for left in (False, True):
        outline = mirror(rim) if left else rim
        metal = design.shape == "aviator"
        relief.part(
            outline,
            colour("mustard") if metal else frame,
            bulge=1.8,
            rim=1.8,
            gloss=0.75 if metal else 0.5,
            cast=0.4,
        )
        glass = mirror(lens) if left else lens
        relief.part(glass, tint, bulge=2.5, rim=20, gloss=0.95, cast=0, fresh=True)
        lower = glass[glass[:, 1] > y]
        if len(lower) > 3:
            relief.tint(lower, blend(tint, second, 0.5), strength=0.55)
        dot = line(
            (50 + apart + wide - 0.6, y - tall * 0.72), (50 + apart + wide + 2.4, y - tall * 0.78)
        )
        relief.stroke([mirror(dot) if left else dot], colour("silver"), 1.0)
    bridge = smooth(
        [(50 - apart + wide - 1, y - 4), (50, y - tall * 0.62), (50 + apart - wide + 1, y - 4)],
        closed=False,
    )
    relief.part(
        strap(bridge, 2.2 if design.shape != "aviator" else 1.2),
        colour("mustard") if design.shape == "aviator" else frame,
        bulge=1.2,
        rim=1.2,
        gloss=0.6,
        cast=0.3,
    )
    if design.shape == "aviator":
        bar = line((50 - apart * 0.6, y - tall * 0.86), (50 + apart * 0.6, y - tall * 0.86))
        relief.part(strap(bar, 1.2), colour("mustard"), bulge=0.8, rim=0.8, gloss=0.7)


def _case(radius: float, *, square: bool) -> Points:
    if square:
        side = radius * 0.92
        return box(50 - side, 50 - side, 50 + side, 50 + side, radius=radius * 0.3)
    return ellipse(50, 50, radius, radius)


def _lens(shape: str, x: float, y: float, wide: float, tall: float) -> Points:
    if shape == "round":
        side = (wide + tall) / 2
        return ellipse(x, y, side, side)
    if shape == "aviator":
        return smooth(
            [
                (x - wide * 0.92, y - tall * 0.7),
                (x, y - tall * 0.98),
                (x + wide, y - tall * 0.75),
                (x + wide * 0.9, y + tall * 0.35),
                (x + wide * 0.2, y + tall * 1.15),
                (x - wide * 0.6, y + tall * 0.7),
            ]
        )
    if shape == "cat-eye":
        return smooth(
            [
                (x - wide * 0.9, y - tall * 0.45),
                (x, y - tall * 0.7),
                (x + wide * 1.12, y - tall * 1.05, 1),
                (x + wide * 0.92, y + tall * 0.1),
                (x + wide * 0.3, y + tall * 0.8),
                (x - wide * 0.6, y + tall * 0.7),
            ]
        )
    return smooth(
        [
            (x - wide * 0.95, y - tall * 0.75),
            (x, y - tall * 0.92),
            (x + wide, y - tall * 0.82),
            (x + wide * 0.9, y + tall * 0.5),
            (x + wide * 0.2, y + tall * 0.95),
            (x - wide * 0.75, y + tall * 0.6),
        ]
    )
