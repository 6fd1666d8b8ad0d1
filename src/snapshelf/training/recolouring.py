"""Recolouring: a product that nobody sells, made of one that somebody does.

Turning all hues of a product's pictures by one angle gives the pictures of another product, in
the street and in the shop alike. There are many of these for each real one, so a network that has
to tell them apart learns how the two sides belong together, and not which products there are.
"""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from snapshelf.media.picture import RGB

__all__ = ["draw_turn", "hue_rotation", "recolour"]

TURNS = (40.0, 320.0)
"""Least and most degrees of a turn: nearer to none, colours stay those of the same product."""


def hue_rotation(degrees: float) -> NDArray[np.float64]:
    """Give the rotation of RGB space about the grey axis.

    Rodrigues' formula, ``R = I + sin(a) K + (1 - cos(a)) K^2`` with K the cross product with
    ``(1, 1, 1) / sqrt(3)``. Greys, and so white backgrounds, stay as they are.

    Args:
        degrees: The angle a.

    Returns:
        (3, 3) float64, orthogonal.
    """
    angle = math.radians(degrees)
    unit = 1 / math.sqrt(3)
    cross = unit * np.array([[0.0, -1.0, 1.0], [1.0, 0.0, -1.0], [-1.0, 1.0, 0.0]])
    rotation: NDArray[np.float64] = (
        np.eye(3) + math.sin(angle) * cross + (1 - math.cos(angle)) * (cross @ cross)
    )
    return rotation


def draw_turn(rng: np.random.Generator, probability: float) -> float:
    """Draw how far the hues of a product's views are turned.

    Args:
        rng: Draws.
        probability: In [0, 1], of any turn.

    Returns:
        Degrees: 0 for none, else far enough from it to make another product.
    """
    return float(rng.uniform(*TURNS)) if rng.random() < probability else 0.0


def recolour(picture: RGB, degrees: float) -> RGB:
    """Turn the hues of a picture.

    Args:
        picture: (H, W, 3) uint8, RGB, [0, 255].
        degrees: How far; 120 makes red green, green blue and blue red. Colours that end outside
            [0, 255] are cut off.

    Returns:
        (H, W, 3) uint8, RGB, [0, 255]; the picture itself for 0.
    """
    if degrees == 0:
        return picture
    return np.asarray(cv2.transform(picture, hue_rotation(degrees)), np.uint8)
