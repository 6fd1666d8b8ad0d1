"""A clip as so many pictures of its item, in bounded memory, however long it is."""

import numpy as np
from numpy.typing import NDArray

from snapshelf.datasets.clips.clip import Clip
from snapshelf.errors import DatasetError
from snapshelf.locating.region import whole_pixels
from snapshelf.media.picture import RGB
from snapshelf.media.spread import spread

__all__ = ["middle_frame", "shown_steps", "stretched"]

_LOOKED_AT = 16
"""Frames of which the one in the middle is taken; up to twice as many are held."""


def shown_steps(clip: Clip, steps: int, *, repeat: bool = True) -> list[RGB]:
    """Give pictures of a clip's item, spread evenly over the clip.

    Args:
        clip: Its frames are read once.
        steps: How many pictures, at least 1.
        repeat: Whether pictures of a shorter clip come more than once, so that there are as many
            as steps.

    Returns:
        Pictures (h, w, 3) uint8, RGB, [0, 255], cut to the item where the clip says where it is.

    Raises:
        DatasetError: If a frame cannot be read, or there is none.
    """
    frames = spread(clip.frames(), steps)
    if not frames:
        raise DatasetError(f"the clip {clip.id!r} has no frame, expected at least one")
    many = steps if repeat else min(steps, len(frames))
    shown = []
    for place in stretched(len(frames), many).tolist():
        frame = frames[place]
        if frame.box is None:
            shown.append(frame.picture)
            continue
        height, width = frame.picture.shape[:2]
        left, top, right, bottom = whole_pixels(frame.box, (width, height))
        shown.append(frame.picture[top:bottom, left:right])
    return shown


def middle_frame(clip: Clip) -> RGB:
    """Give the frame in the middle of a clip, to be shown for it.

    Args:
        clip: Its frames are read once. Of a long one the frame is only near the middle.

    Returns:
        (H, W, 3) uint8, RGB, [0, 255], the whole frame.

    Raises:
        DatasetError: If a frame cannot be read, or there is none.
    """
    frames = spread(clip.frames(), _LOOKED_AT)
    if not frames:
        raise DatasetError(f"the clip {clip.id!r} has no frame, expected at least one")
    return frames[len(frames) // 2].picture


def stretched(given: int, wanted: int) -> NDArray[np.int64]:
    """Say which of the things given stands at each of the places wanted, spread evenly.

    Args:
        given: At least 1.
        wanted: At least 1.

    Returns:
        (wanted,) int64, ascending, in [0, given): each the middle of its part. Where there are
        fewer things than places, each comes as often as the others, or once more.

    Example:
        >>> stretched(2, 5).tolist(), stretched(9, 3).tolist(), stretched(4, 4).tolist()
        ([0, 0, 1, 1, 1], [1, 4, 7], [0, 1, 2, 3])
    """
    return (2 * np.arange(wanted, dtype=np.int64) + 1) * given // (2 * wanted)
