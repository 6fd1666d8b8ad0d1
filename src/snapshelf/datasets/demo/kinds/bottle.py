"""Bottles: juice in clear glass, wine, and shampoo with a flip cap or a pump."""

from functools import lru_cache

import numpy as np

from snapshelf.datasets.demo.colours import blend, colour
from snapshelf.datasets.demo.curves import Knot, Points, box, smooth
from snapshelf.datasets.demo.design import Design, Pose
from snapshelf.datasets.demo.labels import Sheet, back_label, front_label
from snapshelf.datasets.demo.lathe import Turned
from snapshelf.datasets.demo.raster import Raster
from snapshelf.datasets.demo.relief import Relief

__all__ = ["around", "draw_juice", "draw_shampoo", "draw_wine"]


@lru_cache(maxsize=8)
def around(design: Design, height: int, width: int, subject: str) -> Raster:
    """A label for the whole circumference: face, back and a plain strip between them."""
    face = front_label(design, height, int(width * 0.42), subject).raster
    back = back_label(design, height, int(width * 0.3)).raster
    whole = Sheet(height, width, design.palette[0]).raster
    left = (width - face.shape[1]) // 2
    whole[:, left : left + face.shape[1]] = face
    whole[:, : back.shape[1] // 2] = back[:, back.shape[1] - back.shape[1] // 2 :]
    whole[:, -(back.shape[1] - back.shape[1] // 2) :] = back[
        :, : back.shape[1] - back.shape[1] // 2
    ]
    whole.flags.writeable = False
    return whole


def draw_juice(relief: Relief, design: Design, pose: Pose) -> None:
    """Draw a juice bottle of clear glass."""
    wide = design.between("wide", 17, 22)
    shoulder = design.between("shoulder", 30, 38)
    neck = design.between("neck", 6.5, 8.5)
    profile: list[Knot] = [
        (neck, 12, 1),
        (neck, 20),
        (wide, shoulder),
        (wide, shoulder + 8),
        (wide, 84),
        (wide * 0.99, 92),
        (wide * 0.93, 95, 1),
    ]
    body = Turned(profile, tilt=0.1)
    juice = colour(
        {
            "apple": "lemon",
            "orange": "orange",
            "cherry": "red",
            "blueberry": "plum",
            "peach": "coral",
            "grape": "plum",
            "tomato": "red",
            "lemon": "lemon",
        }.get(design.flavour, "orange")
    )
    body.solid(relief, blend(juice, colour("white"), 0.12), gloss=0.85)
    relief.tint(body.band(11, 17 + 3), blend(juice, colour("ice"), 0.75))
    label = around(design, 300, 900, design.material)
    body.wrap(relief, label, shoulder + 9, 84, turn=pose.turn, gloss=0.35)
    body.ring(relief, shoulder + 9, colour("white"), 0.5)
    cap = Turned([(neck + 1.4, 5, 1), (neck + 1.4, 12.5, 1)], tilt=0.12)
    cap.solid(relief, design.palette[2], gloss=0.35)
    _knurl(relief, neck + 1.4, 5.5, 12, 14)
    relief.part(
        _lid(neck + 1.4, 5, 0.12),
        blend(design.palette[2], colour("white"), 0.2),
        bulge=0.3,
        rim=1,
        gloss=0.3,
        fresh=True,
        cast=0,
    )


def draw_wine(relief: Relief, design: Design, pose: Pose) -> None:
    """Draw a wine bottle of dark or green glass with a foil capsule."""
    wide = design.between("wide", 13, 15)
    sloping = design.shape == "sloping shoulder"
    profile: list[Knot] = [(4.6, 4, 1), (4.6, 9), (4.5, 26 if not sloping else 22)]
    profile += [(wide * 0.62, 34), (wide, 41)] if not sloping else [(wide * 0.7, 36), (wide, 50)]
    profile += [(wide, 60), (wide, 93), (wide * 0.95, 96, 1)]
    glass = colour(
        {"red": "espresso", "white": "olive", "rosé": "blush", "sparkling": "forest"}.get(
            design.flavour, "black"
        )
    )
    if design.flavour == "red":
        glass = blend(colour("black"), colour("forest"), 0.35)
    body = Turned(profile, tilt=0.09)
    body.solid(relief, glass, gloss=1.0)
    paper = around(design, 300, 760, design.material)
    body.wrap(relief, paper, 55, 86, turn=pose.turn, cover=360, gloss=0.05)
    foil = Turned([(5.1, 3.5, 1), (5.3, 5.5), (5.0, 8), (5.1, 24, 1)], tilt=0.09)
    foil.solid(relief, design.palette[2], gloss=0.5)
    foil.shade(relief, 8.5, width=0.8, dark=0.35)


def draw_shampoo(relief: Relief, design: Design, pose: Pose) -> None:
    """Draw a shampoo bottle with a flip cap, or with a pump."""
    wide = design.between("wide", 17, 22)
    main, _, accent = design.palette
    pump = design.shape == "with pump"
    top = 40 if pump else 26
    profile: list[Knot] = [
        (7, top - 3, 1),
        (wide * 0.8, top),
        (wide, top + 9),
        (wide, 70),
        (wide * 0.97, 91),
        (wide * 0.9, 95, 1),
    ]
    body = Turned(profile, tilt=0.09)
    body.solid(relief, main, gloss=0.55)
    body.wrap(
        relief, around(design, 360, 860, design.material), top + 11, 90, turn=pose.turn, gloss=0.5
    )
    if pump:
        steel = colour("white") if design.pick("steel", (True, False)) else accent
        side = -1 if pose.turn < 0 else 1
        relief.part(
            box(48.6, 16, 51.4, 34),
            blend(steel, colour("grey"), 0.3),
            bulge=1.2,
            rim=1.4,
            gloss=0.4,
        )
        nozzle = smooth(
            [
                (44, 12, 1),
                (56, 11, 1),
                (57 + 14, 14),
                (73, 19, 1),
                (69.5, 19, 1),
                (60, 16.5),
                (44, 17, 1),
            ]
        )
        if side < 0:
            nozzle[:, 0] = 100 - nozzle[:, 0]
        relief.part(nozzle, steel, bulge=2.2, rim=2.5, gloss=0.45)
        collar = Turned([(8.4, 29, 1), (8.4, 37, 1)], tilt=0.12)
        collar.solid(relief, steel, gloss=0.45)
        _knurl(relief, 8.4, 29.5, 37, 12)
    else:
        radius = wide * 0.62
        cap = Turned([(radius * 0.95, 9, 1), (radius, 12), (radius, 24, 1)], tilt=0.1)
        cap.solid(relief, accent, gloss=0.5)
        cap.shade(relief, 14.5, width=0.5, dark=0.5)
        relief.part(
            _lid(radius * 0.95, 9, 0.1),
            blend(accent, colour("white"), 0.15),
            bulge=0.3,
            rim=1,
            gloss=0.3,
            fresh=True,
            cast=0,
        )


def _lid(radius: float, y: float, tilt: float) -> Points:
    angle = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    return np.stack([50 + radius * np.cos(angle), y + tilt * radius * np.sin(angle)], 1).astype(
        np.float32
    )


def _knurl(relief: Relief, radius: float, top: float, bottom: float, count: int) -> None:
    """Press upright ribs into a cap."""
    angles = np.linspace(-1.35, 1.35, count)
    lines = [
        np.array(
            [
                (50 + radius * np.sin(a), top + 1.1 * np.cos(a)),
                (50 + radius * np.sin(a), bottom + 1.1 * np.cos(a)),
            ],
            np.float32,
        )
        for a in angles
    ]
    relief.groove(lines, width=0.5, depth=0.25, dark=0.3)
