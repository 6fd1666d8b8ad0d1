"""The colour of an item, told from its studio picture: derived, not published with any data set.

Each pixel is named by one of the eleven basic colour terms of Berlin and Kay (1969), in CIE L*a*b*
(D65): by lightness where it has no chroma, else by hue, with dark orange named brown and light red
named pink. The name that covers most of the item is the item's colour.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from snapshelf.datasets.training_item import AttributeValue
from snapshelf.features.classical.foreground import foreground
from snapshelf.media.picture import RGB

__all__ = ["COLOURS", "TEMPERATURES", "colour_names", "dominant_colour"]

COLOURS = (
    "black", "blue", "brown", "green", "grey", "orange", "pink", "purple", "red", "white", "yellow",
)  # fmt: skip
"""The basic colour terms, in the order of their numbers."""

TEMPERATURES = {
    "black": "neutral",
    "blue": "cool",
    "brown": "warm",
    "green": "cool",
    "grey": "neutral",
    "orange": "warm",
    "pink": "warm",
    "purple": "cool",
    "red": "warm",
    "white": "neutral",
    "yellow": "warm",
}
"""The group of each colour."""

SIDE = 96
LEAST_CHROMA = 13.0
BLACK_BELOW = 25.0
WHITE_ABOVE = 78.0
"""Lightness in [0, 100] of what has no chroma; grey lies between."""

HUES = (
    (-25.0, "purple"),
    (12.0, "pink"),
    (47.0, "red"),
    (80.0, "orange"),
    (103.0, "yellow"),
    (195.0, "green"),
    (307.0, "blue"),
    (335.0, "purple"),
)
"""Each hue's name begins behind the one before it and ends at this angle in degrees."""

BROWN_BELOW = 58.0
BEIGE_BELOW = 75.0
PALE = 40.0
"""Orange is brown below `BROWN_BELOW`, and with less chroma than `PALE` below `BEIGE_BELOW`."""

OLIVE = 42.0
"""Yellow that is darker than this is brown."""

PINK_ABOVE = 66.0
"""Red that is lighter than this is pink."""


def dominant_colour(picture: RGB) -> AttributeValue:
    """Name the colour that covers most of an item in its studio picture.

    Args:
        picture: (H, W, 3) uint8, RGB, [0, 255], of one item before a plain background.

    Returns:
        The temperature (warm, cool or neutral) and the colour, such as ``("cool", "green")``.
    """
    small = np.asarray(cv2.resize(picture, (SIDE, SIDE), interpolation=cv2.INTER_AREA), np.uint8)
    lab = np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2LAB), np.uint8)
    weights = foreground(lab[np.newaxis])[0]
    votes = np.bincount(colour_names(small).ravel(), weights.ravel(), len(COLOURS))
    colour = COLOURS[int(votes.argmax())]
    return TEMPERATURES[colour], colour


def colour_names(picture: RGB) -> NDArray[np.int64]:
    """Name the colour of each pixel.

    Args:
        picture: (H, W, 3) uint8, RGB, [0, 255].

    Returns:
        (H, W) int64, numbers of `COLOURS`.
    """
    # Floats in [0, 1] give L* in [0, 100] and unscaled a* and b*.
    lab = cv2.cvtColor(picture.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    lightness, a, b = np.moveaxis(lab, -1, 0)
    # From purple's end at 335 degrees, -25, upwards.
    hue = (np.degrees(np.arctan2(b, a)) + 25) % 360 - 25
    ends = [end for end, _ in HUES]
    numbers = np.array([COLOURS.index(name) for _, name in HUES])
    named = numbers[np.searchsorted(ends, hue, side="right") % len(HUES)]

    chroma = np.hypot(a, b)
    dull = (lightness < BROWN_BELOW) | (lightness < BEIGE_BELOW) & (chroma < PALE)
    without = (chroma < LEAST_CHROMA) | (lightness < BLACK_BELOW / 2)
    number = COLOURS.index
    named = np.select(
        [
            without & (lightness < BLACK_BELOW),
            without & (lightness > WHITE_ABOVE),
            without,
            (named == number("orange")) & dull,
            (named == number("yellow")) & (lightness < OLIVE),
            (named == number("red")) & (lightness > PINK_ABOVE),
        ],
        [number(name) for name in ("black", "white", "grey", "brown", "brown", "pink")],
        named,
    )
    return named.astype(np.int64)
