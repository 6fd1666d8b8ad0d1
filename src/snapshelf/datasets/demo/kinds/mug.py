"""Mugs with a handle: straight, round and tall."""

import numpy as np

from snapshelf.datasets.demo.brands import logo
from snapshelf.datasets.demo.colours import blend, colour
from snapshelf.datasets.demo.curves import Knot, ellipse, smooth
from snapshelf.datasets.demo.design import Design, Pose
from snapshelf.datasets.demo.kinds.cloth import cloth
from snapshelf.datasets.demo.labels import Sheet
from snapshelf.datasets.demo.lathe import Turned
from snapshelf.datasets.demo.relief import Relief

__all__ = ["draw_mug"]


def draw_mug(relief: Relief, design: Design, pose: Pose) -> None:
    """Draw a mug seen from a little above, its handle on the right."""
    main, second, _ = design.palette
    tilt = 0.2
    top, bottom, r = {"straight": (22.0, 84.0, 25.0), "round": (30.0, 82.0, 25.5)}.get(
        design.shape, (12.0, 86.0, 22.0)
    )
    top += design.between("top", -2, 2)
    foot = 0.72 if design.shape == "round" else 0.95
    bulge = 1.08 if design.shape == "round" else 1.0
    profile: list[Knot] = [
        (r, top, 1),
        (r * bulge, (top + bottom) / 2),
        (r * (foot + 0.06), bottom - 5),
        (r * foot, bottom, 1),
    ]
    body = Turned(profile, tilt=tilt)
    middle = (top + bottom) / 2 + 3
    drop = (bottom - top) * 0.27
    reach = 16.0 + design.between("reach", -2, 3)
    outer = ellipse(50 + r - 2, middle, reach + 5, drop + 4.5, start=-92, stop=92)
    inner = ellipse(50 + r - 2, middle, reach - 2.5, drop - 3, start=92, stop=-92)
    handle = np.concatenate([outer, inner])
    handle_paint = second if design.pick("handle", (False, True)) else main
    relief.part(handle, handle_paint, bulge=4, rim=3.6, gloss=0.6)
    body.solid(relief, main, gloss=0.65)
    sheet = Sheet(300, 900, main)
    if design.pattern != "plain":
        raster = cloth(design, 450)
        sheet.raster[:] = np.concatenate([raster, raster], 1)[:300]
    elif design.motif == "logo print":
        for x in (0.12, 0.5, 0.88):
            sheet.print(logo(design.brand), x - 0.1, 0.2, x + 0.1, 0.75, second)
    elif design.motif == "dipped":
        wave = np.linspace(0, 1, 60)
        edge = 0.55 + 0.05 * np.sin(wave * 25) + 0.03 * np.sin(wave * 57)
        shape = np.concatenate([np.stack([wave, edge], 1), [[1, 1], [0, 1]]])
        sheet.fill(shape.astype(np.float32), second)
    body.wrap(relief, sheet.raster, top + 1.5, bottom - 1, turn=pose.turn, gloss=0.65)
    rim = ellipse(50, top, r, r * tilt)
    relief.part(
        rim, blend(main, colour("white"), 0.25), bulge=0.6, rim=0.8, gloss=0.5, cast=0, fresh=True
    )
    hollow = ellipse(50, top + 0.2, r - 1.4, (r - 1.4) * tilt)
    lining = design.pick("lining", (colour("white"), main, second))
    relief.part(
        hollow, blend(lining, colour("black"), 0.25), bulge=0.0, gloss=0.2, cast=0, fresh=True
    )
    shadow = smooth(
        [
            (50 - r + 1.6, top + 0.4, 1),
            (50, top - (r - 1.4) * tilt),
            (50 + r * 0.3, top),
            (50 - r * 0.3, top + (r - 2) * tilt * 0.85),
        ]
    )
    relief.tint(shadow, blend(lining, colour("black"), 0.75), strength=0.55)
