"""Garments of labelled photos as products of a shop: their pictures drawn once, into a folder."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from filelock import FileLock

from snapshelf.datasets.garment_areas import GarmentArea
from snapshelf.datasets.garment_attributes import garment_attributes
from snapshelf.datasets.garment_pictures import garment_picture
from snapshelf.datasets.training_item import AttributeValue
from snapshelf.errors import DatasetError, PictureError
from snapshelf.locating.region import Box
from snapshelf.media.decode import decode_picture
from snapshelf.media.picture_file import read_picture_file
from snapshelf.whole_file import write_whole

__all__ = ["CutGarment", "cut_garments"]

LOCK = "lock"


@dataclass(frozen=True, slots=True)
class CutGarment:
    """A garment as a product.

    Attributes:
        product_id: The photo's name, and the garment's number in it.
        photo: The name of the photo that it is worn in.
        picture: The name of its shop picture in the folder.
        box: In pixels of the photo.
        pixels: How many pixels of the photo it covers.
        attributes: As `garment_attributes` tells them.
    """

    product_id: str
    photo: str
    picture: str
    box: Box
    pixels: int
    attributes: Mapping[str, AttributeValue]


def cut_garments(
    photos: Iterable[tuple[Path, Sequence[GarmentArea]]], folder: Path, name: str
) -> tuple[CutGarment, ...]:
    """Draw the shop pictures of garments, or read what is known of them where it has been done.

    Args:
        photos: Each photo with its garments; not looked at where all has been done.
        folder: Of the pictures; made if it isn't there.
        name: Of the list of these garments in the folder.

    Returns:
        The garments, in the order of the photos.

    Raises:
        DatasetError: If a photo cannot be read, or is not as large as its label map, or the folder
            cannot be written to.
    """
    file = folder / f"{name}.json"
    try:
        if not file.is_file():
            folder.mkdir(parents=True, exist_ok=True)
            # Another process may draw the same ones: then they are awaited.
            with FileLock(folder / LOCK):
                if not file.is_file():
                    made = [
                        asdict(each) for one, areas in photos for each in _cut(one, areas, folder)
                    ]
                    # Last: a folder that has it has all the pictures.
                    write_whole(file, json.dumps(made).encode())
        known = json.loads(file.read_bytes())
        return tuple(_garment(values) for values in known)
    except OSError as error:
        raise DatasetError(
            f"the shop pictures of garments cannot be kept in {folder}: {error}; make room, or let "
            "the environment variable XDG_CACHE_HOME name another folder"
        ) from error
    except (KeyError, TypeError, ValueError) as error:
        raise DatasetError(f"{file} is damaged ({error}); remove the folder {folder}") from error


def _cut(photo: Path, areas: Sequence[GarmentArea], folder: Path) -> list[CutGarment]:
    """Draw the garments of one photo."""
    try:
        pixels = decode_picture(read_picture_file(photo))
    except PictureError as error:
        raise DatasetError(f"{photo}: {error}") from error
    found = []
    for number, area in enumerate(areas):
        if area.box[2] > pixels.shape[1] or area.box[3] > pixels.shape[0]:
            raise DatasetError(
                f"{photo} has {pixels.shape[1]} x {pixels.shape[0]} pixels, and its label map a "
                f"garment at {area.box}: get the whole data set again"
            )
        product_id = f"{photo.stem}-{number}"
        picture = folder / f"{product_id}.jpg"
        write_whole(picture, garment_picture(pixels, area, product_id))
        found.append(
            CutGarment(
                product_id,
                photo.name,
                picture.name,
                area.box,
                int(area.mask.sum()),
                garment_attributes(pixels, area),
            )
        )
    return found


def _garment(values: Mapping[str, object]) -> CutGarment:
    """Read a garment back; JSON has lists for tuples."""
    found = CutGarment(**values)  # type: ignore[arg-type]
    x0, y0, x1, y1 = found.box
    attributes = {name: (group, value) for name, (group, value) in found.attributes.items()}
    return CutGarment(
        found.product_id, found.photo, found.picture, (x0, y0, x1, y1), found.pixels, attributes
    )
