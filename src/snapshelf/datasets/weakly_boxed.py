"""`WeaklyBoxed`: photos whose boxes are guessed when their turn comes."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import overload

from snapshelf.datasets.boxed_photo import BoxedPhoto
from snapshelf.datasets.photo_file import read_photo
from snapshelf.datasets.weak_boxes import weak_box
from snapshelf.locating.region import Region

__all__ = ["WeakPhoto", "WeaklyBoxed"]


@dataclass(frozen=True, slots=True)
class WeakPhoto:
    """What a weak box is made from.

    Attributes:
        photo: The photo's file.
        shop: The file of the product's shop picture.
        label: What the box is labelled with.
    """

    photo: Path
    shop: Path
    label: str


class WeaklyBoxed(Sequence[BoxedPhoto]):
    """Photos with one weak box each; a part of it is cheap, for a box is made on first access.

    Boxes are remembered as long as the sequence or a part of it lives. A photo without a box has
    no regions. A region's confidence is the box's strength.

    Args:
        photos: In the order of the sequence.
        made: The boxes made so far, shared by the parts of one sequence; None for none.
    """

    def __init__(
        self, photos: Sequence[WeakPhoto], made: dict[WeakPhoto, BoxedPhoto] | None = None
    ) -> None:
        self._photos = photos
        self._made = {} if made is None else made

    def __len__(self) -> int:
        return len(self._photos)

    @overload
    def __getitem__(self, place: int) -> BoxedPhoto: ...

    @overload
    def __getitem__(self, place: slice) -> "WeaklyBoxed": ...

    def __getitem__(self, place: int | slice) -> "BoxedPhoto | WeaklyBoxed":
        """Give a photo with its box, or a part of the sequence, of which no box is made yet.

        Raises:
            IndexError: If there is no such photo.
            DatasetError: If a picture is missing or cannot be read.
        """
        if isinstance(place, slice):
            return WeaklyBoxed(self._photos[place], self._made)
        photo = self._photos[place]
        if photo not in self._made:
            self._made[photo] = _boxed(photo)
        return self._made[photo]


def _boxed(photo: WeakPhoto) -> BoxedPhoto:
    found = weak_box(read_photo(photo.photo), read_photo(photo.shop))
    regions = () if found is None else (Region(found.box, photo.label, found.strength),)
    return BoxedPhoto(photo.photo, regions)
