"""Parts of a real photo, which keeps its own background."""

import cv2
import numpy as np

from snapshelf.media.picture import RGB
from snapshelf.training.augmentation.layers import colours, opaque
from snapshelf.training.augmentation.posing import tilt
from snapshelf.training.augmentation.settings import DomainShift
from snapshelf.training.augmentation.warps import corners_of, resample

__all__ = ["pad", "padded_size", "photo_part"]

MOST_TURNED = 10.0
STRETCH = 1.15
WHITE = 255


def photo_part(
    picture: RGB,
    size: tuple[int, int],
    rng: np.random.Generator,
    settings: DomainShift,
    *,
    area: tuple[float, float],
) -> RGB:
    """Show a part of a photo, turned and seen a little from the side.

    Args:
        picture: (H, W, 3) uint8, RGB, [0, 255].
        size: (H, W) of the view in pixels.
        rng: Draws everything.
        settings: Its rotation, perspective and flip.
        area: Least and most of the photo's area to show, in (0, 1]; less is shown where the
            photo is much longer than the view.

    Returns:
        (H, W, 3) uint8, RGB, [0, 255].
    """
    whole = np.array([picture.shape[1], picture.shape[0]], np.float64)
    room = np.array([size[1], size[0]], np.float64)
    share = rng.uniform(*area)
    # The part has the view's shape, or is up to 1.15 times wider or taller.
    stretch = np.exp(rng.uniform(-1, 1) * np.log(STRETCH)) if share < 1 else 1.0
    part = room * (np.sqrt(stretch), 1 / np.sqrt(stretch))
    part *= np.sqrt(share * whole.prod() / part.prod())
    part *= min(1.0, float((whole / part).min()))
    start = rng.uniform(0, 1, 2) * (whole - part)

    # All of the photo is laid out so that the part fills the view.
    sides = whole * room / part
    corners = corners_of((0, 0), (sides[0], sides[1]))
    corners += (whole / 2 - start - part / 2) * room / part
    # Turned about the middle of the part, so that it stays in the view.
    angle = np.deg2rad(settings.rotation.draw(rng) * MOST_TURNED * rng.choice((-1, 1)))
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    corners = tilt(corners @ turn + room / 2, rng, settings.perspective.draw(rng) / 2)
    if rng.random() < settings.flip:
        corners[:, 0] = size[1] - corners[:, 0]
    placed = resample(opaque(picture), corners, size, border=cv2.BORDER_REFLECT_101, whole=True)
    return colours(placed.layer)


def padded_size(picture: RGB, size: tuple[int, int]) -> tuple[int, int]:
    """Give the (height, width) of a whole photo inside a view.

    Args:
        picture: (H, W, 3); only its shape counts.
        size: (H, W) of the view in pixels.
    """
    height, width = picture.shape[:2]
    fit = min(size[0] / height, size[1] / width)
    return max(1, round(height * fit)), max(1, round(width * fit))


def pad(view: RGB, size: tuple[int, int]) -> RGB:
    """Fill a view up with white around it, as preprocessing pads a query.

    Args:
        view: (h, w, 3) uint8, not larger than `size`.
        size: (H, W) in pixels.

    Returns:
        (H, W, 3) uint8.
    """
    height, width = view.shape[:2]
    top, left = (size[0] - height) // 2, (size[1] - width) // 2
    result = np.full((*size, 3), WHITE, np.uint8)
    result[top : top + height, left : left + width] = view
    return result
