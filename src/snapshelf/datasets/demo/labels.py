"""Flat printed surfaces: labels, wrappers and the faces of cartons."""

import zlib
from collections.abc import Sequence

import numpy as np

from snapshelf.datasets.demo.brands import logo, mark
from snapshelf.datasets.demo.colours import Colour, blend, colour, is_dark
from snapshelf.datasets.demo.curves import Points
from snapshelf.datasets.demo.design import Design
from snapshelf.datasets.demo.lettering import Lettering, words
from snapshelf.datasets.demo.patterns import pattern
from snapshelf.datasets.demo.raster import Plane, Raster, filled, resized

__all__ = ["Sheet", "back_label", "front_label", "ink_on"]

WHITE = colour("white")
BLACK = colour("black")


def ink_on(ground: Colour) -> Colour:
    """Black or white, whichever reads better on a ground."""
    return WHITE if is_dark(ground) else BLACK


class Sheet:
    """A flat sheet to print on; places are shares of its width and height.

    Args:
        height: Pixels.
        width: Pixels.
        ground: Its colour.

    Attributes:
        raster: (height, width, 3) float32, RGB, linear light.
        ground: Its colour before anything was printed.
    """

    def __init__(self, height: int, width: int, ground: Colour) -> None:
        self.ground = ground
        self.raster: Raster = np.empty((height, width, 3), np.float32)
        self.raster[:] = ground

    def fill(self, points: Points, value: Colour) -> None:
        """Fill a polygon given in shares of the sheet."""
        height, width = self.raster.shape[:2]
        scale = np.array([width, height], np.float32)
        at = np.asarray(points * scale, np.float32)
        x0, y0 = np.maximum(np.floor(at.min(0)).astype(int) - 1, 0)
        x1, y1 = np.minimum(np.ceil(at.max(0)).astype(int) + 2, (width, height))
        if x1 <= x0 or y1 <= y0:
            return
        mask = filled(at - np.array([x0, y0], np.float32), int(y1 - y0), int(x1 - x0))
        cut = self.raster[y0:y1, x0:x1]
        cut += (value - cut) * mask[..., None]

    def block(self, x0: float, y0: float, x1: float, y1: float, value: Colour) -> None:
        """Fill a rectangle."""
        height, width = self.raster.shape[:2]
        self.raster[
            round(y0 * height) : round(y1 * height), round(x0 * width) : round(x1 * width)
        ] = value

    def print(self, mask: Plane, x0: float, y0: float, x1: float, y1: float, value: Colour) -> None:
        """Print a mask as large as fits into a rectangle."""
        height, width = self.raster.shape[:2]
        box_height, box_width = (y1 - y0) * height, (x1 - x0) * width
        scale = min(box_height / mask.shape[0], box_width / mask.shape[1])
        rows, columns = max(2, int(mask.shape[0] * scale)), max(2, int(mask.shape[1] * scale))
        fitted = np.clip(resized(mask, rows, columns), 0, 1)
        top = int(y0 * height + (box_height - rows) / 2)
        left = int(x0 * width + (box_width - columns) / 2)
        cut = self.raster[max(top, 0) : top + rows, max(left, 0) : left + columns]
        fitted = fitted[: cut.shape[0], : cut.shape[1]]
        cut += (value - cut) * fitted[..., None]

    def lines(self, x0: float, y0: float, x1: float, y1: float, value: Colour, count: int) -> None:
        """Print greeked small text: rows of short bars, the same for the same place."""
        rng = np.random.default_rng(zlib.crc32(f"{x0:.3f} {y0:.3f} {count}".encode()))
        step = (y1 - y0) / count
        faint = blend(value, self.ground, 0.25)
        for k in range(count):
            x = x0
            end = x1 if k < count - 1 else x0 + (x1 - x0) * 0.6
            while x < end:
                word = float(rng.uniform(0.05, 0.16)) * (x1 - x0)
                self.block(
                    x,
                    y0 + k * step,
                    min(x + word, end),
                    y0 + (k + 0.5) * step,
                    faint,
                )
                x += word + 0.02 * (x1 - x0)

    def barcode(self, x0: float, y0: float, x1: float, y1: float, number: int) -> None:
        """Print a barcode on white."""
        self.block(x0, y0, x1, y1, WHITE)
        bits = np.random.default_rng(number).random(48) < 0.5
        step = (x1 - x0) * 0.86 / len(bits)
        for k, bit in enumerate(bits):
            if bit:
                x = x0 + (x1 - x0) * 0.07 + k * step
                self.block(x, y0 + (y1 - y0) * 0.1, x + step, y0 + (y1 - y0) * 0.85, BLACK)


def front_label(design: Design, height: int, width: int, subject: str) -> Sheet:
    """Print the face of a pack: brand, what is inside, and the flavour's picture.

    Args:
        design: Its layout is the family's; colours and flavour are the product's.
        height: Pixels.
        width: Pixels.
        subject: What is in the pack, such as "orange juice".

    Returns:
        The printed sheet.
    """
    main, second, accent = design.palette
    layout = design.pick("layout", ("band", "split", "frame", "pattern", "sweep"))
    sheet = Sheet(height, width, main)
    ground = main
    if layout == "band":
        sheet.block(0, 0.32, 1, 0.62, second)
        sheet.block(0, 0.62, 1, 0.635, accent)
    elif layout == "split":
        sheet.block(0, 0.55, 1, 1, second)
    elif layout == "frame":
        sheet.block(0.06, 0.05, 0.94, 0.95, second)
        sheet.block(0.085, 0.065, 0.915, 0.935, main)
    elif layout == "pattern":
        name = design.pick("paper", ("polka-dot", "floral", "chevron", "palm-leaf", "argyle"))
        size = max(height, width)
        paper = pattern(name, (main, blend(main, second, 0.55), accent), size, design.rng("paper"))
        sheet.raster[:] = paper[:height, :width]
        sheet.block(0.1, 0.06, 0.9, 0.57, main)
    else:
        x = np.linspace(0, 1, 24)
        edge = 0.6 + 0.09 * np.sin(x * 6.28)
        below = np.stack([x, edge], 1)
        sheet.fill(np.concatenate([below, [[1, 1], [0, 1]]]).astype(np.float32), second)
        stripe = np.concatenate([below, np.stack([x, edge + 0.035], 1)[::-1]])
        sheet.fill(stripe.astype(np.float32), accent)
    brand_ground = second if layout == "band" else ground
    top = (0.34, 0.6) if layout == "band" else (0.09, 0.37)
    ink = _legible(brand_ground, accent)
    sheet.print(logo(design.brand, stacked=layout != "band"), 0.13, top[0], 0.87, top[1], ink)
    style = Lettering(3, spacing=0.08, case="upper")
    text_ground = main if layout in ("band", "frame", "pattern") else second
    place = (0.07, 0.17) if layout == "band" else (0.44, 0.53)
    on = main if layout != "sweep" else ground
    sheet.print(words(subject, style), 0.14, place[0], 0.86, place[1], ink_on(on))
    if layout == "band":
        sheet.print(
            words(design.model, Lettering(5, slant=0.2)), 0.2, 0.19, 0.8, 0.29, ink_on(main)
        )
    _flavour(sheet, design, (0.24, 0.66, 0.76, 0.86), text_ground)
    caption = Lettering(4, case="lower")
    if design.flavour:
        if layout == "pattern":
            sheet.block(0.1, 0.865, 0.9, 0.96, main)
        sheet.print(words(design.flavour, caption), 0.15, 0.875, 0.85, 0.945, ink_on(text_ground))
    return sheet


def back_label(design: Design, height: int, width: int) -> Sheet:
    """Print the reverse of a pack: small text, a table and a barcode."""
    main, second, _ = design.palette
    sheet = Sheet(height, width, main)
    ink = ink_on(main)
    sheet.print(mark(design.brand.mark), 0.3, 0.06, 0.7, 0.2, second)
    sheet.lines(0.12, 0.26, 0.88, 0.46, ink, 6)
    sheet.block(0.12, 0.5, 0.88, 0.505, ink)
    sheet.lines(0.12, 0.54, 0.88, 0.7, ink, 5)
    sheet.barcode(0.2, 0.76, 0.8, 0.92, design.family)
    return sheet


def _legible(ground: Colour, ink: Colour) -> Colour:
    """The ink where it stands out from the ground, else black or white."""
    weights = np.array([0.3, 0.59, 0.11], np.float32)
    apart = abs(float(np.sqrt(ground @ weights) - np.sqrt(ink @ weights)))
    return ink if apart > 0.3 else ink_on(ground)


FLAVOURS: dict[str, tuple[str, str]] = {
    "orange": ("round", "orange"),
    "apple": ("round", "green"),
    "cherry": ("pair", "red"),
    "lemon": ("oval", "lemon"),
    "blueberry": ("berries", "indigo"),
    "strawberry": ("heart", "red"),
    "peach": ("round", "coral"),
    "mint": ("sprig", "green"),
    "lavender": ("sprig", "purple"),
    "rose": ("bloom", "pink"),
    "almond": ("seeds", "tan"),
    "honey": ("drop", "mustard"),
    "coconut": ("half", "espresso"),
    "vanilla": ("bloom", "cream"),
    "cocoa": ("seeds", "brown"),
    "tomato": ("round", "red"),
    "olive": ("pair", "olive"),
    "grape": ("berries", "plum"),
    "ginger": ("seeds", "sand"),
    "sea salt": ("drop", "sky"),
}
"""How each flavour is pictured, and in which colour."""


def _flavour(
    sheet: Sheet, design: Design, where: tuple[float, float, float, float], ground: Colour
) -> None:
    """Draw the flavour's picture, round on the sheet whatever its proportions."""
    if design.flavour not in FLAVOURS:
        return
    form, name = FLAVOURS[design.flavour]
    value = colour(name)
    green = colour("green")
    height, width = sheet.raster.shape[:2]
    x0, y0, x1, y1 = where
    cx, cy = (x0 + x1) / 2, (y0 + y1) / 2
    ry = min((y1 - y0) / 2, (x1 - x0) / 2 * width / height)
    rx = ry * height / width
    backing = WHITE if form != "bloom" else blend(ground, WHITE, 0.5)
    sheet.fill(_oval(cx, cy, rx * 1.12, ry * 1.12), backing)

    def oval(dx: float, dy: float, a: float, b: float, tone: Colour) -> None:
        sheet.fill(_oval(cx + dx * rx, cy + dy * ry, a * rx, b * ry), tone)
        light = blend(tone, WHITE, 0.55)
        sheet.fill(
            _oval(cx + (dx - a * 0.35) * rx, cy + (dy - b * 0.4) * ry, a * 0.2 * rx, b * 0.16 * ry),
            light,
        )

    def leaf(dx: float, dy: float, angle: float, reach: float) -> None:
        t = np.linspace(0, 2 * np.pi, 20, endpoint=False)
        along, side = reach * (0.5 - 0.5 * np.cos(t)), reach * 0.24 * np.sin(t)
        px = dx + along * np.cos(angle) - side * np.sin(angle)
        py = dy + along * np.sin(angle) + side * np.cos(angle)
        sheet.fill(np.stack([cx + px * rx, cy + py * ry], 1).astype(np.float32), green)

    if form in ("round", "oval", "half"):
        oval(0, 0.1, 0.78 if form != "oval" else 0.9, 0.74 if form != "oval" else 0.6, value)
        if form == "half":
            sheet.fill(_oval(cx, cy + 0.02 * ry, rx * 0.6, ry * 0.52), WHITE)
        else:
            leaf(0.0, -0.6, -0.5, 0.7)
    elif form == "pair":
        oval(-0.36, 0.3, 0.42, 0.42, value)
        oval(0.4, 0.22, 0.42, 0.42, value)
        leaf(0.0, -0.5, -0.4, 0.7)
    elif form == "berries":
        for dx, dy in (
            (-0.45, -0.15),
            (0.1, -0.25),
            (0.55, -0.05),
            (-0.2, 0.3),
            (0.32, 0.35),
            (0.05, 0.68),
        ):
            oval(dx, dy, 0.3, 0.3, value)
        leaf(0.0, -0.5, -0.9, 0.6)
    elif form == "heart":
        t = np.linspace(0, 2 * np.pi, 40, endpoint=False)
        px, py = (
            0.05 * 16 * np.sin(t) ** 3,
            -0.05 * (13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t)),
        )
        sheet.fill(np.stack([cx + px * rx, cy + (py + 0.1) * ry], 1).astype(np.float32), value)
        for dx, dy in ((-0.4, -0.1), (0, 0.05), (0.4, -0.1), (-0.2, 0.35), (0.2, 0.35)):
            sheet.fill(_oval(cx + dx * rx, cy + dy * ry, rx * 0.04, ry * 0.06), colour("lemon"))
        leaf(0.0, -0.45, -0.6, 0.5)
        leaf(0.0, -0.45, -2.5, 0.5)
    elif form == "sprig":
        for k in range(5):
            for side in (-1, 1):
                leaf(0.0, 0.8 - 0.33 * k, -1.57 + side * 0.9, 0.6)
        if value is not green:
            for k in range(6):
                oval(0.12 * (-1) ** k, -0.75 + 0.2 * k, 0.16, 0.13, value)
    elif form == "bloom":
        for k in range(7):
            angle = 2 * np.pi * k / 7
            oval(0.45 * np.cos(angle), 0.45 * np.sin(angle), 0.36, 0.36, value)
        oval(0, 0, 0.28, 0.28, colour("mustard"))
    elif form == "seeds":
        for dx, dy in ((-0.4, -0.2), (0.3, -0.35), (0.0, 0.2), (0.55, 0.25), (-0.45, 0.5)):
            oval(dx, dy, 0.3, 0.22, value)
    else:
        points: Sequence[tuple[float, float]] = [
            (0.62 * np.sin(t) * np.sin(t / 2) ** 1.4, -0.85 * np.cos(t))
            for t in np.linspace(0, 6.28, 36)
        ]
        sheet.fill(np.array([(cx + x * rx, cy + y * ry) for x, y in points], np.float32), value)


def _oval(x: float, y: float, rx: float, ry: float) -> Points:
    angle = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    return np.stack([x + rx * np.cos(angle), y + ry * np.sin(angle)], 1).astype(np.float32)
