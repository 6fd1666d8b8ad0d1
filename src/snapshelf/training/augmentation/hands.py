"""Hands drawn from nothing, that hold an item: the arm behind it, fingers in front of it."""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from snapshelf.training.augmentation.layers import Layer, as_layer

__all__ = ["Hand", "draw_hand", "draw_limb"]

SKIN = ((239, 204, 176), (217, 169, 130), (181, 127, 88), (138, 90, 60), (92, 60, 40))
FINE = 4
"""Shapes are drawn at sixteenths of a pixel."""

Point = NDArray[np.float64]


class Hand(NamedTuple):
    """A hand in two layers of the whole picture.

    Attributes:
        behind: (H, W, 4) uint8, premultiplied: arm and palm, painted before the item.
        before: (H, W, 4) uint8, premultiplied: the fingers, painted after it.
    """

    behind: Layer
    before: Layer


def draw_hand(
    size: tuple[int, int],
    box: tuple[float, float, float, float],
    rng: np.random.Generator,
    strength: float,
) -> Hand:
    """Draw a hand that holds an item from below or from a side.

    Args:
        size: (H, W) of the picture.
        box: x0, y0, x1, y1 of the item in pixels.
        rng: Draws whose hand, and how it holds.
        strength: In [0, 1]: how far the fingers reach over the item, at 1 about a third of it.

    Returns:
        Both layers.
    """
    sides = np.array([box[2] - box[0], box[3] - box[1]])
    centre = np.array([box[0] + box[2], box[1] + box[3]]) / 2
    # From straight below to either side, seldom from above.
    angle = rng.normal(np.pi / 2, 0.9)
    out = np.array([np.cos(angle), np.sin(angle)])
    along = np.array([-out[1], out[0]])
    palm = float(np.clip(rng.uniform(0.45, 0.8) * sides.min(), 0.14 * min(size), 0.4 * min(size)))
    edge = 1 / np.hypot(*(out / (sides / 2 + 1e-6)))
    grip = centre + out * 0.88 * edge + along * rng.uniform(-0.1, 0.1) * sides.min()
    skin = np.array(SKIN[int(rng.integers(len(SKIN)))]) * rng.uniform(0.85, 1.08)
    sleeve = np.clip(rng.uniform(20, 200) + rng.normal(0, 25, 3), 0, 255)
    arm = grip + out * 2.5 * max(size)
    wrist = grip + out * palm * rng.uniform(1.0, 1.6)

    colour, alpha = _blank(size)
    draw_limb(colour, alpha, grip + out * 0.2 * palm, arm, 0.62 * palm, skin)
    draw_limb(colour, alpha, grip, grip + out * 0.45 * palm, 0.95 * palm, skin)
    if rng.random() < 0.6:
        draw_limb(colour, alpha, wrist + out * 0.4 * palm, arm, 0.8 * palm, sleeve)
    behind = as_layer(np.asarray(cv2.blur(colour, (3, 3)), np.uint8), alpha)

    colour, alpha = _blank(size)
    depth = (0.35 + 0.65 * strength) * min(0.62 * palm, 0.6 * edge)
    if rng.random() < 0.5:
        bent = along * rng.uniform(-0.4, 0.4)
        tip = grip - (out + bent) * depth
        draw_limb(colour, alpha, grip + out * 0.3 * palm, tip, 0.3 * palm, skin, nail=True)
    else:
        for number in range(4):
            base = grip + out * 0.2 * palm + along * (number - 1.5) * 0.23 * palm
            tip = base - (out + along * 0.08 * (1.5 - number)) * (
                0.2 * palm + depth * rng.uniform(0.75, 1.0)
            )
            draw_limb(colour, alpha, base, tip, 0.22 * palm, skin, nail=rng.random() < 0.5)
    before = as_layer(np.asarray(cv2.blur(colour, (3, 3)), np.uint8), alpha)
    return Hand(behind, _with_shadow(before, max(1, round(0.05 * palm))))


def _blank(size: tuple[int, int]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    return np.zeros((*size, 3), np.uint8), np.zeros(size, np.uint8)


def draw_limb(
    colour: NDArray[np.uint8],
    alpha: NDArray[np.uint8],
    start: Point,
    end: Point,
    thickness: float,
    tone: Point,
    *,
    nail: bool = False,
) -> None:
    """Draw a rounded limb, darker along its rim and lighter along its middle, in place.

    Args:
        colour: (H, W, 3) uint8, RGB, [0, 255], not multiplied by alpha.
        alpha: (H, W) uint8, [0, 255].
        start: (2,) x and y of one end in pixels; may lie outside.
        end: (2,) of the other one; a nail is near it.
        thickness: In pixels.
        tone: (3,) RGB of its middle, [0, 255].
        nail: Whether it is a finger whose nail is seen.
    """
    thick = max(1, round(thickness))
    lines = [(thick + 1, 0.66), (thick, 0.82), (max(1, round(0.72 * thick)), 0.95)]
    lines.append((max(1, round(0.36 * thick)), 1.05))
    first, last = _fixed(start), _fixed(end)
    cv2.line(alpha, first, last, (255,), thick, cv2.LINE_AA, FINE)
    for width, factor in lines:
        shade = np.clip(tone * factor, 0, 255).tolist()
        cv2.line(colour, first, last, shade, width, cv2.LINE_AA, FINE)
    if nail and thick >= 5:
        inward = (start - end) / max(float(np.linalg.norm(start - end)), 1e-6)
        pale = np.clip(0.6 * tone + 100, 0, 255).tolist()
        radius = round(0.22 * thick * 2**FINE)
        cv2.circle(colour, _fixed(end + inward * 0.1 * thick), radius, pale, -1, cv2.LINE_AA, FINE)


def _fixed(point: Point) -> tuple[int, int]:
    # Far outside is as good as farther: the drawing routines count in 16 bits and a sign.
    x, y = np.clip(point, -2000, 4000) * 2**FINE
    return round(x), round(y)


def _with_shadow(layer: Layer, reach: int) -> Layer:
    """Add the soft shadow that fingers throw on what they hold."""
    alpha = cv2.extractChannel(layer, 3)
    side = 2 * reach + 1
    soft = cv2.convertScaleAbs(cv2.blur(alpha, (side, side)), alpha=0.4)
    result: Layer = layer.copy()
    result[..., 3] = cv2.max(alpha, soft)
    return result
