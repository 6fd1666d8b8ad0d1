"""From the colours of an embedded ICC profile to sRGB."""

from functools import lru_cache
from io import BytesIO

import numpy as np
from PIL import Image, ImageCms

__all__ = ["convert_profile"]

_MAX_PROFILE_BYTES = 4 * 1024 * 1024
_MODES = frozenset({"RGB", "L", "CMYK"})
_SAME = 2


def convert_profile(image: Image.Image, profile: bytes) -> Image.Image | None:
    """Convert a picture from its ICC profile to sRGB, with the perceptual intent.

    Args:
        image: A picture of mode RGB, L or CMYK.
        profile: Its ICC profile.

    Returns:
        The picture in sRGB, mode RGB; None where the profile is sRGB itself, broken, larger
        than 4 MiB or made for another kind of picture, and so has nothing to say.
    """
    if len(profile) > _MAX_PROFILE_BYTES or image.mode not in _MODES:
        return None
    transform = _transform(profile, image.mode)
    return None if transform is None else ImageCms.applyTransform(image, transform)


@lru_cache(maxsize=32)
def _transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """Build the transform of a profile, or None where there is nothing to do.

    Whether a profile is sRGB is told by what it does, since its name says little: a transform
    that moves no colour of a grid by more than two levels is left out.
    """
    try:
        transform = ImageCms.buildTransform(
            ImageCms.ImageCmsProfile(BytesIO(profile)),
            ImageCms.createProfile("sRGB"),
            mode,
            "RGB",
            renderingIntent=ImageCms.Intent.PERCEPTUAL,
        )
    except (ImageCms.PyCMSError, OSError, TypeError, ValueError):
        return None
    if mode == "RGB":
        grid = _grid()
        moved = np.asarray(ImageCms.applyTransform(Image.fromarray(grid), transform))
        if np.abs(moved.astype(np.int16) - grid).max() <= _SAME:
            return None
    return transform


def _grid() -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """Nine levels of each channel, black and white included: (27, 27, 3) uint8."""
    levels = np.linspace(0, 255, 9).astype(np.uint8)
    return np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(27, 27, 3)
