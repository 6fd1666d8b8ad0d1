"""Picture prints: a round badge with a landscape, rays or stripes and the model's name."""

from snapshelf.datasets.demo.brands import mark
from snapshelf.datasets.demo.colours import Colour
from snapshelf.datasets.demo.curves import Points, box, ellipse, line, smooth, turned
from snapshelf.datasets.demo.design import Design
from snapshelf.datasets.demo.lettering import Lettering, arched, printed, words
from snapshelf.datasets.demo.relief import Relief

__all__ = ["emblem"]


def emblem(relief: Relief, design: Design, where: tuple[float, float, float, float]) -> None:
    """Print the family's badge.

    Args:
        relief: The item.
        design: Decides what the badge shows; its colours are the product's second and accent.
        where: (x0, y0, x1, y1) in design units.
    """
    _, second, accent = design.palette
    ground = design.palette[0]
    x0, y0, x1, y1 = where
    x, y, r = (x0 + x1) / 2, (y0 + y1) / 2 - (y1 - y0) * 0.08, (x1 - x0) * 0.38
    scene = design.pick("badge", ("peaks", "waves", "rays", "stripes", "mark", "palm"))
    if scene == "peaks":
        relief.tint(ellipse(x, y, r, r), second)
        relief.tint(ellipse(x + r * 0.3, y - r * 0.35, r * 0.24, r * 0.24), accent)
        relief.tint(
            _within(
                x,
                y,
                r,
                0.15,
                ((-0.95, 0.6), (-0.4, -0.25), (0.05, 0.35), (0.4, -0.05), (0.95, 0.6)),
            ),
            ground,
        )
        relief.tint(_within(x, y, r, 0, ((-0.53, -0.05), (-0.4, -0.25), (-0.28, -0.05))), accent)
    elif scene == "waves":
        relief.tint(ellipse(x, y, r, r), accent)
        for k, value in enumerate((second, ground, second)):
            relief.tint(_swell(x, y + r * (0.1 + 0.26 * k), r * (0.99 - 0.13 * k * k)), value)
    elif scene == "rays":
        for k in range(9):
            relief.tint(_ray(x, y + r * 0.6, r * 1.5, k), second)
        relief.tint(ellipse(x, y + r * 0.6, r * 0.5, r * 0.5), accent)
        relief.tint(box(x - r * 1.2, y + r * 0.62, x + r * 1.2, y + r * 1.3), ground)
    elif scene == "stripes":
        relief.tint(ellipse(x, y, r, r), second)
        for k in range(4):
            top = y + r * (-0.1 + 0.27 * k)
            relief.tint(box(x - r, top, x + r, top + r * 0.1), ground)
        relief.tint(ellipse(x, y - r * 0.45, r * 0.2, r * 0.2), accent)
    elif scene == "palm":
        relief.tint(ellipse(x, y, r, r), accent)
        _palm(relief, x, y, r, second)
    else:
        relief.tint(ellipse(x, y, r, r), second)
        printed(
            relief,
            mark(design.brand.mark),
            (x - r * 0.62, y - r * 0.62, x + r * 0.62, y + r * 0.62),
            accent,
        )
    style = Lettering(6, 1.0, spacing=0.12, case="upper")
    text = words(design.model, style)
    if design.pick("arc", (True, False)):
        text = arched(text, -0.16)
    printed(relief, text, (x0, y + r * 1.08, x1, y1 + (y1 - y0) * 0.04), second)


def _within(
    x: float, y: float, r: float, drop: float, points: tuple[tuple[float, float], ...]
) -> Points:
    return line(*((x + px * r * 0.85, y + (py + drop) * r) for px, py in points))


def _swell(x: float, y: float, half: float) -> Points:
    return smooth(
        [
            (x - half, y, 1),
            (x - half * 0.5, y - half * 0.16),
            (x, y),
            (x + half * 0.5, y + half * 0.16),
            (x + half, y, 1),
            (x + half * 0.86, y + half * 0.2, 1),
            (x, y + half * 0.22),
            (x - half * 0.86, y + half * 0.2, 1),
        ]
    )


def _ray(x: float, y: float, reach: float, k: int) -> Points:
    ray = line((x - reach * 0.06, y - reach), (x + reach * 0.06, y - reach), (x, y))
    return turned(ray, -80 + 20 * k, x, y)


def _palm(relief: Relief, x: float, y: float, r: float, value: Colour) -> None:
    relief.tint(
        smooth(
            [
                (x - r * 0.1, y + r * 0.95, 1),
                (x, y + r * 0.3),
                (x + r * 0.06, y - r * 0.2, 1),
                (x + r * 0.14, y - r * 0.2, 1),
                (x + r * 0.1, y + r * 0.3),
                (x + r * 0.08, y + r * 0.98, 1),
            ]
        ),
        value,
    )
    for dx, dy in ((-0.75, -0.1), (-0.6, -0.55), (0.0, -0.8), (0.6, -0.6), (0.8, -0.1)):
        top = (x + r * 0.1, y - r * 0.2)
        tip = (x + r * dx, y + r * (dy + 0.15))
        bend = ((top[0] + tip[0]) / 2, min(top[1], tip[1]) - r * 0.18)
        under = ((top[0] + tip[0]) / 2, min(top[1], tip[1]) - r * 0.02)
        relief.tint(smooth([(*top, 1), bend, (*tip, 1), under]), value)
