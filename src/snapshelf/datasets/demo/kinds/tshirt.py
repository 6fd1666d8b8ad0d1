"""T-shirts: crew neck, V-neck and long-sleeved."""

import numpy as np

from snapshelf.datasets.demo.brands import logo, mark
from snapshelf.datasets.demo.colours import blend
from snapshelf.datasets.demo.curves import Knot, Points, mirrored, smooth
from snapshelf.datasets.demo.design import Design, Pose
from snapshelf.datasets.demo.kinds.cloth import (
    cloth,
    drape,
    hem,
    inside,
    limb,
    mirror,
    sleeve,
    thread,
)
from snapshelf.datasets.demo.kinds.emblem import emblem
from snapshelf.datasets.demo.lettering import printed
from snapshelf.datasets.demo.relief import Relief

__all__ = ["draw_tshirt"]


def draw_tshirt(relief: Relief, design: Design, pose: Pose) -> None:
    """Draw a T-shirt lying flat, seen from the front."""
    raster = cloth(design, relief.size)
    long = design.shape == "long-sleeved"
    half = design.between("half", 22.5, 25.5)
    hem_y = design.between("hem", 86, 92)
    neck = 9.5 if design.shape != "V-neck" else 8.5
    drop = 20.0 if design.shape != "V-neck" else 30.0
    shoulder = (50 + half, 16.5)
    armpit = (50 + half - 1.0, 38.0)
    relief.part(
        smooth(mirrored([(50, 9.5), (50 + neck, 9.5, 1), (50 + neck, 20), (50, 31)])),
        inside(design),
        bulge=0.3,
    )
    tilt = pose.spread * 5
    for left in (False, True):
        degrees = (75 if long else 47) + tilt * (1 if left else -1) + float(pose.rng.normal(0, 2))
        outline = limb(
            shoulder,
            armpit,
            length=63 if long else 25,
            degrees=degrees,
            cuff=10.5 if long else 16.5,
            bow=1.5 if long else 0.5,
        )
        sleeve(relief, raster, outline, pose, left=left, degrees=degrees)
        _cuff(relief, design, outline, left=left)
    front: list[Knot] = [
        (50, drop, 1 if design.shape == "V-neck" else 0),
        (50 + neck * 0.72, drop - (8.5 if design.shape == "V-neck" else 3.2)),
        (50 + neck + 1, 9.0, 1),
        (shoulder[0] - 6, 12.6),
        (*shoulder, 1),
        (shoulder[0] - 2.0, 27),
        (*armpit, 1),
        (50 + half - 2.0, 60),
        (50 + half - 0.6, hem_y, 1),
        (50, hem_y + 1.5),
    ]
    body = smooth(mirrored(front))
    relief.part(body, raster, bulge=1.6, rim=9, cast=0.28)
    _collar(relief, design, front)
    for side in (-1, 1):
        seam = smooth(
            [
                (50 + side * half, 16.5),
                (50 + side * (half - 2.0), 27),
                (50 + side * (half - 1), 38),
            ],
            closed=False,
        )
        relief.groove([seam], width=0.5, depth=0.35)
    hem(relief, (50 - half + 1.6, hem_y - 2.4), (50 + half - 1.6, hem_y - 2.4), design, sag=1.2)
    _print(relief, design, drop)
    drape(
        relief,
        pose,
        folds=(
            (50 + half - 3, 38, 55, 46),
            (50 - half + 3, 38, 45, 46),
            (50 + half - 4, 42, 56, 58),
            (50 - half + 4, 42, 44, 58),
            (50 + half - 4, 70, 52, 78),
            (50 - half + 4, 76, 47, 70),
            (62, 16, 66, 34),
            (38, 16, 34, 34),
        ),
    )


def _collar(relief: Relief, design: Design, front: list[Knot]) -> None:
    """The ribbed band around the neck, in the second colour for some families."""
    ringer = design.pick("ringer", (False, False, True))
    band = design.palette[1] if ringer else blend(design.palette[0], thread(design), 0.12)
    edge = smooth([front[2][:2], *(knot[:2] for knot in front[1::-1])], closed=False)
    right = np.concatenate([edge, mirror(edge)[::-1]])
    down = right + np.array([0, 1.1], np.float32)
    relief.stroke([down], band, 2.4)
    relief.creases([down], width=2.0, depth=0.5)
    relief.groove([right + np.array([0, 2.5], np.float32)], width=0.4, depth=0.3, dark=0.3)


def _cuff(relief: Relief, design: Design, outline: Points, *, left: bool) -> None:
    """Stitches along the end of a sleeve."""
    top, bottom = outline[30], outline[40]
    back = (outline[28] - outline[30]) / max(float(np.hypot(*(outline[28] - outline[30]))), 1e-6)
    path = np.stack([top + back * 2, bottom + back * 2]).astype(np.float32)
    relief.stitch(mirror(path) if left else path, thread(design))


def _print(relief: Relief, design: Design, drop: float) -> None:
    """The motif on the chest."""
    ink = design.palette[1]
    if design.motif == "chest logo":
        printed(relief, mark(design.brand.mark), (60, 31, 66, 37), ink)
    elif design.motif == "logo print":
        printed(relief, logo(design.brand), (35, drop + 9, 65, drop + 30), ink)
    elif design.motif == "emblem":
        emblem(relief, design, (34, drop + 8, 66, drop + 40))
