"""Cans, jars and tubes."""

import numpy as np

from snapshelf.datasets.demo.colours import blend, colour
from snapshelf.datasets.demo.curves import Knot, box, ellipse, line, smooth
from snapshelf.datasets.demo.design import Design, Pose
from snapshelf.datasets.demo.kinds.bottle import around
from snapshelf.datasets.demo.labels import FLAVOURS, front_label
from snapshelf.datasets.demo.lathe import Turned
from snapshelf.datasets.demo.raster import resized
from snapshelf.datasets.demo.relief import Relief

__all__ = ["draw_can", "draw_jar", "draw_tube"]


def draw_can(relief: Relief, design: Design, pose: Pose) -> None:
    """Draw a can: a slim or a standard one for drinks, or a food tin."""
    steel = colour("silver")
    tin = design.shape == "tin"
    wide = {"slim can": 19.0, "tin": 29.0}.get(design.shape, 23.0)
    top, bottom = (26.0, 82.0) if tin else (9.0, 90.0)
    tilt = 0.17
    neck = wide if tin else wide * 0.87
    profile: list[Knot] = [
        (neck, top, 1),
        (wide, top + (1 if tin else 7)),
        (wide, top + 12),
        (wide, bottom - 6),
        (wide * (1 if tin else 0.88), bottom, 1),
    ]
    body = Turned(profile, tilt=tilt)
    body.solid(relief, steel, gloss=0.9)
    label_top = top + (3 if tin else 7.5)
    body.wrap(
        relief,
        around(design, 380, 1100, design.material),
        label_top,
        bottom - (3 if tin else 5),
        turn=pose.turn,
        gloss=0.45 if tin else 0.75,
    )
    if tin:
        for y in (top + 2.4, bottom - 1.5):
            body.shade(relief, y, width=0.7, dark=0.5)
    relief.part(
        ellipse(50, top, neck, neck * tilt),
        steel,
        bulge=0.6,
        rim=0.8,
        gloss=0.7,
        cast=0,
        fresh=True,
    )
    relief.part(
        ellipse(50, top + 0.4, neck - 1.6, (neck - 1.6) * tilt),
        steel * 0.72,
        bulge=-0.8,
        rim=1.2,
        gloss=0.6,
        cast=0,
        fresh=True,
    )
    relief.part(
        ellipse(50, top + 1.6, 4.4, 1.5), steel * 0.95, bulge=0.8, rim=0.8, gloss=0.7, cast=0.5
    )
    relief.part(ellipse(50, top + 2.0, 2.2, 0.7), steel * 0.4, bulge=0, cast=0)
    if tin:
        rings = [ellipse(50, top + 0.4, r, r * tilt) for r in (neck - 5, neck - 8)]
        relief.groove(rings, width=0.5, depth=0.3, dark=0.3)


def draw_jar(relief: Relief, design: Design, pose: Pose) -> None:
    """Draw a jar with a screw lid, its contents seen through the glass."""
    wide, high = design.between("wide", 24, 29), design.between("high", 50, 62)
    bottom = 88.0
    top = bottom - high
    tilt = 0.13
    contents = colour(FLAVOURS.get(design.flavour, ("", "tan"))[1])
    profile: list[Knot] = [
        (wide * 0.84, top - 2, 1),
        (wide * 0.86, top + 2),
        (wide, top + 8),
        (wide, bottom - 6),
        (wide * 0.92, bottom, 1),
    ]
    body = Turned(profile, tilt=tilt)
    body.solid(relief, blend(contents, colour("espresso"), 0.15), gloss=0.85)
    air = body.band(top - 2, top + 5)
    relief.tint(air, blend(contents, colour("ice"), 0.6))
    body.wrap(
        relief,
        around(design, 300, 1000, design.material),
        top + 12,
        bottom - 7,
        turn=pose.turn,
        gloss=0.15,
    )
    lid_tone = design.palette[2]
    lid_r = wide * 0.9
    lid = Turned([(lid_r, top - 11, 1), (lid_r, top - 1, 1)], tilt=tilt)
    lid.solid(relief, lid_tone, gloss=0.45)
    cap = np.stack(
        [
            50 + lid_r * np.cos(np.linspace(0, 6.28, 48)),
            top - 11 + lid_r * tilt * np.sin(np.linspace(0, 6.28, 48)),
        ],
        1,
    )
    relief.part(
        cap.astype(np.float32),
        blend(lid_tone, colour("white"), 0.14),
        bulge=0.5,
        rim=1,
        gloss=0.35,
        cast=0,
        fresh=True,
    )
    if design.shape == "cloth-topped":
        drop = np.linspace(0, np.pi, 40)
        frill = np.stack(
            [
                50 + (lid_r + 3) * np.cos(drop),
                top - 2 + (lid_r + 3) * tilt * np.sin(drop) + 1.6 * np.sin(drop * 14),
            ],
            1,
        )
        up = np.stack([50 - lid_r * np.cos(drop), top - 11 - lid_r * tilt * np.sin(drop)], 1)
        relief.part(
            np.concatenate([frill, up]).astype(np.float32),
            lid_tone,
            bulge=2,
            rim=6,
            cast=0.4,
            fresh=True,
        )
        band = np.stack(
            [50 + (lid_r + 0.6) * np.cos(drop), top - 7 + lid_r * tilt * np.sin(drop)], 1
        )
        relief.stroke([band.astype(np.float32)], design.palette[1], 1.4)
    else:
        lines = []
        for a in np.linspace(-1.4, 1.4, 26):
            x, y = 50 + lid_r * np.sin(a), lid_r * tilt * np.cos(a)
            lines.append(line((x, top - 9.5 + y), (x, top - 1.6 + y)))
        relief.groove(lines, width=0.5, depth=0.25, dark=0.25)


def draw_tube(relief: Relief, design: Design, pose: Pose) -> None:
    """Draw a tube of cream standing on its cap."""
    main, _, accent = design.palette
    wide, crimp = design.between("wide", 14, 17), design.between("crimp", 17, 20)
    body = smooth(
        [
            (50 - crimp, 10, 1),
            (50 + crimp, 10, 1),
            (50 + crimp * 0.97, 30),
            (50 + wide, 74),
            (50 + wide * 0.95, 80, 1),
            (50 - wide * 0.95, 80, 1),
            (50 - wide, 74),
            (50 - crimp * 0.97, 30),
        ]
    )
    relief.part(body, main, bulge=9, rim=15, gloss=0.5)
    label = front_label(design, 420, 210, design.material).raster
    u = relief.unit
    high, across = round(62 * u), round(wide * 1.86 * u)
    art = np.clip(resized(label, high, across), 0, 1)
    y, x = round(16 * u), round((50 + pose.turn * 0.04) * u) - across // 2
    paint = np.zeros_like(relief.albedo)
    paint[y : y + high, x : x + across] = art
    relief.tint(box(x / u + 0.1, y / u + 0.1, (x + across) / u - 0.1, (y + high) / u - 0.1), paint)
    relief.part(
        box(50 - crimp - 0.4, 4.5, 50 + crimp + 0.4, 11, radius=0.6),
        blend(main, colour("white"), 0.2),
        bulge=0.5,
        rim=1,
        gloss=0.4,
        cast=0.3,
    )
    relief.groove(
        [line((50 - crimp + k, 5), (50 - crimp + k, 10.5)) for k in np.arange(1, 2 * crimp, 1.6)],
        width=0.5,
        depth=0.3,
        dark=0.2,
    )
    cap = Turned([(wide * 0.9, 80, 1), (wide * 0.94, 83), (wide * 0.9, 94, 1)], tilt=0.08)
    cap.solid(relief, accent if design.pick("cap", (True, False)) else colour("white"), gloss=0.45)
    cap.shade(relief, 81, width=0.8, dark=0.4)
