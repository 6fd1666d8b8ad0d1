"""What the locating parts are trained on: a picture that can be read, and its objects' boxes."""

from typing import Protocol

from snapshelf.locating.boxes import Boxes
from snapshelf.media.picture import RGB

__all__ = ["BoxedPicture"]


class BoxedPicture(Protocol):
    """A picture with boxed objects. It is read when its turn comes: many do not fit in memory."""

    @property
    def boxes(self) -> Boxes:
        """The objects' boxes: (N, 4) float32 in pixels, N >= 0."""
        ...

    def read(self) -> RGB:
        """Give the picture: (H, W, 3) uint8, RGB, [0, 255].

        Raises:
            PictureError: If it cannot be read.
        """
        ...
