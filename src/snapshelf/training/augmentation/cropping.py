"""Parts of a real photo, which keeps its own background."""

import cv2
import numpy as np

from snapshelf.media.picture import RGB
from snapshelf.training.augmentation.layers import colours, opaque
from snapshelf.training.augmentation.posing import tilt
from snapshelf.training.augmentation.settings import DomainShift
from snapshelf.training.augmentation.warps import corners_of, resample

__all__ = ["photo_part"]

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
    """Show a part of a photo, turned and seen a little from the side; or padded, as a query is.

    Args:
        picture: (H, W, 3) uint8, RGB, [0, 255].
        size: (H, W) of the view in pixels.
        rng: Draws everything.
        settings: Its pad_photos, rotation, perspective and flip.
        area: Least and most of the photo's area to show, in (0, 1].

    Returns:
        (H, W, 3) uint8, RGB, [0, 255].
    """
    whole = np.array([picture.shape[1], picture.shape[0]], np.float64)
    room = np.array([size[1], size[0]], np.float64)
    padded = bool(rng.random() < settings.pad_photos)
    share = rng.uniform(*area)
    # The part has the shape of what it is shown in, or up to 1.15 times wider or taller.
    shape = whole if padded else room
    stretch = np.exp(rng.uniform(-1, 1) * np.log(STRETCH)) if share < 1 else 1.0
    part = shape * (np.sqrt(stretch), 1 / np.sqrt(stretch))
    part *= np.sqrt(share * whole.prod() / part.prod())
    part *= min(1.0, float((whole / part).min()))
    start = rng.uniform(0, 1, 2) * (whole - part)
    mirrored = bool(rng.random() < settings.flip)
    if padded:
        left, top = start.astype(int)
        right, bottom = np.ceil(start + part).astype(int)
        picture = np.ascontiguousarray(picture[top:bottom, left:right])
        whole = np.array([picture.shape[1], picture.shape[0]], np.float64)
        sides = whole * (room / whole).min()
        # Neither turned nor tilted: what pads a query doesn't turn it either.
        corners = corners_of((room[0] / 2, room[1] / 2), (sides[0], sides[1]))
        border = cv2.BORDER_CONSTANT
    else:
        sides = whole * room / part
        degrees = settings.rotation.draw(rng) * MOST_TURNED * rng.choice((-1, 1))
        corners = corners_of((0, 0), (sides[0], sides[1]))
        # About the middle of the part, so that it stays in the view.
        corners += (whole / 2 - start - part / 2) * room / part
        angle = np.deg2rad(degrees)
        turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        corners = tilt(corners @ turn + room / 2, rng, settings.perspective.draw(rng) / 2)
        border = cv2.BORDER_REFLECT_101
    if mirrored:
        corners[:, 0] = size[1] - corners[:, 0]
    placed = resample(opaque(picture), corners, size, border=border, value=WHITE, whole=True)
    return colours(placed.layer)
