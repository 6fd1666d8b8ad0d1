"""A garment cut out of a photo, as a shop would show it: on white, and not the same pixels."""

import hashlib

import cv2
import numpy as np
from numpy.typing import NDArray

from snapshelf.datasets.garment_areas import GarmentArea
from snapshelf.media.encode import encode_jpeg
from snapshelf.media.picture import RGB

__all__ = ["garment_picture"]

MARGIN = 0.08
"""Of the longer side of the garment: how much white is left around it."""

SMALLEST, LARGEST = 120, 480
"""Sides in pixels: a garment's longer side is brought into this range."""

FEATHER = 0.8
"""Standard deviation in pixels by which the edge of the label map is softened."""


def garment_picture(photo: RGB, area: GarmentArea, name: str) -> bytes:
    """Cut a garment out, and change it mildly: flip, size, perspective, bend, light, compression.

    Args:
        photo: (H, W, 3) uint8, RGB, [0, 255], as large as the label map.
        area: The garment; its box lies within the photo.
        name: Decides the changes: the same ones for the same name.

    Returns:
        The bytes of a JPEG, at most about 600 pixels on a side.
    """
    seed = hashlib.blake2b(name.encode(), digest_size=8).digest()
    rng = np.random.default_rng(int.from_bytes(seed, "big"))
    x0, y0, x1, y1 = (int(value) for value in area.box)
    pixels, alpha = _grown(photo[y0:y1, x0:x1], area.mask)
    if rng.random() < 0.5:
        pixels, alpha = pixels[:, ::-1], alpha[:, ::-1]
    size = _size(pixels.shape[:2], rng)
    pixels, soft = _lit(pixels, rng), cv2.GaussianBlur(alpha, (0, 0), FEATHER)
    across, down = _bent(soft.shape, size, rng)
    sampled = [
        cv2.remap(
            np.ascontiguousarray(layer),
            across,
            down,
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=0,
        )
        for layer in (pixels * soft[..., np.newaxis], soft)
    ]
    shown = sampled[0] + 255.0 * (1.0 - sampled[1][..., np.newaxis])
    picture = np.clip(np.rint(shown), 0, 255).astype(np.uint8)
    return encode_jpeg(picture, quality=int(rng.integers(75, 93)))


def _grown(cut: RGB, mask: NDArray[np.bool_]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Add a rim of nothing, so that the edge can be softened to both sides.

    The rim and what the mask leaves out get the colours beside them, so that no background shines
    through a softened edge.
    """
    rim = round(3 * FEATHER)
    around = ((rim, rim), (rim, rim))
    inside = np.pad(mask, around)
    pixels = np.pad(cut, (*around, (0, 0)), mode="edge").astype(np.float32)
    near = cv2.blur(inside.astype(np.float32), (2 * rim + 1, 2 * rim + 1))
    mean = cv2.blur(pixels * inside[..., np.newaxis], (2 * rim + 1, 2 * rim + 1))
    filled = mean / np.maximum(near, 1e-6)[..., np.newaxis]
    return np.where(inside[..., np.newaxis], pixels, filled), inside.astype(np.float32)


def _size(shape: tuple[int, ...], rng: np.random.Generator) -> tuple[int, int]:
    """Draw the garment's (height, width) in pixels."""
    longest = max(shape[:2])
    scale = np.clip(longest * rng.uniform(0.8, 1.25), SMALLEST, LARGEST) / longest
    aspect = float(np.sqrt(rng.uniform(0.92, 1.08)))
    height, width = shape[:2]
    return max(1, round(height * scale * aspect)), max(1, round(width * scale / aspect))


def _bent(
    shape: tuple[int, ...], size: tuple[int, int], rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Give the source's x and y for each output pixel: a perspective, and a smooth bend."""
    height, width = size
    margin = round(MARGIN * max(size))
    outside = (height + 2 * margin, width + 2 * margin)
    rows, columns = np.mgrid[: outside[0], : outside[1]].astype(np.float32)
    # From 0 to 1 over the garment, and beyond it in the margin.
    u, v = (columns - margin + 0.5) / width, (rows - margin + 0.5) / height
    square = np.array([(0, 0), (1, 0), (1, 1), (0, 1)], np.float32)
    moved = square + rng.uniform(-0.04, 0.04, (4, 2)).astype(np.float32)
    matrix = cv2.getPerspectiveTransform(moved, square)
    u, v = (
        cv2.perspectiveTransform(np.dstack([u, v]).reshape(1, -1, 2), matrix)
        .reshape(*outside, 2)
        .transpose(2, 0, 1)
    )
    bend = rng.uniform(-0.02, 0.02, (4, 4, 2)).astype(np.float32)
    shift = cv2.resize(bend, (outside[1], outside[0]), interpolation=cv2.INTER_CUBIC)
    across = (u + shift[..., 0]) * shape[1] - 0.5
    down = (v + shift[..., 1]) * shape[0] - 0.5
    return across.astype(np.float32), down.astype(np.float32)


def _lit(pixels: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """Change brightness, contrast and the colour of the light a little."""
    curved = 255.0 * (pixels / 255.0) ** float(np.exp(rng.uniform(-0.15, 0.15)))
    cast = 1.0 + rng.uniform(-0.05, 0.05) + rng.uniform(-0.04, 0.04, 3)
    return np.clip(curved * cast, 0, 255).astype(np.float32)
