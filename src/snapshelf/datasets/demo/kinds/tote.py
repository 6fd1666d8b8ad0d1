"""Tote bags with long handles."""

import numpy as np

from snapshelf.datasets.demo.brands import logo
from snapshelf.datasets.demo.curves import Points, smooth
from snapshelf.datasets.demo.design import Design, Pose
from snapshelf.datasets.demo.kinds.cloth import cloth, drape, inside, thread
from snapshelf.datasets.demo.kinds.emblem import emblem
from snapshelf.datasets.demo.lettering import printed
from snapshelf.datasets.demo.relief import Relief

__all__ = ["draw_tote", "strap"]


def strap(path: Points, width: float) -> Points:
    """Outline of a band of a width along a path, design units."""
    along = np.gradient(path, axis=0)
    along /= np.maximum(np.hypot(along[:, 0], along[:, 1])[:, None], 1e-6)
    across = np.stack([-along[:, 1], along[:, 0]], 1) * (width / 2)
    return np.concatenate([path + across, (path - across)[::-1]]).astype(np.float32)


def draw_tote(relief: Relief, design: Design, pose: Pose) -> None:
    """Draw a tote bag from the front, its handles up."""
    raster = cloth(design, relief.size)
    top = design.between("top", 36, 42)
    half = design.between("half", 25, 31)
    flare = design.between("flare", -2, 4)
    handle = design.palette[2] if design.pick("handle", (True, False)) else design.palette[0]
    lean = pose.spread * 4
    apart = half * 0.48
    for back in (True, False):
        height = 7.0 if back else 11.0
        path = smooth(
            [
                (50 - apart, top + 2, 1),
                (50 - apart + 1 + lean, top - 14),
                (50 + lean * 1.5, height),
                (50 + apart - 1 + lean, top - 14),
                (50 + apart, top + 2, 1),
            ],
            closed=False,
        )
        tone = inside(design) if back else handle
        relief.part(strap(path, 4.4), tone, bulge=0.8, rim=1.6, cast=0.3)
        if back:
            mouth = smooth(
                [(50 - half, top, 1), (50, top - 2.5), (50 + half, top, 1), (50, top + 3)]
            )
            relief.part(mouth, inside(design), bulge=0.2)
    body = smooth(
        [
            (50 - half, top, 1),
            (50, top + 1.5),
            (50 + half, top, 1),
            (50 + half + flare * 0.6, 66),
            (50 + half + flare, 91, 1),
            (50, 93.5),
            (50 - half - flare, 91, 1),
            (50 - half - flare * 0.6, 66),
        ]
    )
    relief.part(body, raster, bulge=2.6, rim=11, cast=0.3)
    for side in (-1, 1):
        x = 50 + side * apart
        patch = np.array(
            [(x - 2.2, top + 1), (x + 2.2, top + 1), (x + 2.2, top + 9), (x - 2.2, top + 9)],
            np.float32,
        )
        relief.part(patch, handle, bulge=0.4, rim=0.8, cast=0.25)
        cross = [patch + 0, patch]
        relief.stitch(
            np.concatenate(
                [patch * 0.86 + patch.mean(0) * 0.14, patch[:1] * 0.86 + patch.mean(0) * 0.14]
            ),
            thread(design),
        )
        relief.stitch(np.stack([cross[0][0], cross[0][2]]).astype(np.float32), thread(design))
    edge = smooth(
        [(50 - half + 0.5, top + 4.2), (50, top + 5.8), (50 + half - 0.5, top + 4.2)], closed=False
    )
    relief.stitch(edge, thread(design))
    if design.motif == "logo print":
        printed(relief, logo(design.brand), (33, top + 13, 67, top + 38), design.palette[1])
    elif design.motif == "emblem":
        emblem(relief, design, (31, top + 10, 69, top + 46))
    drape(
        relief,
        pose,
        folds=(
            (50 - half + 6, 88, 44, 78),
            (50 + half - 6, 88, 58, 80),
            (50 - apart, top + 10, 46, 74),
            (50 + apart, top + 10, 56, 70),
        ),
        columns=4,
    )
