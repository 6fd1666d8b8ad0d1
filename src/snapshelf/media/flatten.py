"""From any of a decoder's modes to opaque RGB, on white where it is transparent."""

import numpy as np
from PIL import Image

from snapshelf.media.colour import convert_profile

__all__ = ["flatten"]


def flatten(image: Image.Image) -> Image.Image:
    """Turn a decoded picture into opaque sRGB.

    A 16-bit picture keeps the high byte of each value; transparent pixels are composited on
    white, as a shop's page shows them; an embedded ICC profile is converted to sRGB and
    ignored where it is broken or made for another kind of picture. CMYK without a profile
    becomes ``R = (255 - C) * (255 - K) / 255``, and so on.

    Args:
        image: Loaded, of any mode the accepted formats decode to; `info` may hold an
            ``icc_profile`` and a ``transparency``.

    Returns:
        A picture of mode RGB.
    """
    profile = image.info.get("icc_profile")
    opaque, alpha = _separate(image)
    converted = convert_profile(opaque, profile) if isinstance(profile, bytes) else None
    rgb = converted or (opaque if opaque.mode == "RGB" else opaque.convert("RGB"))
    if alpha is None:
        return rgb
    page = Image.new("RGB", rgb.size, "white")
    page.paste(rgb, mask=alpha)
    return page


def _separate(image: Image.Image) -> tuple[Image.Image, Image.Image | None]:
    """Split a picture into opaque colours (RGB, L or CMYK) and its alpha, if it has any."""
    if image.mode.startswith("I;16"):
        return _separate_16_bit(image)
    if image.mode == "RGBa":
        image = image.convert("RGBA")
    if "transparency" in image.info and image.mode in ("1", "L", "P", "RGB"):
        image = image.convert("RGBA")
    if image.mode == "RGBA":
        return image.convert("RGB"), image.getchannel("A")
    if image.mode in ("LA", "PA"):
        return image.convert("L" if image.mode == "LA" else "RGB"), image.getchannel("A")
    if image.mode == "1":
        return image.convert("L"), None
    if image.mode in ("RGB", "L", "CMYK"):
        return image, None
    return image.convert("RGB"), None


def _separate_16_bit(image: Image.Image) -> tuple[Image.Image, Image.Image | None]:
    values = np.asarray(image)
    opaque = Image.fromarray((values >> 8).astype(np.uint8))
    key = image.info.get("transparency")
    if key is None:
        return opaque, None
    return opaque, Image.fromarray(np.where(values == key, 0, 255).astype(np.uint8))
