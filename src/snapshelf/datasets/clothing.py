"""The clothing dataset: photos that people took of single garments.

Grigorev: Clothing dataset, 2020. The folder holds ``images.csv`` with the columns image, sender_id,
label and kids, and the photos as ``images/IMAGE.jpg``.
"""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

from snapshelf.datasets.garments import garment
from snapshelf.datasets.published_files import find_picture, read_text
from snapshelf.datasets.training_item import TrainingItem
from snapshelf.errors import DatasetError

__all__ = ["ClothingPhotos"]

HEADER = ["image", "sender_id", "label", "kids"]
LAYOUT = "the clothing dataset's folder, with images.csv and images/"
PICTURES = ("images", "images_original", "images_compressed")
"""The folder of the photos: the set is published with the second and the third name."""

NOT_A_GARMENT = frozenset({"Not sure", "Other", "Skip"})
"""Labels that tell nothing."""


class ClothingPhotos:
    """The clothing dataset: `TrainingData` without queries.

    Each photo is a product of its own and counts as its shop picture. The attribute "garment" is
    the published label below its group (see `snapshelf.datasets.garments`).

    Args:
        root: The folder that holds ``images.csv``.
    """

    name = "clothing"

    def __init__(self, root: Path) -> None:
        self.root = root

    def training_items(self) -> Sequence[TrainingItem]:
        """Give every photo, in the order of ``images.csv``.

        Raises:
            DatasetError: If the list is missing, empty or malformed, names a photo twice or one
                that is not there, or a label is unknown.
        """
        folder = next((name for name in PICTURES if (self.root / name).is_dir()), PICTURES[0])
        items: dict[str, TrainingItem] = {}
        for where, (image, _, label, _) in self._rows():
            if image in items:
                raise DatasetError(f"{where}: the image {image!r} is listed twice, expected once")
            value = garment(label)
            if value is None and label not in NOT_A_GARMENT:
                raise DatasetError(f"{where}: expected a known garment as label, got {label!r}")
            picture = self.root / find_picture(self.root, where, f"{folder}/{image}.jpg")
            attributes = {} if value is None else {"garment": value}
            items[image] = TrainingItem(image, (), (picture,), attributes)
        if not items:
            raise DatasetError(f"{self.root / 'images.csv'} lists no photo, expected some")
        return tuple(items.values())

    def _rows(self) -> Iterator[tuple[str, list[str]]]:
        path = self.root / "images.csv"
        reader = csv.reader(read_text(path, LAYOUT).splitlines())
        try:
            header = next(reader, [])
            if header != HEADER:
                raise DatasetError(
                    f"{path}:1: expected the header {','.join(HEADER)!r}, got {','.join(header)!r}"
                )
            for row in reader:
                if not row:
                    continue
                where = f"{path}:{reader.line_num}"
                if len(row) != len(HEADER):
                    raise DatasetError(f"{where}: expected {len(HEADER)} fields, got {len(row)}")
                yield where, [field.strip() for field in row]
        except csv.Error as error:
            raise DatasetError(f"{path}:{reader.line_num}: is no CSV: {error}") from error
