"""`Clip`: an item followed through frames, which are made or read when they are asked for."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from snapshelf.locating.boxes import Boxes, as_boxes
from snapshelf.locating.region import Box
from snapshelf.media.picture import RGB

__all__ = ["Clip", "ClipFrame", "StackedClip"]


class ClipFrame(NamedTuple):
    """One frame of a clip.

    Attributes:
        picture: (H, W, 3) uint8, RGB, [0, 255].
        time: In seconds from the start of its video.
        box: The item, in pixels of the picture, within it; None where the data set does not say.
    """

    picture: RGB
    time: float
    box: Box | None


@dataclass(frozen=True, slots=True, eq=False)
class StackedClip:
    """The frames of a clip in memory.

    Attributes:
        pictures: (T, H, W, 3) uint8, RGB, [0, 255].
        boxes: (T, 4) float32, the item in each; the whole frame where it is not known.
        times: (T,) float64, in seconds.
    """

    pictures: NDArray[np.uint8]
    boxes: Boxes
    times: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Clip:
    """A clip of one item, and what must be found with it.

    It is small: nothing is read or drawn before `frames` is iterated over, and each time anew.

    Attributes:
        id: Unique in its split.
        products: IDs of the right products; at least one.
        category: What per-category figures are grouped by.
        opened: Gives the frames from the first on.
    """

    id: str
    products: frozenset[str]
    category: str
    opened: Callable[[], Iterator[ClipFrame]]

    def __post_init__(self) -> None:
        """Refuse a clip that nothing is right for.

        Raises:
            ValueError: If there is no product.
        """
        if not self.products:
            raise ValueError(f"clip {self.id!r} must have at least one right product, got none")

    def frames(self) -> Iterator[ClipFrame]:
        """Give the frames one after the other, by rising time.

        Raises:
            DatasetError: While it is iterated over, if a picture or video cannot be read.
        """
        return self.opened()

    def stacked(self, most: int = 1024) -> StackedClip:
        """Give all frames at once.

        Args:
            most: So many frames are the most that are taken into memory.

        Raises:
            ValueError: If there is no frame, there are more than `most`, or they differ in size.
            DatasetError: As `frames`.
        """
        frames = list(islice(self.frames(), most + 1))
        if not 1 <= len(frames) <= most:
            found = f"more than {most}" if frames else "none"
            raise ValueError(f"clip {self.id!r} must have 1 to {most} frames, got {found}")
        shapes = {frame.picture.shape for frame in frames}
        if len(shapes) > 1:
            raise ValueError(f"clip {self.id!r} must have frames of one size, got {sorted(shapes)}")
        height, width = frames[0].picture.shape[:2]
        whole = (0.0, 0.0, float(width), float(height))
        return StackedClip(
            np.stack([frame.picture for frame in frames]),
            as_boxes([whole if frame.box is None else frame.box for frame in frames]),
            np.array([frame.time for frame in frames], np.float64),
        )
