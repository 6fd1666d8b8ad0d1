"""Named colours and the colourways that products come in."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["COLOURS", "COLOURWAYS", "DENIMS", "LEATHERS", "Colour", "blend", "colour", "is_dark"]

Colour = NDArray[np.float32]
"""(3,) float32, RGB, linear light, [0, 1]."""

COLOURS = {
    "white": "f2f1ee",
    "off-white": "e9e2d3",
    "cream": "f0dfb8",
    "beige": "d3bb96",
    "sand": "c2a176",
    "camel": "b07f47",
    "tan": "a0693a",
    "brown": "67452e",
    "espresso": "3c281f",
    "black": "1f1f22",
    "charcoal": "3d4046",
    "grey": "8b8f94",
    "silver": "c1c6cb",
    "navy": "1f2b4d",
    "indigo": "30406f",
    "blue": "2c5fab",
    "denim": "4b6d95",
    "sky": "8bbbe0",
    "ice": "c9dfea",
    "teal": "1d7374",
    "turquoise": "38aead",
    "mint": "a3d6ba",
    "sage": "93a684",
    "olive": "656b36",
    "forest": "23513a",
    "green": "3c9150",
    "lime": "a7c93d",
    "lemon": "f2da55",
    "mustard": "d39f28",
    "orange": "e67b29",
    "coral": "ef7f68",
    "rust": "aa4a29",
    "red": "c92f35",
    "burgundy": "691e31",
    "pink": "e9a0b4",
    "blush": "efccc6",
    "fuchsia": "c93280",
    "lilac": "b8a2d2",
    "purple": "623f85",
    "plum": "4b274c",
}
"""sRGB in hexadecimal by the name that a shop gives the colour."""

COLOURWAYS = (
    ("navy", "white", "red"),
    ("black", "white", "lemon"),
    ("forest", "cream", "mustard"),
    ("burgundy", "blush", "cream"),
    ("white", "navy", "sky"),
    ("sky", "white", "navy"),
    ("mustard", "charcoal", "white"),
    ("red", "white", "navy"),
    ("sage", "off-white", "forest"),
    ("grey", "black", "orange"),
    ("pink", "burgundy", "white"),
    ("teal", "cream", "coral"),
    ("off-white", "camel", "brown"),
    ("olive", "sand", "black"),
    ("lilac", "purple", "white"),
    ("orange", "cream", "brown"),
    ("indigo", "ice", "mustard"),
    ("charcoal", "silver", "lime"),
    ("coral", "white", "teal"),
    ("camel", "espresso", "cream"),
    ("mint", "forest", "white"),
    ("blue", "white", "orange"),
    ("plum", "pink", "mustard"),
    ("rust", "sand", "teal"),
    ("turquoise", "white", "navy"),
    ("lemon", "blue", "white"),
    ("fuchsia", "cream", "plum"),
    ("brown", "beige", "sky"),
)
"""Main, second and accent colour, chosen to go together."""

DENIMS = (
    ("denim", "navy", "camel"),
    ("indigo", "navy", "rust"),
    ("black", "charcoal", "grey"),
    ("sky", "denim", "white"),
    ("navy", "indigo", "mustard"),
    ("grey", "charcoal", "black"),
    ("off-white", "beige", "camel"),
    ("olive", "forest", "sand"),
    ("sand", "camel", "brown"),
    ("charcoal", "black", "silver"),
    ("rust", "brown", "cream"),
    ("ice", "sky", "denim"),
    ("blue", "navy", "white"),
    ("burgundy", "plum", "blush"),
)
"""Colourways of jeans and trousers."""

LEATHERS = (
    ("brown", "espresso", "sand"),
    ("black", "charcoal", "red"),
    ("camel", "brown", "cream"),
    ("burgundy", "espresso", "blush"),
    ("navy", "camel", "red"),
    ("off-white", "camel", "navy"),
    ("tan", "brown", "forest"),
    ("forest", "camel", "cream"),
    ("red", "black", "cream"),
    ("blush", "burgundy", "white"),
    ("espresso", "tan", "mustard"),
    ("grey", "black", "teal"),
    ("teal", "tan", "cream"),
    ("mustard", "brown", "navy"),
    ("plum", "black", "lilac"),
    ("sand", "brown", "rust"),
    ("black", "tan", "camel"),
    ("blue", "navy", "silver"),
)
"""Colourways of shoes, bags and straps of leather."""


def colour(name: str) -> Colour:
    """Give a named colour as linear light.

    Args:
        name: A key of `COLOURS`, or six hexadecimal digits of sRGB.

    Returns:
        (3,) float32, RGB, linear light, [0, 1].
    """
    digits = COLOURS.get(name, name)
    values = np.array([int(digits[i : i + 2], 16) for i in (0, 2, 4)], np.float32)
    return np.asarray(np.square(values / 255), np.float32)


def blend(first: Colour, second: Colour, share: float) -> Colour:
    """Mix two colours; `share` in [0, 1] is how much of the second."""
    return np.asarray(first * (1 - share) + second * share, np.float32)


def is_dark(value: Colour) -> bool:
    """Whether white print reads better on this colour than black."""
    return float(value @ np.array([0.3, 0.59, 0.11], np.float32)) < 0.22
