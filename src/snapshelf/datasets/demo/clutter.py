"""What else is in a street photo: small things that lie and stand about."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from snapshelf.datasets.demo.colours import blend, colour
from snapshelf.datasets.demo.curves import box, ellipse, line, smooth
from snapshelf.datasets.demo.lighting import lit
from snapshelf.datasets.demo.placing import Spot, place
from snapshelf.datasets.demo.relief import Relief
from snapshelf.datasets.demo.scenes import Scene

__all__ = ["put_clutter"]


def put_clutter(
    where: Scene,
    manner: str,
    taken: list[tuple[float, float, float]],
    difficulty: str,
    rng: np.random.Generator,
) -> None:
    """Scatter small things around the places that the items take.

    Args:
        where: The scene; its picture is painted on.
        manner: "lies", "stands" or "hung".
        taken: (x, y, size) of the items.
        difficulty: Harder photos have more of them.
        rng: Decides what and where.
    """
    if manner == "hung":
        return
    height, width = where.picture.shape[:2]
    things = _FLAT if manner == "lies" else _UPRIGHT
    names = list(things)
    count = int(rng.integers(1, {"easy": 3, "medium": 5, "hard": 7}[difficulty]))
    for _ in range(count):
        draw, share = things[names[int(rng.integers(len(names)))]]
        size = share * min(height, width) * float(rng.uniform(0.8, 1.2))
        x, y = float(rng.uniform(0.02, 0.98)) * width, float(rng.uniform(0.02, 0.98)) * height
        if manner == "stands":
            back = where.horizon + 0.3 * (where.stand[0] - where.horizon)
            y = float(rng.uniform(back, where.stand[0])) - size / 2
        if any(np.hypot(x - tx, y - ty) < 0.42 * (ts + size) for tx, ty, ts in taken):
            continue
        relief = Relief(int(np.clip(size * 1.2, 80, 320)))
        draw(relief, rng)
        degrees = float(rng.uniform(0, 360)) if manner == "lies" else 0.0
        place(
            where,
            lit(relief, where.light),
            Spot(x, y, size, degrees, 0.05, 0.0),
            manner,
            hangs=False,
        )


def _phone(relief: Relief, rng: np.random.Generator) -> None:
    relief.part(box(27, 4, 73, 96, radius=8), colour("black"), bulge=2, rim=2.5, gloss=0.6)
    glass = blend(
        colour("black"), colour(str(rng.choice(("blue", "teal", "purple", "black")))), 0.25
    )
    relief.part(box(29.5, 7, 70.5, 93, radius=5), glass, bulge=0.1, gloss=0.9, cast=0)
    relief.tint(ellipse(50, 10.5, 1.6, 1.6), colour("charcoal"))


def _book(relief: Relief, rng: np.random.Generator) -> None:
    names = rng.permutation(
        ["navy", "rust", "sage", "cream", "plum", "teal", "mustard", "charcoal"]
    )
    cover, ink = colour(str(names[0])), colour(str(names[1]))
    relief.part(box(19, 7, 83, 97), colour("off-white"), bulge=1.2, rim=1)
    relief.part(box(17, 4, 81, 94), cover, bulge=2.0, rim=1.5, gloss=0.15)
    relief.tint(box(26, 16, 72, 30), ink)
    relief.tint(ellipse(49, 58, 15, 15), ink, strength=0.8)
    relief.groove([line((22, 5), (22, 93))], width=0.8, depth=0.3)


def _leaf(relief: Relief, rng: np.random.Generator) -> None:
    tone = colour(str(rng.choice(("rust", "mustard", "orange", "olive", "burgundy", "green"))))
    relief.part(
        smooth([(50, 92, 1), (24, 66), (28, 34), (50, 6, 1), (72, 34), (76, 66)]),
        tone,
        bulge=2,
        rim=14,
    )
    ribs = [line((50, 92), (50, 10))]
    ribs += [line((50, y), (50 + s * 18, y - 16)) for y in (78, 62, 46, 32) for s in (-1, 1)]
    relief.groove(ribs, width=0.9, depth=0.5, dark=0.25)


def _coin(relief: Relief, rng: np.random.Generator) -> None:
    tone = colour(str(rng.choice(("mustard", "silver", "tan"))))
    relief.part(ellipse(50, 50, 44, 44), tone, bulge=3, rim=4, gloss=0.6)
    relief.part(ellipse(50, 50, 34, 34), tone * 0.85, bulge=-1.5, rim=3, gloss=0.5, cast=0)


def _pen(relief: Relief, rng: np.random.Generator) -> None:
    tone = colour(str(rng.choice(("blue", "red", "black", "forest", "white"))))
    relief.part(box(46, 10, 54, 88, radius=3), tone, bulge=3.5, rim=4, gloss=0.5)
    relief.part(
        line((46.5, 87), (53.5, 87), (50.6, 98), (49.4, 98)),
        colour("silver"),
        bulge=2,
        rim=3,
        gloss=0.5,
    )
    relief.part(box(49.4, 4, 52.2, 34, radius=1), colour("silver"), bulge=1, rim=1, gloss=0.6)


def _plate(relief: Relief, rng: np.random.Generator) -> None:
    relief.part(ellipse(50, 50, 47, 47), colour("white"), bulge=3, rim=5, gloss=0.4)
    relief.part(ellipse(50, 50, 33, 33), colour("white") * 0.94, bulge=-2, rim=5, gloss=0.4, cast=0)
    ring = colour(str(rng.choice(("navy", "teal", "rust", "silver"))))
    turn = np.linspace(0, 2 * np.pi, 60)
    relief.stroke(
        [np.stack([50 + 42 * np.cos(turn), 50 + 42 * np.sin(turn)], 1).astype(np.float32)],
        ring,
        1.2,
    )


def _keys(relief: Relief, _rng: np.random.Generator) -> None:
    turn = np.linspace(0, 2 * np.pi, 40)
    ring = np.stack([50 + 14 * np.cos(turn), 24 + 14 * np.sin(turn)], 1).astype(np.float32)
    for k, shift in enumerate((-16, 8)):
        tone = (colour("silver"), colour("mustard"))[k]
        relief.part(ellipse(50 + shift, 46, 11, 11), tone, bulge=1.5, rim=2, gloss=0.5)
        relief.part(
            line(
                (47 + shift, 54),
                (53 + shift, 54),
                (53 + shift, 92),
                (50 + shift, 96),
                (47 + shift, 92),
            ),
            tone,
            bulge=1.5,
            rim=2,
            gloss=0.5,
        )
        relief.part(
            line((53 + shift, 78), (58 + shift, 78), (58 + shift, 83), (53 + shift, 83)),
            tone,
            bulge=1,
            rim=1,
            gloss=0.5,
        )
        relief.part(ellipse(50 + shift, 42, 3, 3), colour("charcoal"), bulge=-1, rim=1)
    outline = np.concatenate([ring, (ring - (50, 24)) * 0.84 + (50, 24)]).astype(np.float32)
    relief.part(outline, colour("silver"), bulge=1.5, rim=1.2, gloss=0.6)


def _pair(point: NDArray[np.float64]) -> tuple[float, float]:
    return float(point[0]), float(point[1])


def _paper(relief: Relief, rng: np.random.Generator) -> None:
    relief.part(line((14, 6), (84, 3), (88, 95), (12, 97)), colour("white"), bulge=0.6, rim=3)
    for k in range(11):
        y = 18 + 6.4 * k
        relief.stroke([line((24, y), (76 - float(rng.uniform(0, 18)), y - 1))], colour("grey"), 1.4)


def _apple(relief: Relief, rng: np.random.Generator) -> None:
    tone = colour(str(rng.choice(("red", "green", "lime", "lemon"))))
    relief.part(
        smooth(
            [
                (50, 20),
                (70, 13),
                (90, 36),
                (82, 76),
                (60, 95),
                (50, 91),
                (40, 95),
                (18, 76),
                (10, 36),
                (30, 13),
            ]
        ),
        tone,
        bulge=26,
        rim=42,
        gloss=0.45,
    )
    relief.part(
        smooth([(48, 24, 1), (50, 4, 1), (54, 5, 1), (52, 24, 1)]),
        colour("brown"),
        bulge=1.5,
        rim=2,
    )


def _plant(relief: Relief, rng: np.random.Generator) -> None:
    pot = colour(str(rng.choice(("rust", "white", "charcoal", "teal"))))
    for k in range(11):
        angle = np.radians(-90 + (k - 5) * 15 + float(rng.normal(0, 5)))
        reach = float(rng.uniform(34, 56))
        tip = (50 + reach * np.cos(angle), 60 + reach * np.sin(angle))
        side = np.array([-np.sin(angle), np.cos(angle)]) * 5.5
        middle = np.array([tip[0] + 50, tip[1] + 60]) / 2
        leaf = smooth([(50, 62, 1), _pair(middle + side), (*tip, 1), _pair(middle - side)])
        relief.part(
            leaf,
            blend(colour("green"), colour("forest"), float(rng.uniform(0, 0.9))),
            bulge=2,
            rim=5,
            gloss=0.2,
        )
    relief.part(
        smooth([(28, 60, 1), (72, 60, 1), (66, 98, 1), (34, 98, 1)]),
        pot,
        bulge=14,
        rim=22,
        gloss=0.25,
        fresh=True,
    )
    relief.part(box(26, 57, 74, 66, radius=1.5), pot, bulge=3, rim=3, gloss=0.25)


def _books(relief: Relief, rng: np.random.Generator) -> None:
    x = 12.0
    while x < 84:
        wide, tall = float(rng.uniform(7, 13)), float(rng.uniform(58, 88))
        names = (
            "navy",
            "rust",
            "sage",
            "cream",
            "plum",
            "teal",
            "mustard",
            "charcoal",
            "red",
            "white",
        )
        tone, ink = (colour(str(name)) for name in rng.choice(names, 2, replace=False))
        relief.part(box(x, 98 - tall, x + wide, 98), tone, bulge=1.8, rim=2.5, gloss=0.1)
        relief.tint(box(x + 1, 98 - tall * 0.85, x + wide - 1, 98 - tall * 0.55), ink, strength=0.8)
        x += wide + 0.3


def _jug(relief: Relief, rng: np.random.Generator) -> None:
    tone = colour(str(rng.choice(("ice", "white", "teal", "cream"))))
    relief.part(
        smooth(
            [
                (40, 8, 1),
                (60, 8, 1),
                (58, 30),
                (78, 62),
                (66, 97, 1),
                (34, 97, 1),
                (22, 62),
                (42, 30),
            ]
        ),
        tone,
        bulge=18,
        rim=28,
        gloss=0.6,
    )
    relief.part(ellipse(50, 8, 10, 2.4), tone * 0.4, bulge=0, cast=0, fresh=True)


_Draw = Callable[[Relief, np.random.Generator], None]
_FLAT: dict[str, tuple[_Draw, float]] = {
    "phone": (_phone, 0.26),
    "book": (_book, 0.36),
    "leaf": (_leaf, 0.13),
    "coin": (_coin, 0.05),
    "pen": (_pen, 0.24),
    "plate": (_plate, 0.4),
    "keys": (_keys, 0.14),
    "paper": (_paper, 0.4),
}
_UPRIGHT: dict[str, tuple[_Draw, float]] = {
    "apple": (_apple, 0.15),
    "plant": (_plant, 0.42),
    "books": (_books, 0.36),
    "jug": (_jug, 0.32),
}
"""What lies or stands about: how it is drawn, and its size as a share of the picture's."""
