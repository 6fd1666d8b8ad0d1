"""Shop pictures: one product before a light background, softly lit."""

import numpy as np

from snapshelf.datasets.demo.design import Design, Pose
from snapshelf.datasets.demo.kinds.table import KINDS
from snapshelf.datasets.demo.lighting import STUDIO, lit
from snapshelf.datasets.demo.raster import Plane, Raster, blurred, resized
from snapshelf.datasets.demo.relief import Relief
from snapshelf.media.picture import RGB

__all__ = ["drawn", "studio_picture", "to_srgb"]

_RELIEF = 560


def drawn(design: Design, pose: Pose, size: int) -> Relief:
    """Draw a product in a pose onto a new relief of size x size pixels."""
    relief = Relief(size)
    KINDS[design.kind].draw(relief, design, pose)
    return relief


def studio_picture(design: Design, view: int, rng: np.random.Generator, size: int = 400) -> RGB:
    """Take a shop picture.

    Args:
        design: The product.
        view: 1 for the main picture; 2 for another side, the other shoe or a detail.
        rng: Decides small differences of pose and background.
        size: Pixels along a side of the picture.

    Returns:
        (size, size, 3) uint8, RGB.
    """
    kind = KINDS[design.kind]
    turn = float(rng.uniform(6, 14))
    if view == 2:
        turn = float(rng.uniform(28, 40)) * (-1 if rng.random() < 0.5 else 1)
    pose = Pose(
        rng, turn=turn, wrinkles=0.45 if view == 1 else 0.8, spread=0.0 if view == 1 else 0.5
    )
    picture = lit(drawn(design, pose, _RELIEF), STUDIO)
    detail = view == 2 and not kind.round and rng.random() < 0.4
    if view == 2 and not kind.round and not detail:
        picture = np.ascontiguousarray(picture[:, ::-1]) if kind.place == "stands" else picture
    if detail:
        height, width = picture.shape[:2]
        top, left = int(height * rng.uniform(0.08, 0.3)), int(width * rng.uniform(0.12, 0.3))
        side = int(min(height, width) * 0.62)
        picture = picture[top : top + side, left : left + side]
    fill = 1.0 if detail else float(rng.uniform(0.8, 0.86))
    scale = fill * size / max(picture.shape[:2])
    rows, columns = round(picture.shape[0] * scale), round(picture.shape[1] * scale)
    item = np.clip(resized(picture, rows, columns), 0, None)
    ground = _background(rng, size)
    top, left = (size - rows) // 2, (size - columns) // 2
    layer = np.zeros((size, size, 4), np.float32)
    layer[top : top + rows, left : left + columns] = item
    ground *= _shadow(layer[..., 3], stands=kind.place == "stands")[..., None]
    return to_srgb(ground * (1 - layer[..., 3:]) + layer[..., :3])


def to_srgb(picture: Raster) -> RGB:
    """Turn linear light into the bytes of a picture."""
    return np.asarray(np.sqrt(np.clip(picture, 0, 1)) * 255 + 0.5, np.uint8)


def _background(rng: np.random.Generator, size: int) -> Raster:
    """White or a very light tint, a little darker towards the bottom."""
    tint = np.array([1.0, 1.0, 1.0], np.float32)
    if rng.random() < 0.5:
        tint = np.asarray(rng.uniform(0.9, 0.98, 3), np.float32)
    fall = np.linspace(1.0, 0.95, size, dtype=np.float32)[:, None, None]
    return np.asarray(np.broadcast_to(tint * fall, (size, size, 3)), np.float32).copy()


def _shadow(cover: Plane, *, stands: bool) -> Plane:
    """How much light the background keeps: a contact shadow below, or a soft one around."""
    size = cover.shape[0]
    if not stands:
        moved = np.roll(cover, (size // 90, size // 110), (0, 1))
        return np.asarray(1 - 0.34 * blurred(moved, size / 60), np.float32)
    rows = np.flatnonzero(cover.max(1) > 0.5)
    bottom = int(rows[-1])
    foot = cover[max(0, bottom - size // 12) : bottom + 1].max(0)
    profile = np.zeros_like(cover)
    reach = size // 45
    profile[max(0, bottom - reach) : bottom + reach // 2 + 1] = foot
    wide = blurred(profile, size / 36)
    close = blurred(profile, size / 110)
    return np.asarray(1 - 0.3 * wide - 0.38 * close, np.float32)
