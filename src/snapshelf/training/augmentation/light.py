"""Light: exposure and its colour, light from one side, and shadows of things out of sight."""

from typing import NamedTuple

import cv2
import numpy as np

from snapshelf.media.picture import RGB
from snapshelf.training.augmentation.fields import coarse_grid, multiply, smooth_step
from snapshelf.training.augmentation.layers import Placed, coverage

__all__ = ["Tone", "cast_shadow", "drop_shadow", "exposure", "retone", "side_light"]

LEVELS = np.arange(256, dtype=np.float32) / 255

DIMMED = 0.08 / 0.3
"""Of an exposure's full strength: photos of the street are darker, on average, than of a shop."""


class Tone(NamedTuple):
    """How a camera renders the light; 0 changes nothing, -1 and 1 are the ends of what is likely.

    Attributes:
        gain: Brighter above 0.
        gamma: Darker mid-tones above 0.
        contrast: More of it above 0.
        warm: Towards red above 0, towards blue below.
        green: Towards green above 0, towards magenta below.
    """

    gain: float = 0.0
    gamma: float = 0.0
    contrast: float = 0.0
    warm: float = 0.0
    green: float = 0.0


def retone(picture: RGB, tone: Tone) -> RGB:
    """Change gain, gamma, contrast and the colour of the light, in one table for each channel.

    ``out_c = g_c (0.5 + k (in_c - 0.5)) ^ gamma`` on [0, 1], cut off there.

    Args:
        picture: (H, W, 3) uint8, RGB, [0, 255].
        tone: The change.

    Returns:
        (H, W, 3) uint8.
    """
    gamma = np.exp(0.35 * tone.gamma)
    cast = np.exp([0.2 * tone.warm, 0.07 * tone.green, -0.2 * tone.warm])
    brightness = np.exp(0.3 * tone.gain)
    pivot = np.clip(0.5 + np.exp(0.25 * tone.contrast) * (LEVELS - 0.5), 0, 1)
    table = np.clip(pivot[:, None] ** gamma * brightness * cast, 0, 1)
    rounded = np.rint(table * 255).astype(np.uint8)
    return np.asarray(cv2.LUT(picture, rounded[None]), np.uint8)


def exposure(picture: RGB, rng: np.random.Generator, strength: float) -> RGB:
    """Change gain, gamma, contrast and the colour of the light: see `retone`.

    The colour goes from warm to cold, with a little green or magenta; a mid-grey keeps at least
    half its brightness.

    Args:
        picture: (H, W, 3) uint8, RGB, [0, 255].
        rng: Draws the change.
        strength: In [0, 1]; 0 changes nothing.

    Returns:
        (H, W, 3) uint8.
    """
    gain, gamma, contrast, warm, green = rng.uniform(-1, 1, 5) * strength
    return retone(picture, Tone(gain - DIMMED * strength, gamma, contrast, warm, green))


def side_light(picture: RGB, rng: np.random.Generator, strength: float) -> RGB:
    """Let the light fall off towards one side, by up to half.

    Args:
        picture: (H, W, C) uint8, RGB or a premultiplied layer.
        rng: Draws the direction.
        strength: In [0, 1]; 0 changes nothing.

    Returns:
        (H, W, C) uint8.
    """
    angle = rng.uniform(0, 2 * np.pi)
    depth = strength * rng.uniform(0.15, 0.5)
    grid = coarse_grid()
    along = np.cos(angle) * (grid.x - 0.5) + np.sin(angle) * (grid.y - 0.5)
    field = 1 + np.float32(depth) * (along * np.float32(1.1) - np.float32(0.2))
    return multiply(picture, field.astype(np.float32))


def cast_shadow(picture: RGB, rng: np.random.Generator, strength: float) -> RGB:
    """Let the shadow of something out of sight fall across: a band or a half, softly edged.

    Args:
        picture: (H, W, 3) uint8, RGB, [0, 255].
        rng: Draws where it falls.
        strength: In [0, 1]; 0 changes nothing.

    Returns:
        (H, W, 3) uint8.
    """
    angle, offset = rng.uniform(0, 2 * np.pi), rng.uniform(-0.35, 0.35)
    depth = strength * rng.uniform(0.2, 0.55)
    softness = rng.uniform(0.08, 0.4)
    bow, band = rng.uniform(-0.6, 0.6), rng.uniform(0.25, 0.9)
    grid = coarse_grid()
    x, y = grid.x - np.float32(0.5), grid.y - np.float32(0.5)
    along = np.float32(np.cos(angle)) * x + np.float32(np.sin(angle)) * y
    across = np.float32(np.cos(angle)) * y - np.float32(np.sin(angle)) * x
    distance = along - np.float32(offset) + np.float32(bow) * across**2
    dark = smooth_step(distance, softness) * smooth_step(band - distance, softness)
    return multiply(picture, 1 - np.float32(depth) * dark)


def drop_shadow(picture: RGB, placed: Placed, rng: np.random.Generator, strength: float) -> RGB:
    """Let an item throw its own soft shadow on what is behind it.

    Args:
        picture: (H, W, 3) uint8, RGB, [0, 255]: the background.
        placed: The item that will be painted over it.
        rng: Draws where the light comes from.
        strength: In [0, 1]; 0 changes nothing.

    Returns:
        (H, W, 3) uint8.
    """
    height, width = picture.shape[:2]
    reach = max(placed.layer.shape[:2])
    shift = rng.uniform(-0.08, 0.08) * reach, rng.uniform(-0.02, 0.1) * reach
    softness = 2 * round(rng.uniform(0.02, 0.07) * reach) + 1
    depth = strength * rng.uniform(0.3, 0.65)
    move = np.array([[1, 0, shift[0]], [0, 1, shift[1]]])
    alpha = cv2.warpAffine(coverage(placed, (height, width)), move, (width, height))
    soft = cv2.blur(cv2.blur(alpha, (softness, softness)), (softness, softness))
    rest = cv2.bitwise_not(cv2.convertScaleAbs(soft, alpha=depth))
    return np.asarray(cv2.multiply(picture, cv2.merge([rest] * 3), scale=1 / 255), np.uint8)
