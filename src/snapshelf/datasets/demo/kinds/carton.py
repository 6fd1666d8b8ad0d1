"""Cartons in perspective: cereal boxes and milk cartons with a gabled top."""

from functools import lru_cache

import numpy as np

from snapshelf.datasets.demo.colours import Colour, blend, colour
from snapshelf.datasets.demo.curves import Points, line
from snapshelf.datasets.demo.design import Design, Pose
from snapshelf.datasets.demo.faces import face
from snapshelf.datasets.demo.labels import back_label, front_label
from snapshelf.datasets.demo.raster import Raster
from snapshelf.datasets.demo.relief import Relief

__all__ = ["draw_cereal", "draw_milk"]


@lru_cache(maxsize=8)
def _sides(design: Design, tall: float) -> tuple[Raster, Raster]:
    front = front_label(design, int(320 * tall), 320, design.material).raster
    side = back_label(design, int(320 * tall), 110).raster
    return front, side


def draw_cereal(relief: Relief, design: Design, pose: Pose) -> None:
    """Draw a carton box, its front and one narrow side in view."""
    tall = design.between("tall", 1.3, 1.5)
    front, side = _sides(design, round(tall, 3))
    left = pose.turn >= 0
    wide, deep = 48.0 - abs(pose.turn) * 0.25, 9.0 + abs(pose.turn) * 0.25
    high = min(76.0, 50 * tall)
    x0, y0 = 50 - (wide + deep) / 2, 52 - high / 2
    quad_front = line((x0, y0), (x0 + wide, y0 + 2), (x0 + wide, y0 + high), (x0, y0 + high + 3))
    quad_side = line(
        (x0 + wide, y0 + 2),
        (x0 + wide + deep, y0 - 1.5),
        (x0 + wide + deep, y0 + high - 5),
        (x0 + wide, y0 + high),
    )
    quad_front[:, 1][[0, 1]] += (2.2, 0.0)
    quad_top = line(
        (x0, y0 + 2.2),
        (x0 + deep * 1.0, y0 - 3.2),
        (x0 + wide + deep, y0 - 1.5),
        (x0 + wide, y0 + 2),
    )
    if not left:
        front, quad_front = front, _flip(quad_front)
        quad_side, quad_top = _flip(quad_side), _flip(quad_top)
    face(relief, quad_top, _paper(design.palette[0]), light=0.92)
    face(relief, quad_side, side, light=0.66)
    face(relief, quad_front, front, light=1.0)
    relief.groove(
        [np.stack([quad_front[1], quad_front[2]])]
        if left
        else [np.stack([quad_front[0], quad_front[3]])],
        width=0.4,
        depth=0.1,
        dark=0.25,
    )


def draw_milk(relief: Relief, design: Design, pose: Pose) -> None:
    """Draw a carton with a gabled top and a screw cap."""
    tall = design.between("tall", 1.45, 1.7)
    front, side = _sides(design, round(tall, 3))
    wide, deep = 32.0 - abs(pose.turn) * 0.15, 15.0 + abs(pose.turn) * 0.2
    high = 21.5 * tall * 1.45
    x0, y1 = 50 - (wide + deep) / 2, 93.0
    y0 = y1 - high
    ridge = y0 - design.between("ridge", 13, 16)
    quad_front = line((x0, y0 + 1), (x0 + wide, y0 + 2), (x0 + wide, y1), (x0, y1 - 2.5))
    quad_side = line(
        (x0 + wide, y0 + 2),
        (x0 + wide + deep, y0 - 1.5),
        (x0 + wide + deep, y1 - 5.5),
        (x0 + wide, y1),
    )
    slope = line(
        (x0 + deep * 0.42, ridge),
        (x0 + wide + deep * 0.5, ridge),
        (x0 + wide, y0 + 2),
        (x0, y0 + 1),
    )
    gable = line((x0 + wide, y0 + 2), (x0 + wide + deep * 0.5, ridge), (x0 + wide + deep, y0 - 1.5))
    fin = line(
        (x0 + deep * 0.42, ridge - 6),
        (x0 + wide + deep * 0.5, ridge - 6),
        (x0 + wide + deep * 0.5, ridge),
        (x0 + deep * 0.42, ridge),
    )
    if pose.turn < 0:
        quad_front, quad_side, slope, gable, fin = (
            _flip_plain(q) for q in (quad_front, quad_side, slope, gable, fin)
        )
        quad_front, slope, fin = (q[[1, 0, 3, 2]] for q in (quad_front, slope, fin))
        quad_side = quad_side[[1, 0, 3, 2]]
    main, second, accent = design.palette
    face(relief, quad_side, side, light=0.68)
    relief.part(gable, blend(main, colour("black"), 0.35), bulge=0.1, cast=0.1)
    face(relief, quad_front, front, light=1.0)
    face(relief, slope, _paper(second if design.pick("roof", (True, False)) else main), light=0.88)
    face(relief, fin, _paper(main), light=1.0)
    relief.groove([np.stack([fin[3], fin[2]])], width=0.5, depth=0.2, dark=0.4)
    relief.groove([np.stack([slope[3], slope[2]])], width=0.4, depth=0.15, dark=0.25)
    if design.shape == "with cap":
        x, y = slope.mean(0)
        angle = np.linspace(0, 2 * np.pi, 40, endpoint=False)
        for k, tone in enumerate((blend(accent, colour("black"), 0.3), accent)):
            cap = np.stack([x + 5.2 * np.cos(angle), y + 1.5 - 2.4 * k + 3.9 * np.sin(angle)], 1)
            relief.part(cap.astype(np.float32), tone, bulge=0.5, rim=1.2, gloss=0.4, fresh=True)


def _paper(value: Colour) -> Raster:
    return np.broadcast_to(value, (8, 8, 3)).astype(np.float32)


def _flip_plain(points: Points) -> Points:
    flipped = points.copy()
    flipped[:, 0] = 100 - flipped[:, 0]
    return flipped


def _flip(quad: Points) -> Points:
    """Mirror a quadrilateral about the middle, its first corner still the upper left."""
    return np.ascontiguousarray(_flip_plain(quad)[[1, 0, 3, 2]])
