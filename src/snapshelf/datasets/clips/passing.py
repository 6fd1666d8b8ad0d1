"""What passes in front of an item while it is filmed: somebody, or an arm reaching in."""

from dataclasses import dataclass
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

from snapshelf.media.picture import RGB
from snapshelf.training.augmentation.blur import blur_along
from snapshelf.training.augmentation.hands import draw_hand, draw_limb
from snapshelf.training.augmentation.layers import Layer, as_layer, paint
from snapshelf.training.augmentation.warps import corners_of, resample

__all__ = ["Passing"]

SECONDS = (0.4, 1.1)
ARMS = 0.5
"""How often it is an arm; else it is somebody who walks past."""

SIDE = 96
"""Of a layer in pixels; nothing so near is in focus."""

ROOM = 12
"""Around a layer in pixels, for its blur."""

BLUR = 2.5
"""Pixels that a layer smears while the shutter is open, if it passes within a second."""

Point = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Passing:
    """Something on its way through the frame.

    Attributes:
        layer: (h, w, 4) uint8, premultiplied.
        path: (K, 2) float64, K >= 2: where its middle is, in shares of the frame's width and
            height, at equal distances in time.
        sides: Its width and height in shares of the frame's longer side.
        degrees: How it is turned, clockwise.
        start: When it comes, in seconds.
        seconds: How long it takes.
    """

    layer: Layer
    path: Point
    sides: tuple[float, float]
    degrees: float
    start: float
    seconds: float

    @classmethod
    def draw(cls, clip_seconds: float, rng: np.random.Generator, strength: float) -> Self:
        """Draw something, and when and where it passes.

        Args:
            clip_seconds: The clip's length.
            rng: Draws everything.
            strength: In [0, 1]: how much of the frame it takes.
        """
        seconds = min(rng.uniform(*SECONDS), 0.45 * clip_seconds)
        start = rng.uniform(-0.2 * seconds, clip_seconds - 0.8 * seconds)
        if rng.random() < ARMS:
            layer, out = _arm(rng, strength)
            away = np.array([0.5, 0.5]) + 1.2 * out
            near = np.array([0.5, 0.5]) + rng.uniform(0, 0.3) * out
            path = np.stack([away, near, near, away])
            # So large that no end of it is seen, for it is near.
            side = 1.7 * layer.shape[0] / SIDE
            return cls(layer, path, (side, side), 0.0, start, 1.4 * seconds)
        # Whoever it is stands on the ground, so the lower end is out of view.
        top = rng.uniform(0.0, 0.5 - 0.4 * strength)
        tall = 1.2 - top
        wide = tall * rng.uniform(0.6, 1.0)
        ends = np.array([[-0.6 * wide, top + tall / 2], [1 + 0.6 * wide, top + tall / 2]])
        ends[1, 1] += rng.uniform(0, 0.1)
        path = ends if rng.random() < 0.5 else ends[::-1]
        layer = _soft(_body(rng), BLUR / seconds)
        return cls(layer, path, (wide, tall), rng.uniform(-5, 5), start, seconds)

    def pass_by(self, picture: RGB, time: float) -> None:
        """Paint it where it is at some time, in place; nothing before it comes and after.

        Args:
            picture: (H, W, 3) uint8, RGB, [0, 255].
            time: In seconds from the start of the clip.
        """
        done = (time - self.start) / self.seconds
        if not 0 <= done <= 1:
            return
        height, width = picture.shape[:2]
        steps = np.linspace(0, 1, len(self.path))
        x, y = (float(np.interp(done, steps, self.path[:, axis])) for axis in (0, 1))
        longer = max(height, width)
        sides = (self.sides[0] * longer, self.sides[1] * longer)
        corners = corners_of((x * width, y * height), sides, self.degrees)
        paint(picture, resample(self.layer, corners, (height, width)))


def _arm(rng: np.random.Generator, strength: float) -> tuple[Layer, Point]:
    """Draw an arm whose hand is in the middle, and tell the direction that it comes from."""
    half = SIDE * (0.1 + 0.12 * strength)
    middle = SIDE / 2
    box = (middle - half, middle - half, middle + half, middle + half)
    hand = draw_hand((SIDE, SIDE), box, rng, 1.0)
    layer: Layer = hand.behind.copy()
    uncovered = 1 - hand.before[..., 3:].astype(np.float32) / 255
    layer[:] = np.rint(np.minimum(layer * uncovered + hand.before, 255))
    rows, columns = np.nonzero(layer[..., 3] > 127)
    towards = np.array([columns.mean(), rows.mean()]) - middle
    return _soft(layer, BLUR), towards / max(float(np.linalg.norm(towards)), 1e-6)


def _body(rng: np.random.Generator) -> Layer:
    """Draw somebody's trunk and arm in a dull cloth, seen from the side that passes."""
    colour, alpha = np.zeros((SIDE, SIDE, 3), np.uint8), np.zeros((SIDE, SIDE), np.uint8)
    cloth = np.clip(rng.uniform(20, 170) + rng.normal(0, 12, 3), 8, 240)
    trunk = rng.uniform(0.55, 0.75) * SIDE
    x = rng.uniform(0.4, 0.6) * SIDE
    lean = rng.uniform(-0.06, 0.06) * SIDE
    low = 1.5 * SIDE
    draw_limb(colour, alpha, np.array([x, 0.55 * trunk]), np.array([x + lean, low]), trunk, cloth)
    arm = x + rng.uniform(-0.2, 0.2) * SIDE
    draw_limb(
        colour,
        alpha,
        np.array([arm, 0.5 * trunk]),
        np.array([arm + 3 * lean, low]),
        0.35 * trunk,
        np.clip(cloth * rng.uniform(0.75, 1.1), 0, 255),
    )
    # So near, nothing of the cloth is in focus but that it is darker at the rim.
    return as_layer(np.asarray(cv2.blur(colour, (17, 17)), np.uint8), alpha)


def _soft(layer: Layer, moved: float) -> Layer:
    """Put a layer out of focus, and blur what moves across; with room for it around."""
    framed = cv2.copyMakeBorder(layer, *(ROOM,) * 4, cv2.BORDER_CONSTANT)
    soft = cv2.blur(cv2.blur(framed, (5, 5)), (3, 3))
    return blur_along(np.asarray(soft, np.uint8), min(moved, float(ROOM)), 0.0)
