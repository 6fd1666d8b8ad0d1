"""What locators are trained and measured on: photos in which the items are boxed."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

from snapshelf.errors import PictureError
from snapshelf.locating.boxes import Boxes, as_boxes
from snapshelf.locating.region import Region
from snapshelf.media.decode import decode_picture
from snapshelf.media.picture import RGB
from snapshelf.media.picture_file import read_picture_file

__all__ = ["BoxedData", "BoxedPhoto"]


@dataclass(frozen=True, slots=True)
class BoxedPhoto:
    """A photo and every item in it; it is a `snapshelf.locating.boxed_picture.BoxedPicture`.

    Attributes:
        picture: The photo's file.
        regions: The items, by the data set's own order; there may be none.
    """

    picture: Path
    regions: tuple[Region, ...]

    @property
    def boxes(self) -> Boxes:
        """The items' boxes: (N, 4) float32."""
        return as_boxes([region.box for region in self.regions])

    def read(self) -> RGB:
        """Decode the photo.

        Returns:
            (H, W, 3) uint8, RGB, [0, 255].

        Raises:
            PictureError: If it cannot be read; the message names the file.
        """
        data = read_picture_file(self.picture)
        try:
            return decode_picture(data)
        except PictureError as error:
            raise PictureError(f"{self.picture}: {error}") from error


@runtime_checkable
class BoxedData(Protocol):
    """A data set that tells where the items are."""

    @property
    def name(self) -> str:
        """The name used in ``--data NAME:DIR``."""
        ...

    def boxed_photos(self, split: str) -> Sequence[BoxedPhoto]:
        """Give the photos of one split with their boxes, in a fixed order.

        Raises:
            ValueError: If there is no such split.
            UnboxedSplitError: If there are boxes, but none in this split.
            DatasetError: If the data set is not in its published layout.
        """
        ...
