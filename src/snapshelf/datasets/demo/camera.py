"""What a hurried phone does to a scene: exposure, colour cast, blur, noise and compression."""

import cv2
import numpy as np

from snapshelf.datasets.demo.raster import Raster, blurred
from snapshelf.media.picture import RGB

__all__ = ["encoded", "photographed"]

_STRENGTH = {"easy": 0.25, "medium": 0.6, "hard": 1.0}


def photographed(scene: Raster, difficulty: str, rng: np.random.Generator) -> RGB:
    """Take the photo.

    Args:
        scene: (H, W, 3) float32, RGB, linear light.
        difficulty: "easy", "medium" or "hard".
        rng: Decides how it goes wrong.

    Returns:
        (H, W, 3) uint8, RGB.
    """
    bad = _STRENGTH[difficulty]
    height, width = scene.shape[:2]
    exposure = float(np.exp(rng.normal(0, 0.22 * bad + 0.05)))
    warmth, green = rng.normal(0, 0.12 * bad + 0.02), rng.normal(0, 0.03 * bad)
    cast = np.array([1 + warmth, 1 + green, 1 - warmth], np.float32)
    picture = scene * np.asarray(cast * exposure, np.float32)
    if rng.random() < 0.35 + 0.4 * bad:
        picture = _shaken(picture, float(rng.uniform(1, 2 + 7 * bad)), float(rng.uniform(0, 180)))
    picture = blurred(picture, float(rng.uniform(0.3, 0.5 + 1.2 * bad)))
    x = np.linspace(-1, 1, width, dtype=np.float32)[None, :]
    y = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    dim = np.float32(0.07 + 0.07 * bad)
    picture *= (1 - dim * (x * x + y * y))[..., None]
    np.clip(picture, 0, None, out=picture)
    # A soft shoulder instead of hard clipping, as cameras have: it meets the line at 0.8.
    shoulder = np.maximum(picture, np.float32(0.8)) - np.float32(0.6)
    np.divide(np.float32(-0.04), shoulder, out=shoulder)
    shoulder += 1
    np.minimum(picture, shoulder, out=picture)
    np.sqrt(picture, out=picture)
    amount = float(rng.uniform(0.004, 0.008 + 0.024 * bad))
    picture += _grain(rng, height, width) * np.float32(amount)
    return np.asarray(np.clip(picture * 255 + 0.5, 0, 255), np.uint8)


def _grain(rng: np.random.Generator, height: int, width: int) -> Raster:
    """Sensor noise: fine in brightness, coarser in colour, as demosaicing leaves it."""
    fine = rng.standard_normal((height, width, 1), np.float32) * np.float32(0.7)
    rows, columns = -(-height // 2), -(-width // 2)
    coarse = rng.standard_normal((rows, columns, 3), np.float32)
    return fine + np.asarray(cv2.resize(coarse, (width, height)), np.float32)


def _shaken(picture: Raster, length: float, degrees: float) -> Raster:
    """Motion blur along a short line."""
    side = int(length) | 1
    if side < 3:
        return picture
    kernel = np.zeros((side, side), np.float32)
    reach = side / 2
    dx, dy = np.cos(np.radians(degrees)) * reach, np.sin(np.radians(degrees)) * reach
    for t in np.linspace(-1, 1, 4 * side):
        kernel[round(side // 2 + t * dy * 0.95), round(side // 2 + t * dx * 0.95)] += 1
    return np.asarray(cv2.filter2D(picture, -1, kernel / kernel.sum()), np.float32)


def encoded(picture: RGB, quality: int) -> bytes:
    """Compress a picture as JPEG.

    Raises:
        RuntimeError: If OpenCV cannot encode it.
    """
    done, data = cv2.imencode(
        ".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality]
    )
    if not done:
        raise RuntimeError("OpenCV could not encode a picture as JPEG")
    return data.tobytes()
