"""From a decoded frame to an RGB picture: upright, of its shown shape, on white."""

from fractions import Fraction

import numpy as np
from av import VideoFrame as DecodedFrame
from av.sidedata.sidedata import SideData
from av.video.reformatter import VideoReformatter

from snapshelf.media.display_matrix import turned
from snapshelf.media.picture import RGB

__all__ = ["display_matrix", "shown_size", "to_picture"]

_FLATTEST = Fraction(1, 4)
"""A pixel's sides differ by this factor at most; a header that says more is wrong."""


def to_picture(
    frame: DecodedFrame,
    reformatter: VideoReformatter,
    *,
    matrix: bytes | None,
    aspect: Fraction | None,
    longest: int,
) -> RGB:
    """Convert a decoded frame.

    Args:
        frame: Of any pixel format.
        reformatter: Kept over a clip's frames, so that its tables are made once.
        matrix: See `turned`.
        aspect: A pixel's width over its height; None for square ones.
        longest: See `shown_size`.

    Returns:
        (H, W, 3) uint8, RGB, [0, 255], upright, on white where it is transparent, C-contiguous.
    """
    width, height = shown_size((frame.width, frame.height), aspect=aspect, longest=longest)
    transparent = any(component.is_alpha for component in frame.format.components)
    converted = reformatter.reformat(
        frame,
        width=width,
        height=height,
        format="rgba" if transparent else "rgb24",
        dst_color_range="JPEG",
        threads=1,
    )
    pixels: RGB = converted.to_ndarray()  # type: ignore[assignment]
    if transparent:
        pixels = _on_white(pixels)
    return turned(pixels, matrix)


def display_matrix(frame: DecodedFrame) -> bytes | None:
    """Give the display matrix that a frame carries, as `turned` takes it.

    Args:
        frame: Looking at its side data makes a reference cycle, which keeps its pixels in memory
            for a while: to be done for few frames.
    """
    matrix = frame.side_data.get("DISPLAYMATRIX")
    return bytes(matrix) if isinstance(matrix, SideData) else None


def shown_size(size: tuple[int, int], *, aspect: Fraction | None, longest: int) -> tuple[int, int]:
    """Give the size that a frame is scaled to.

    Args:
        size: (width, height) in pixels as stored.
        aspect: A pixel's width over its height; None for square ones.
        longest: Pixels of the longer side at most.

    Returns:
        (width, height), each at least 1.

    Example:
        >>> shown_size((720, 576), aspect=Fraction(16, 15), longest=384)
        (384, 288)
    """
    width, height = Fraction(size[0]), Fraction(size[1])
    if aspect and _FLATTEST <= aspect <= 1 / _FLATTEST:
        width *= aspect
    scale = min(Fraction(1), longest / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


def _on_white(pixels: RGB) -> RGB:
    """Lay (H, W, 4) RGBA onto white."""
    colours, alpha = pixels[:, :, :3].astype(np.uint16), pixels[:, :, 3:].astype(np.uint16)
    flat: RGB = ((colours * alpha + 255 * (255 - alpha) + 127) // 255).astype(np.uint8)
    return flat
