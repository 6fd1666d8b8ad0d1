"""`StillCamera`: the things in a clip whose camera stands still, by what is behind them."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import cv2
import numpy as np

from snapshelf.locating.background import background_seen, is_before
from snapshelf.locating.locator import Locator
from snapshelf.locating.region import Region
from snapshelf.media.picture import RGB
from snapshelf.media.spread import spread
from snapshelf.media.video_frame import VideoFrame

__all__ = ["StillCamera"]

_LONGEST = 640
"""Pixels of the longer side of what is looked at; what follows is in those of such a picture."""
_NOISE = 2.0
"""Standard deviation of the blur that takes noise off."""
_SPECK = 3
_GAPS = (31, 9)
"""Gaps in a thing, downwards and sideways, that are closed. A clear bottle has some, and things
that stand beside each other are to stay two."""

Size = tuple[int, int]
"""(height, width) in pixels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StillCamera:
    """A `ClipLocator` for a camera that stands still, which needs no training.

    Each place's background is what it shows when it is lightest, so things are to be darker than
    what is behind them, and each place is to be seen empty for a twentieth of the clip. What
    differs from it is a thing, shadows and changes of the light left out. It knows no things: a
    hand is one, and with what it holds it is one.

    Attributes:
        lightest: In [0, 100]: the percentile of a place's lightness that is its background. Less
            where the light flickers; 5 for light things before a dark background.
        least: In (0, 1): share of the picture that a thing covers at least.
        most: Frames whose background is looked for, at least 1; fewer than twice as many are held,
            each of at most 640 pixels.

    Raises:
        ValueError: If an argument is out of range.
    """

    lightest: float = 95.0
    least: float = 0.004
    most: int = 64

    def __post_init__(self) -> None:
        if not 0 <= self.lightest <= 100:
            raise ValueError(f"lightest must be in [0, 100], got {self.lightest}")
        if not 0 < self.least < 1:
            raise ValueError(f"least must be in (0, 1), got {self.least}")
        if self.most < 1:
            raise ValueError(f"most must be at least 1, got {self.most}")

    @property
    def rate(self) -> float:
        """Two frames a second: a background stays."""
        return 2.0

    def of_clip(self, frames: Iterable[VideoFrame]) -> Locator:
        """Learn a clip's background; where frames change their size, one for each size.

        Args:
            frames: See `ClipLocator`.
        """
        pictures: defaultdict[Size, list[RGB]] = defaultdict(list)
        small = ((_size(frame.picture), _plain(frame.picture)) for frame in frames)
        for size, picture in spread(small, self.most):
            pictures[size].append(picture)
        backgrounds = {
            size: background_seen(group, self.lightest) for size, group in pictures.items()
        }
        return _BeforeBackground(backgrounds, self.least)


class _BeforeBackground:
    """Locates what stands before the backgrounds of one clip.

    Args:
        backgrounds: As `_plain` makes pictures, by the size of the clip's frames.
        least: Share of the picture that a thing covers at least.
    """

    def __init__(self, backgrounds: Mapping[Size, RGB], least: float) -> None:
        self._backgrounds, self._least = backgrounds, least
        digest = hashlib.sha256(f"still-camera {least}".encode())
        for size, background in backgrounds.items():
            digest.update(f"{size} {background.shape}".encode() + background.tobytes())
        self.fingerprint = digest.hexdigest()

    def locate(self, picture: RGB) -> tuple[Region, ...]:
        """Give the connected parts that differ, each as sure as it fills its box.

        Args:
            picture: (H, W, 3) uint8, RGB, [0, 255].

        Returns:
            The surest first; the whole picture with confidence 0 where there is none, or the clip
            has shown no background of this size.
        """
        return self._things(picture) or (_whole(picture),)

    def candidates(self, picture: RGB) -> tuple[Region, ...]:
        """Give the same parts, and the whole picture.

        Args:
            picture: (H, W, 3) uint8, RGB, [0, 255].
        """
        return (*self._things(picture), _whole(picture))

    def _things(self, picture: RGB) -> tuple[Region, ...]:
        size = height, width = _size(picture)
        background = self._backgrounds.get(size)
        if background is None:
            return ()
        mask = is_before(_plain(picture), background).astype(np.uint8)
        scale = max(mask.shape) / _LONGEST
        sure = cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((_SPECK, _SPECK), np.uint8))
        closed = cv2.morphologyEx(sure, cv2.MORPH_CLOSE, np.ones(_odd(_GAPS, scale), np.uint8))
        _, _, parts, _ = cv2.connectedComponentsWithStats(closed)
        across, down = width / mask.shape[1], height / mask.shape[0]
        found = [
            Region(
                (x * across, y * down, (x + w) * across, (y + h) * down),
                confidence=area / (w * h),
            )
            for x, y, w, h, area in parts[1:].tolist()
            if area >= self._least * mask.size
        ]
        return tuple(sorted(found, key=lambda region: -region.confidence))


def _size(picture: RGB) -> Size:
    height, width = picture.shape[:2]
    return height, width


def _plain(picture: RGB) -> RGB:
    """Give a picture of at most `_LONGEST` pixels without noise."""
    height, width = _size(picture)
    scale = min(1.0, _LONGEST / max(height, width))
    if scale < 1:
        size = max(1, round(width * scale)), max(1, round(height * scale))
        picture = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
    sigma = _NOISE * max(picture.shape[:2]) / _LONGEST
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), max(sigma, 0.5)), np.uint8)


def _odd(sides: Size, scale: float) -> Size:
    """Scale the sides of a kernel that has a middle."""
    down, across = (2 * round(side * scale / 2 - 0.5) + 1 for side in sides)
    return down, across


def _whole(picture: RGB) -> Region:
    height, width = _size(picture)
    return Region((0.0, 0.0, float(width), float(height)), confidence=0.0)
