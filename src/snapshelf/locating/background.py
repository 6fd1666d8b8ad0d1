"""The background that a camera sees which stands still, and what stands before it.

After Horprasert, Harwood, Davis: A Statistical Approach for Real-time Robust Background Subtraction
and Shadow Detection, ICCV Frame-Rate Workshop 1999: what differs in colour is a thing, what is the
background's colour and only somewhat darker is a shadow on it. They learn each place's deviations
from pictures of the empty scene; here nobody has to film it empty, so the bounds are the same
everywhere, and the light is balanced before.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from snapshelf.media.picture import RGB

__all__ = ["background_seen", "is_before"]

_BRIGHT = 48
"""Of 255: darker places tell nothing of the light's colour."""
_BALANCE = (0.8, 1.25)
"""How much light, and how much of a channel in it, changes at most; with more of it things that
fill the picture are balanced away."""
_COLOUR = 8.0
"""Of 255: by how much colours of one lightness differ at least that are not the same."""
_SATURATED = 0.15
"""Of a place's saturation, what is added to that: a gloss takes colour away."""
_LIGHTNESS = 32.0
"""Of 255: by how much the lightness of a thing differs at least."""
_SHADOW, _GLARE = 0.75, 1.35
"""What remains of the light in a shadow at least, and how much more there is at most."""


def background_seen(pictures: Sequence[RGB], lightest: float) -> RGB:
    """Give at each place the colour it has when nothing stands before it.

    Args:
        pictures: N >= 1 of one size, each (H, W, 3) uint8, RGB, [0, 255].
        lightest: In [0, 100]: the percentile of a place's lightness over the pictures that is the
            background's.

    Returns:
        (H, W, 3) uint8, RGB, [0, 255]: each place as one of the pictures has it; of equally light
        ones the earliest counts as the darkest.
    """
    rank = round(lightest / 100 * (len(pictures) - 1))
    background = np.empty_like(pictures[0])
    for row in range(len(background)):
        places = np.stack([picture[row] for picture in pictures])
        order = np.argsort(places.sum(axis=2, dtype=np.uint16), axis=0, kind="stable")
        background[row] = np.take_along_axis(places, order[rank, :, None][None], axis=0)[0]
    return background


def is_before(picture: RGB, background: RGB) -> NDArray[np.bool_]:
    """Tell where something stands before a background.

    The background is balanced first: each channel is multiplied by what the light of the whole
    picture has changed by, since cameras adjust to what they see. At each place the picture is then
    the background times a lightness, and what remains is another colour (Eq. 3-6 there).

    Args:
        picture: (H, W, 3) uint8, RGB, [0, 255], without noise.
        background: Likewise.

    Returns:
        (H, W) bool: where the colour is another, or the lightness is that of no shadow.
    """
    seen, empty = picture.astype(np.float32), background.astype(np.float32)
    bright = background.min(axis=2) > _BRIGHT
    if bright.any():
        light = np.maximum(np.median(seen[bright] / empty[bright], axis=0), 1e-3)
        overall = light.mean()
        empty *= np.clip(overall, *_BALANCE) * np.clip(light / overall, *_BALANCE)
    lightness = (seen * empty).sum(axis=2) / np.maximum((empty * empty).sum(axis=2), 1.0)
    colour = np.abs(seen - lightness[..., None] * empty).max(axis=2)
    brightest = empty.max(axis=2)
    other_colour = colour > _COLOUR + _SATURATED * (brightest - empty.min(axis=2))
    far = brightest * np.abs(lightness - 1) > _LIGHTNESS
    no_shadow = (lightness < _SHADOW) | (lightness > _GLARE)
    answer: NDArray[np.bool_] = other_colour | (far & no_shadow)
    return answer
