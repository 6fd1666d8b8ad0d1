"""What saving a photo as a JPEG leaves in it."""

import cv2
import numpy as np

from snapshelf.media.picture import RGB

__all__ = ["jpeg"]

BEST, WORST = 95, 25


def jpeg(picture: RGB, rng: np.random.Generator, strength: float) -> RGB:
    """Save as JPEG and read again, at a quality from 95 down to 25.

    Args:
        picture: (H, W, 3) uint8, RGB, [0, 255].
        rng: Draws the quality.
        strength: In [0, 1]; 0 changes nothing, not even by the best quality.

    Returns:
        (H, W, 3) uint8.

    Raises:
        ValueError: If a side is longer than JPEG allows (65,535 pixels).
    """
    quality = round(BEST - (BEST - WORST) * strength * rng.uniform(0.3, 1.0))
    if strength <= 0:
        return picture
    if max(picture.shape[:2]) > 65_535:
        raise ValueError(f"picture's sides must have at most 65,535 pixels, got {picture.shape}")
    turned = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
    stored = cv2.imencode(".jpg", turned, (cv2.IMWRITE_JPEG_QUALITY, quality))[1]
    read = cv2.imdecode(stored, cv2.IMREAD_COLOR)
    assert read is not None
    return np.asarray(cv2.cvtColor(read, cv2.COLOR_BGR2RGB), np.uint8)
