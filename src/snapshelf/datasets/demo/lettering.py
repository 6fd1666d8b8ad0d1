"""Lettering: words as masks, in the one font that Pillow carries within itself, made to differ.

No font can be counted on to be installed, so a brand's look comes from weight, width, slant,
spacing, capitals, outlines and arcs.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from snapshelf.datasets.demo.colours import Colour
from snapshelf.datasets.demo.raster import Plane, Raster, resized, sampled, warped
from snapshelf.datasets.demo.relief import Relief

__all__ = ["Lettering", "arched", "printed", "words"]

_EM = 64


@dataclass(frozen=True, slots=True)
class Lettering:
    """How words look.

    Attributes:
        weight: Stroke added to the letters, in 1/64 of their size; 0 is the regular face.
        width: Stretches the letters sideways.
        slant: Leans them to the right, as a share of their height.
        spacing: Between letters, as a share of their size.
        case: "as written", "upper" or "lower".
        outline: Whether only the letters' edges are drawn.
    """

    weight: int = 0
    width: float = 1.0
    slant: float = 0.0
    spacing: float = 0.0
    case: str = "as written"
    outline: bool = False


@lru_cache(maxsize=512)
def words(text: str, style: Lettering) -> Plane:
    """Draw one line of text.

    Args:
        text: Not empty.
        style: How it looks.

    Returns:
        (H, W) float32, [0, 1], cut close to the letters; not to be written to.
    """
    text = {"upper": text.upper(), "lower": text.lower()}.get(style.case, text)
    font = ImageFont.load_default(_EM)
    margin = _EM // 4 + style.weight
    advances = [font.getlength(letter) + style.spacing * _EM + style.weight for letter in text]
    width = int(sum(advances)) + 2 * margin
    picture = Image.new("L", (width, int(_EM * 1.5) + 2 * style.weight))
    pen = ImageDraw.Draw(picture)
    x = float(margin)
    for letter, advance in zip(text, advances, strict=True):
        pen.text((x, _EM * 0.1), letter, fill=255, font=font, stroke_width=style.weight)
        x += advance
    if style.outline:
        hollow = Image.new("L", picture.size)
        pen = ImageDraw.Draw(hollow)
        x = float(margin)
        for letter, advance in zip(text, advances, strict=True):
            inner = max(0, style.weight - 3)
            pen.text((x, _EM * 0.1), letter, fill=255, font=font, stroke_width=inner)
            x += advance
        picture = Image.fromarray(
            np.clip(np.asarray(picture, np.int16) - np.asarray(hollow), 0, 255).astype(np.uint8)
        )
    mask: Plane = np.asarray(picture, np.float32) * np.float32(1 / 255)
    height, width = mask.shape
    if style.slant or style.width != 1.0:
        lean = abs(style.slant) * height
        matrix = np.array(
            [[style.width, -style.slant, max(0.0, style.slant) * height], [0, 1, 0], [0, 0, 1]],
            np.float64,
        )
        mask = warped(mask, matrix, height, int(width * style.width + lean) + 2, wrap=False)
    rows, columns = np.flatnonzero(mask.max(1) > 0.2), np.flatnonzero(mask.max(0) > 0.2)
    cut = mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].copy()
    cut.flags.writeable = False
    return cut


def arched(mask: Plane, bend: float) -> Plane:
    """Bend a line of text upwards in its middle; `bend` is the rise as a share of its width."""
    height, width = mask.shape
    rise = int(abs(bend) * width)
    rows, columns = np.indices((height + rise, width), np.float32)
    across = (columns / width - 0.5) * 2
    fall = across * across if bend > 0 else 1 - across * across
    outside = np.pad(mask, ((1, 1), (0, 0)))
    return sampled(outside, columns, np.clip(rows - fall * rise + 1, 0, height + 1))


def printed(
    relief: Relief, mask: Plane, where: tuple[float, float, float, float], paint: Colour | Raster
) -> None:
    """Print a mask onto an item, as large as fits into a box, in its middle.

    Args:
        relief: The item.
        mask: (H, W) float32, [0, 1].
        where: (x0, y0, x1, y1) in design units, within the relief.
        paint: One colour, or a raster of the relief's size.
    """
    x0, y0, x1, y1 = (value * relief.unit for value in where)
    scale = min((x1 - x0) / mask.shape[1], (y1 - y0) / mask.shape[0])
    rows, columns = max(2, round(mask.shape[0] * scale)), max(2, round(mask.shape[1] * scale))
    top, left = round((y0 + y1 - rows) / 2), round((x0 + x1 - columns) / 2)
    window = (slice(top, top + rows), slice(left, left + columns))
    relief.lay(np.clip(resized(mask, rows, columns), 0, 1), window, paint)
