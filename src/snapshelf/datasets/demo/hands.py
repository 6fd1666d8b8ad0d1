"""Hands that reach into a street photo, and hide a little of an item."""

from collections.abc import Sequence

import numpy as np

from snapshelf.datasets.demo.colours import blend, colour
from snapshelf.datasets.demo.curves import ellipse, smooth
from snapshelf.datasets.demo.lighting import lit
from snapshelf.datasets.demo.placing import Spot, place
from snapshelf.datasets.demo.relief import Relief
from snapshelf.datasets.demo.scenes import Scene
from snapshelf.locating.region import Box

__all__ = ["put_hand"]

_SKIN = ("efccb0", "d9a982", "b57f58", "8a5a3c", "5c3a28")


def put_hand(where: Scene, placed: Sequence[Box], rng: np.random.Generator) -> None:
    """Let a hand reach in from a side and cover a little of an item.

    Args:
        where: The scene with its items; its picture is painted on.
        placed: Boxes of the items, pixels; at least one.
        rng: Decides from which side, and whose hand.
    """
    # From the side that is nearer to the outermost item, so that the arm crosses no other one.
    from_right = rng.random() < 0.5
    x0, y0, x1, y1 = max(placed, key=lambda box: box[2] if from_right else -box[0])
    if x1 <= x0:
        return
    size = float(np.clip(0.62 * max(x1 - x0, y1 - y0), 90, 330))
    relief = Relief(int(size * 1.1))
    _hand(relief, rng)
    item = lit(relief, where.light)
    scale = size / max(item.shape[:2])
    across = item.shape[1] * scale
    # The sleeve is carried on to the picture's edge, or the arm would float.
    arm = where.picture.shape[1]
    item = np.pad(item[:, :-1], ((0, 0), (0, int(arm / scale)), (0, 0)), mode="edge")
    reach = float(rng.uniform(0.04, 0.22)) * (x1 - x0)
    x = x1 - reach + (across + arm) / 2
    if not from_right:
        item = np.ascontiguousarray(item[:, ::-1])
        x = x0 + reach - (across + arm) / 2
    y = float(rng.uniform(y0 + 0.35 * (y1 - y0), y1 - 0.1 * (y1 - y0)))
    spot = Spot(x, y, scale * max(item.shape[:2]), float(rng.normal(0, 5)), 0.0, 0.0)
    place(where, item, spot, "lies", hangs=False)


def _hand(relief: Relief, rng: np.random.Generator) -> None:
    """A right hand from the right, four fingers to the left, and a sleeve."""
    skin = colour(_SKIN[int(rng.integers(len(_SKIN)))])
    cuff = colour(str(rng.choice(("navy", "grey", "burgundy", "forest", "white", "black"))))
    palm = smooth(
        [(46, 30, 1), (60, 26), (80, 30), (100, 32, 1), (100, 70, 1), (80, 72), (58, 76), (44, 66)]
    )
    relief.part(palm, skin, bulge=7, rim=16, gloss=0.08)
    for k, (y, reach) in enumerate(((33, 9), (43.5, 4), (54, 6), (64, 14))):
        tip = reach + float(rng.uniform(-2, 2))
        finger = smooth(
            [
                (58, y - 5, 1),
                (36, y - 5.6),
                (tip + 5, y - 4.6),
                (tip, y),
                (tip + 5, y + 4.6),
                (36, y + 5.4),
                (58, y + 5, 1),
            ]
        )
        relief.part(
            finger,
            blend(skin, colour("coral"), 0.05 * (k % 2)),
            bulge=4.5,
            rim=5,
            gloss=0.1,
            cast=0.35,
        )
        nail = ellipse(tip + 4.6, y - 0.3, 3.4, 2.6)
        relief.part(nail, blend(skin, colour("white"), 0.35), bulge=0.3, rim=1, gloss=0.4, cast=0.1)
        relief.groove(
            [smooth([(30, y - 3), (29.4, y), (30, y + 3)], closed=False)],
            width=0.7,
            depth=0.3,
            dark=0.2,
        )
    thumb = smooth([(72, 30, 1), (58, 18), (44, 12), (38, 16), (44, 23), (58, 34), (72, 44, 1)])
    relief.part(thumb, skin, bulge=5, rim=6, gloss=0.1, cast=0.3)
    relief.part(
        smooth([(82, 24, 1), (101, 22, 1), (101, 80, 1), (82, 78, 1), (84, 50)]),
        cuff,
        bulge=8,
        rim=20,
        cast=0.4,
    )
