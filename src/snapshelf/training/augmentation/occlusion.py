"""What hides a part of an item: another item, and the rail with the price tags."""

import cv2
import numpy as np

from snapshelf.media.picture import RGB
from snapshelf.training.augmentation.clutter import draw_clutter
from snapshelf.training.augmentation.layers import Layer, as_layer, paint
from snapshelf.training.augmentation.warps import corners_of, resample

__all__ = ["Box", "cover_with_piece", "drawn_piece", "price_rail"]

Box = tuple[float, float, float, float]
"""x0, y0, x1, y1 in pixels."""

DEEPEST = 0.4
PIECE_SIDE = 48


def cover_with_piece(
    picture: RGB, box: Box, piece: Layer, rng: np.random.Generator, strength: float
) -> RGB:
    """Let a piece of something else reach over an item from a side, up to 0.4 of its side.

    Args:
        picture: (H, W, 3) uint8, RGB, [0, 255], with the item.
        box: The item.
        piece: (h, w, 4) uint8, premultiplied: what hides it.
        rng: Draws from which side, how large and how turned.
        strength: In [0, 1]; 0 changes nothing.

    Returns:
        (H, W, 3) uint8; a new array.
    """
    if strength <= 0:
        return picture
    sides = np.array([box[2] - box[0], box[3] - box[1]])
    centre = np.array([box[0] + box[2], box[1] + box[3]]) / 2
    height, width = piece.shape[:2]
    longest = rng.uniform(0.4, 0.9) * sides.max()
    scale = longest / max(height, width)
    extent = np.array([width, height]) * scale
    degrees = rng.uniform(-30, 30)
    # From below twice as often as from a side, never from above.
    way = np.array(((-1, 0), (1, 0), (0, 1), (0, 1))[int(rng.integers(4))])
    axis = int(way[1] != 0)
    depth = strength * rng.uniform(0.3, 1.0) * DEEPEST * sides[axis]
    place = centre + way * (sides / 2 + extent / 2 - depth)
    place[1 - axis] += rng.uniform(-0.45, 0.45) * sides[1 - axis]
    corners = corners_of((place[0], place[1]), (extent[0], extent[1]), degrees)
    result = picture.copy()
    paint(result, resample(piece, corners, (picture.shape[0], picture.shape[1])))
    return result


def drawn_piece(rng: np.random.Generator) -> Layer:
    """Draw something to hide an item with, where there is no picture of another one.

    Args:
        rng: Draws it.

    Returns:
        (48, 48, 4) uint8, premultiplied: a box or a disc with a pattern.
    """
    colour = draw_clutter((PIECE_SIDE, PIECE_SIDE), rng)
    alpha = np.zeros((PIECE_SIDE, PIECE_SIDE), np.uint8)
    middle = PIECE_SIDE // 2
    if rng.random() < 0.5:
        half = round(middle * rng.uniform(0.4, 0.95))
        cv2.rectangle(alpha, (middle - half, 1), (middle + half, PIECE_SIDE - 2), (255,), -1)
    else:
        axes = (middle - 2, round(middle * rng.uniform(0.5, 0.95)))
        cv2.ellipse(alpha, (middle, middle), axes, 0, 0, 360, (255,), -1, cv2.LINE_AA)
    return as_layer(colour, alpha)


def price_rail(picture: RGB, box: Box, rng: np.random.Generator, strength: float) -> RGB:
    """Let a shelf's rail with price tags run over the item's lower end, up to 0.2 of its height.

    Args:
        picture: (H, W, 3) uint8, RGB, [0, 255], with the item.
        box: The item.
        rng: Draws the rail.
        strength: In [0, 1]; 0 changes nothing.

    Returns:
        (H, W, 3) uint8; a new array.
    """
    if strength <= 0:
        return picture
    height, width = picture.shape[:2]
    deep = strength * rng.uniform(0.4, 1.0) * 0.2 * (box[3] - box[1])
    top = round(box[3] - deep)
    tall = max(2, round(rng.uniform(0.06, 0.13) * height))
    grey = rng.uniform(70, 235)
    tone = np.clip(grey + rng.normal(0, 10, 3), 0, 255)
    result = picture.copy()
    cv2.rectangle(result, (0, top), (width, top + tall), tone.tolist(), -1)
    cv2.line(result, (0, top), (width, top), np.clip(1.25 * tone, 0, 255).tolist(), 1)
    below = result[top + tall + 1 :]
    if below.size:
        # There lies the next shelf, in the shadow of this one.
        below[:] = cv2.convertScaleAbs(below, alpha=0.55)
    x = rng.uniform(-0.3, 0.2) * width
    while x < width:
        wide = rng.uniform(0.15, 0.3) * width
        paper = ((250, 248, 240), (250, 225, 60), (245, 245, 250))[int(rng.integers(3))]
        left, right = round(x), round(x + wide)
        cv2.rectangle(result, (left, top + 1), (right, top + tall - 1), paper, -1)
        line = top + max(1, tall // 2)
        cv2.line(result, (left + 2, line), (right - 2 - round(wide / 3), line), (60, 60, 60), 1)
        x += wide + rng.uniform(0.05, 0.5) * width
    return result
