"""Clutter drawn from nothing: surfaces, shelves and blurred things, where no photo is given."""

import cv2
import numpy as np
from numpy.typing import NDArray

from snapshelf.media.picture import RGB

__all__ = ["draw_clutter"]

THINGS = (4, 14)
SURFACE = (60, 220)


def draw_clutter(size: tuple[int, int], rng: np.random.Generator) -> RGB:
    """Draw a background: a graded, grained surface, and half the time shelves full of things.

    Args:
        size: (H, W) in pixels.
        rng: Draws everything.

    Returns:
        (H, W, 3) uint8, RGB, [0, 255].
    """
    height, width = size
    low = _colour(rng)
    corners = np.clip(low + rng.normal(0, 22, (2, 2, 3)), 0, 255).astype(np.float32)
    picture = cv2.resize(corners, (width, height), interpolation=cv2.INTER_LINEAR).astype(np.uint8)
    kind = rng.random()
    if kind < 0.5:
        _shelves(picture, rng)
    elif kind < 0.75:
        _things(picture, rng)
    picture = _grained(picture, rng)
    blur = int(rng.integers(0, max(2, max(size) // 32)))
    return np.asarray(cv2.blur(picture, (2 * blur + 1, 2 * blur + 1)), np.uint8)


def _colour(rng: np.random.Generator) -> NDArray[np.float64]:
    """Give a colour, mostly a dull one."""
    grey = rng.uniform(*SURFACE)
    return np.clip(grey + rng.normal(0, rng.choice((12, 45)), 3), 0, 255)


def _grained(picture: RGB, rng: np.random.Generator) -> RGB:
    """Add noise of three grains, finer and fainter each."""
    height, width = picture.shape[:2]
    total = np.full((height, width), 128, np.float32)
    stretch = rng.choice((1, 1, 6), size=2)
    for cells, levels in ((4, 18), (14, 14), (48, 10)):
        rows, columns = max(1, cells // stretch[0]), max(1, cells // stretch[1])
        noise = np.frombuffer(rng.bytes(int(rows * columns)), np.uint8).reshape(rows, columns)
        share = np.float32(levels * rng.uniform(0, 1) / 128)
        coarse = (noise.astype(np.float32) - 128) * share
        total += cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR)
    factor = total / np.float32(128)
    return np.asarray(cv2.multiply(picture, cv2.merge([factor] * 3), dtype=cv2.CV_8U), np.uint8)


def _shelves(picture: RGB, rng: np.random.Generator) -> None:
    """Paint boards across, and rows of boxes standing on them."""
    height, width = picture.shape[:2]
    board = _colour(rng)
    step = height * rng.uniform(0.25, 0.7)
    edge = height * rng.uniform(0.02, 0.06)
    y = rng.uniform(0, step)
    while y < height + step:
        x = -rng.uniform(0, 0.1) * width
        facing, left = _colour(rng), 0
        while x < width:
            if left == 0:
                facing, left = _colour(rng), int(rng.integers(1, 5))
                wide, tall = rng.uniform(0.07, 0.25) * width, step * rng.uniform(0.5, 0.95)
            left -= 1
            _box(picture, (x, y - tall, x + 0.94 * wide, y), facing, rng)
            x += wide
        _box(picture, (0, y, width, y + edge), board, rng)
        y += step


def _things(picture: RGB, rng: np.random.Generator) -> None:
    """Paint boxes and discs anywhere."""
    height, width = picture.shape[:2]
    for _ in range(int(rng.integers(*THINGS))):
        x, y = rng.uniform(0, width), rng.uniform(0, height)
        wide, tall = rng.uniform(0.05, 0.4, 2) * (width, height)
        if rng.random() < 0.5:
            _box(
                picture, (x - wide / 2, y - tall / 2, x + wide / 2, y + tall / 2), _colour(rng), rng
            )
        else:
            axes = (max(1, round(wide / 2)), max(1, round(tall / 2)))
            angle = rng.uniform(0, 180)
            cv2.ellipse(
                picture,
                (round(x), round(y)),
                axes,
                angle,
                0,
                360,
                _colour(rng).tolist(),
                -1,
                cv2.LINE_AA,
            )


def _box(
    picture: RGB,
    box: tuple[float, float, float, float],
    colour: NDArray[np.float64],
    rng: np.random.Generator,
) -> None:
    """Paint a box with a darker side and a stripe, as packages have them."""
    x0, y0, x1, y1 = (round(value) for value in box)
    cv2.rectangle(picture, (x0, y0), (x1, y1), colour.tolist(), -1)
    stripe = np.clip(colour * rng.uniform(0.4, 1.6), 0, 255).tolist()
    top = round(y0 + rng.uniform(0.1, 0.7) * (y1 - y0))
    cv2.rectangle(picture, (x0, top), (x1, top + max(1, (y1 - y0) // 5)), stripe, -1)
    side = round(x1 - 0.12 * (x1 - x0))
    cv2.rectangle(picture, (side, y0), (x1, y1), (colour * 0.6).tolist(), -1)
