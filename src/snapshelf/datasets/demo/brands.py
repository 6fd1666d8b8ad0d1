"""Invented brands, each with its own lettering and a mark made of simple geometry."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from snapshelf.datasets.demo.curves import Points, box, ellipse, line, smooth, turned
from snapshelf.datasets.demo.lettering import Lettering, words
from snapshelf.datasets.demo.raster import Plane, filled, resized

__all__ = ["BRANDS", "Brand", "logo", "mark"]

_MARK = 96


@dataclass(frozen=True, slots=True)
class Brand:
    """An invented brand.

    Attributes:
        name: As a shop writes it.
        field: What it makes: "clothes", "sport", "leather", "food", "care" or "home".
        lettering: How its name is set.
        mark: Its logo mark, a key of `MARKS`.
    """

    name: str
    field: str
    lettering: Lettering
    mark: str


BRANDS = (
    Brand("Marlo", "clothes", Lettering(3, slant=0.18), "wave"),
    Brand("Fjellvik", "clothes", Lettering(5, 0.85, spacing=0.12, case="upper"), "peak"),
    Brand("Odde & Ren", "clothes", Lettering(0, spacing=0.22, case="upper"), "ring"),
    Brand("Tinto", "clothes", Lettering(5, 1.1, case="lower"), "sun"),
    Brand("Pilvi", "clothes", Lettering(1, 1.25, case="lower"), "cloud"),
    Brand("Korza", "sport", Lettering(6, 1.15, spacing=0.05, slant=0.3, case="upper"), "bolt"),
    Brand("Veloq", "sport", Lettering(4, 1.3, slant=0.22, case="lower"), "chevrons"),
    Brand("Runa", "sport", Lettering(6, 0.8, spacing=0.1, case="upper"), "wing"),
    Brand("Strand 9", "sport", Lettering(5, outline=True, case="upper"), "bars"),
    Brand("Casa Brione", "leather", Lettering(0, 1.1, spacing=0.3), "keyhole"),
    Brand("Halden", "leather", Lettering(3, 0.75, spacing=0.2, case="upper"), "shield"),
    Brand("Mirelle", "leather", Lettering(1, slant=0.3, spacing=0.02), "petals"),
    Brand("Norrgard", "food", Lettering(6, 0.9, case="upper"), "peak"),
    Brand("Olivetta", "food", Lettering(2, slant=0.25), "leaf"),
    Brand("Bumble Farm", "food", Lettering(4, spacing=0.05, case="lower"), "hive"),
    Brand("Sunda", "food", Lettering(6, 1.2, spacing=0.06, case="upper"), "sun"),
    Brand("Kvist", "food", Lettering(4, 1.3, spacing=0.1, case="lower"), "leaf"),
    Brand("Domaine Ilar", "food", Lettering(0, spacing=0.25, case="upper"), "crown"),
    Brand("Pomo", "food", Lettering(6, 1.1, spacing=0.06, case="lower"), "drop"),
    Brand("Lysa", "care", Lettering(0, 1.4, spacing=0.2, case="lower"), "petals"),
    Brand("Aqvel", "care", Lettering(2, 1.2, spacing=0.08, case="upper"), "drop"),
    Brand("Botanik 12", "care", Lettering(3, 0.8, spacing=0.15, case="upper"), "leaf"),
    Brand("Hus & Hav", "home", Lettering(2, spacing=0.15, case="lower"), "wave"),
    Brand("Keramo", "home", Lettering(6, 1.2, case="upper"), "bars"),
    Brand("Tidevand", "home", Lettering(1, 0.9, spacing=0.3, case="upper"), "ring"),
)


def _star(count: int, inner: float, *, phase: float = -90.0) -> Points:
    angle = np.radians(phase + np.arange(2 * count) * 180 / count)
    reach = np.where(np.arange(2 * count) % 2 == 0, 46, 46 * inner)
    return np.stack([50 + reach * np.cos(angle), 50 + reach * np.sin(angle)], 1).astype(np.float32)


def _petals(count: int) -> list[Points]:
    petal = smooth([(50, 48, 1), (62, 30), (50, 6, 1), (38, 30)])
    return [turned(petal, 360 * k / count, 50, 50) for k in range(count)]


def _hexagon(x: float, y: float, radius: float) -> Points:
    angle = [math.radians(60 * k + 30) for k in range(6)]
    return line(*((x + radius * math.cos(a), y + radius * math.sin(a)) for a in angle))


MARKS: dict[str, Callable[[], list[Points]]] = {
    "wave": lambda: [
        smooth(
            [
                (4, y, 1),
                (27, y - 16),
                (50, y),
                (73, y + 16),
                (96, y, 1),
                (96, y + 12, 1),
                (73, y + 28),
                (50, y + 12),
                (27, y - 4),
                (4, y + 12, 1),
            ]
        )
        for y in (18, 42, 66)
    ],
    "peak": lambda: [line((4, 86), (38, 18), (58, 58), (68, 42), (96, 86))],
    "ring": lambda: [ellipse(50, 50, 46, 46), ellipse(50, 50, 30, 30)],
    "sun": lambda: [_star(12, 0.72), ellipse(50, 50, 24, 24)],
    "cloud": lambda: [
        smooth(
            [
                (14, 76, 1),
                (6, 58),
                (22, 46),
                (34, 28),
                (58, 26),
                (70, 42),
                (90, 48),
                (94, 66),
                (84, 76, 1),
            ]
        )
    ],
    "bolt": lambda: [line((58, 2), (14, 58), (44, 58), (36, 98), (88, 36), (56, 36), (72, 2))],
    "chevrons": lambda: [
        line((x, 12), (x + 20, 12), (x + 44, 50), (x + 20, 88), (x, 88), (x + 24, 50))
        for x in (4, 34, 64 - 12)
    ],
    "wing": lambda: [
        smooth([(4, 70, 1), (40, 60), (96, 14, 1), (80, 58), (36, 84)]),
        smooth([(30, 54, 1), (52, 44), (80, 10, 1), (44, 24)]),
    ],
    "bars": lambda: [line((x, 88), (x + 22, 12), (x + 38, 12), (x + 16, 88)) for x in (4, 30, 56)],
    "keyhole": lambda: [
        box(8, 4, 92, 96, radius=20),
        ellipse(50, 40, 15, 15),
        line((45, 48), (55, 48), (60, 76), (40, 76)),
    ],
    "shield": lambda: [
        smooth([(10, 8, 1), (50, 16), (90, 8, 1), (86, 60), (50, 96, 1), (14, 60)]),
        smooth([(24, 24, 1), (50, 30), (76, 24, 1), (72, 56), (50, 78, 1), (28, 56)]),
    ],
    "petals": lambda: _petals(6),
    "leaf": lambda: [
        smooth([(50, 96, 1), (14, 62), (50, 4, 1), (86, 62)]),
        line((48, 90), (49, 30), (51, 30), (52, 90)),
    ],
    "hive": lambda: [_hexagon(50, 26, 22), _hexagon(29, 63, 22), _hexagon(71, 63, 22)],
    "crown": lambda: [line((8, 82), (4, 28), (28, 52), (50, 14), (72, 52), (96, 28), (92, 82))],
    "drop": lambda: [
        smooth([(50, 4, 1), (82, 58), (50, 96), (18, 58)]),
        smooth([(34, 60, 1), (40, 78), (56, 84, 1), (44, 86), (30, 74)]),
    ],
}
"""Outlines on a 100 x 100 grid; where two overlap there is a hole."""


@lru_cache(maxsize=64)
def mark(name: str) -> Plane:
    """Draw a logo mark; (96, 96) float32 in [0, 1], not to be written to."""
    total = np.zeros((_MARK * 2, _MARK * 2), np.float32)
    for outline in MARKS[name]():
        shape = filled(outline * np.float32(_MARK / 50), _MARK * 2, _MARK * 2)
        total = np.abs(total - shape)
    small = resized(total, _MARK, _MARK)
    small.flags.writeable = False
    return small


@lru_cache(maxsize=128)
def logo(brand: Brand, *, stacked: bool = True) -> Plane:
    """Set a brand's mark above its name, or before it; (H, W) float32 in [0, 1]."""
    name = words(brand.name, brand.lettering)
    symbol = mark(brand.mark)
    if stacked:
        side = int(name.shape[0] * 1.9)
        symbol = resized(symbol, side, side)
        width, gap = max(side, name.shape[1]), name.shape[0] // 3
        whole = np.zeros((side + gap + name.shape[0], width), np.float32)
        left = (width - side) // 2
        whole[:side, left : left + side] = symbol
        left = (width - name.shape[1]) // 2
        whole[side + gap :, left : left + name.shape[1]] = name
    else:
        side = int(name.shape[0] * 1.25)
        symbol = resized(symbol, side, side)
        gap = side // 3
        whole = np.zeros((side, side + gap + name.shape[1]), np.float32)
        whole[:, :side] = symbol
        top = (side - name.shape[0]) // 2
        whole[top : top + name.shape[0], side + gap :] = name
    whole.flags.writeable = False
    return whole
