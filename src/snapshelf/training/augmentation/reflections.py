"""Reflections: gloss on the item, the room in a pane of glass, glare along a shelf's edge."""

import cv2
import numpy as np

from snapshelf.media.picture import RGB
from snapshelf.training.augmentation.fields import coarse_grid, screen, smooth_step

__all__ = ["glass", "shelf_glare", "streaks"]


def streaks(picture: RGB, rng: np.random.Generator, strength: float) -> RGB:
    """Add one to three soft, narrow highlights, as lamps leave them on plastic and lacquer.

    Args:
        picture: (H, W, 3) uint8, RGB, [0, 255].
        rng: Draws where they are.
        strength: In [0, 1]; 0 changes nothing.

    Returns:
        (H, W, 3) uint8.
    """
    grid = coarse_grid()
    light = np.zeros_like(grid.x)
    angle = rng.uniform(0, np.pi)
    for _ in range(int(rng.integers(1, 4))):
        x, y = rng.uniform(0.15, 0.85, 2)
        turn = angle + rng.normal(0, 0.2)
        long, narrow = rng.uniform(0.08, 0.3), rng.uniform(0.02, 0.05)
        dx, dy = grid.x - np.float32(x), grid.y - np.float32(y)
        along = dx * np.float32(np.cos(turn)) + dy * np.float32(np.sin(turn))
        across = dy * np.float32(np.cos(turn)) - dx * np.float32(np.sin(turn))
        blob = np.exp(-((along / np.float32(long)) ** 2) - (across / np.float32(narrow)) ** 2)
        light = np.maximum(light, blob * np.float32(rng.uniform(0.4, 0.9)))
    return screen(picture, _white(picture, light * np.float32(strength)))


def glass(picture: RGB, rng: np.random.Generator, strength: float, *, room: RGB) -> RGB:
    """Reflect another picture, as a shop window, a cold cabinet's door or a screen does.

    Args:
        picture: (H, W, 3) uint8, RGB, [0, 255].
        rng: Draws how much, and on which side most.
        strength: In [0, 1]; 0 changes nothing.
        room: (H, W, 3) uint8: what is reflected.

    Returns:
        (H, W, 3) uint8.

    Raises:
        ValueError: If the room is of another size than the picture.
    """
    if room.shape != picture.shape:
        raise ValueError(f"room must be of the picture's shape {picture.shape}, got {room.shape}")
    grid = coarse_grid()
    angle, offset = rng.uniform(0, 2 * np.pi), rng.uniform(-0.3, 0.3)
    amount = strength * rng.uniform(0.15, 0.4)
    along = np.float32(np.cos(angle)) * (grid.x - 0.5) + np.float32(np.sin(angle)) * (grid.y - 0.5)
    field = smooth_step(along - np.float32(offset), 0.5) * np.float32(amount)
    height, width = picture.shape[:2]
    share = cv2.resize(field, (width, height), interpolation=cv2.INTER_LINEAR)
    light = cv2.multiply(cv2.blur(room, (3, 3)), cv2.merge([share] * 3), dtype=cv2.CV_8U)
    return screen(picture, np.asarray(light, np.uint8))


def shelf_glare(picture: RGB, rng: np.random.Generator, strength: float) -> RGB:
    """Add the bright, nearly level line that a lamp draws along a shelf's edge or a rail.

    Args:
        picture: (H, W, 3) uint8, RGB, [0, 255].
        rng: Draws its height and slope.
        strength: In [0, 1]; 0 changes nothing.

    Returns:
        (H, W, 3) uint8.
    """
    grid = coarse_grid()
    level = rng.choice((rng.uniform(0.03, 0.2), rng.uniform(0.8, 0.97)))
    slope, middle = rng.normal(0, 0.06), rng.uniform(0.2, 0.8)
    distance = grid.y - np.float32(level) - np.float32(slope) * (grid.x - np.float32(0.5))
    line = np.exp(-((distance / np.float32(rng.uniform(0.02, 0.06))) ** 2))
    fades = np.exp(-((grid.x - np.float32(middle)) ** 2) / np.float32(rng.uniform(0.1, 0.5)))
    amount = np.float32(strength * rng.uniform(0.3, 0.8))
    return screen(picture, _white(picture, line * fades * amount))


def _white(picture: RGB, field: np.typing.NDArray[np.float32]) -> RGB:
    height, width = picture.shape[:2]
    light = cv2.resize(field, (width, height), interpolation=cv2.INTER_LINEAR)
    scaled = cv2.convertScaleAbs(light, alpha=255)
    return np.asarray(cv2.merge([scaled] * 3), np.uint8)
