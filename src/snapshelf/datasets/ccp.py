"""Clothing Co-Parsing: street-fashion photos with a garment label for every pixel.

Yang, Luo, Lin: Clothing Co-Parsing by Joint Image Segmentation and Labeling, CVPR 2014. The folder
holds ``photos/NNNN.jpg``, ``annotations/pixel-level/NNNN.mat`` (key ``groundtruth``: one label
number for each pixel) for 1,004 of the 2,098 photos, and ``label_list.mat`` (the labels' names).
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snapshelf.datasets.boxed_photo import BoxedPhoto
from snapshelf.datasets.garment_areas import GarmentArea, GarmentRules, garment_areas
from snapshelf.datasets.garments import garment
from snapshelf.datasets.training_item import AttributeValue, TrainingItem
from snapshelf.errors import DatasetError
from snapshelf.features.torch_extra import torch_extra
from snapshelf.locating.region import Region

__all__ = ["ClothingCoParsing", "garments_worn"]

GROUPS = ("top", "outerwear", "bottom", "whole body", "footwear")
"""Groups that are attributes of their own."""

LEAST_SHARE = 0.005
"""Of a photo's pixels: a garment that covers less is not taken as worn."""

SPLITS = ("train", "test")

TWINS = {"0671": "0197", "0722": "0594", "0732": "0692", "0984": "0078"}
"""Photos that show what an earlier one shows; they go where it goes."""


class ClothingCoParsing:
    """Clothing Co-Parsing: `TrainingData` without queries, and `BoxedData`.

    Each photo is a product of its own and counts as its shop picture. The attributes come from its
    label map: "garment" is what covers the most pixels, and for each of the groups top, outerwear,
    bottom, whole body and footwear the garment of that group that covers the most. A photo without
    a label map has no attributes.

    For locating, the photos with a label map are split by their number: one that 3 divides is of
    the test split, every other of the train split.

    Args:
        root: The folder that holds ``photos``.
        rules: What one garment is, where garments are boxed; None for the default.
    """

    name = "ccp"

    def __init__(self, root: Path, rules: GarmentRules | None = None) -> None:
        self.root = root
        self.rules = rules or GarmentRules()

    def training_items(self) -> Sequence[TrainingItem]:
        """Give every photo, in the order of the file names.

        Raises:
            DatasetError: If a folder or ``label_list.mat`` is missing, or a file is damaged.
            ModelError: If scipy, which reads the label maps, is not installed.
        """
        photos, values = self._photos(), self._garments()
        items = []
        for photo in photos:
            labels = self._map(photo)
            worn = garments_worn(_label_map(labels, len(values)), values) if labels.exists() else {}
            items.append(TrainingItem(photo.stem, (), (photo,), worn))
        return tuple(items)

    def boxed_photos(self, split: str) -> Sequence[BoxedPhoto]:
        """Give the photos of a split with a region for each garment, labelled with its name.

        Args:
            split: "train" or "test".

        Raises:
            ValueError: If there is no such split.
            DatasetError: As `training_items`.
            ModelError: As `training_items`.
        """
        return tuple(
            BoxedPhoto(photo, tuple(Region(area.box, area.value[1]) for area in areas))
            for photo, areas in self.garments(split)
        )

    def garments(self, split: str) -> Iterator[tuple[Path, tuple[GarmentArea, ...]]]:
        """Yield each photo of a split with its garments, their boxes and pixels.

        Args:
            split: "train" or "test".

        Raises:
            ValueError: If there is no such split.
            DatasetError: As `training_items`.
            ModelError: As `training_items`.
        """
        if split not in SPLITS:
            raise ValueError(f"split must be one of {', '.join(SPLITS)}, got {split!r}")
        photos, values = self._photos(), self._garments()
        for photo in photos:
            labels = self._map(photo)
            if _split(photo) == split and labels.exists():
                yield photo, garment_areas(_label_map(labels, len(values)), values, self.rules)

    def _photos(self) -> list[Path]:
        photos = sorted((self.root / "photos").glob("*.jpg"))
        if not photos:
            raise DatasetError(
                f"{self.root / 'photos'} holds no photo: expected the Clothing Co-Parsing folder, "
                "with photos/, annotations/pixel-level/ and label_list.mat"
            )
        maps = self._map(photos[0]).parent
        if not maps.is_dir():
            raise DatasetError(f"{maps} is missing: expected the label maps of Clothing Co-Parsing")
        return photos

    def _map(self, photo: Path) -> Path:
        return self.root / "annotations" / "pixel-level" / f"{photo.stem}.mat"

    def _garments(self) -> list[AttributeValue | None]:
        """Give the garment of each label number, None for skin, hair and background."""
        path = self.root / "label_list.mat"
        names = _matrix(path, "label_list").ravel()
        if names.dtype != object or not names.size or not all(np.size(name) for name in names):
            raise DatasetError(f"{path}: expected 'label_list' to hold names of labels")
        return [garment(str(np.ravel(name)[0])) for name in names]


def garments_worn(
    labels: NDArray[np.integer[Any]], values: Sequence[AttributeValue | None]
) -> dict[str, AttributeValue]:
    """Find the garments that cover the most of a photo.

    Args:
        labels: (H, W) integers in [0, L), the label of each pixel.
        values: The garment of each of the L labels, None for what is no garment.

    Returns:
        "garment", and the groups that are attributes of their own; equal ones by the lower
        label. What covers less than half a percent of the pixels does not count.
    """
    counts = np.bincount(labels.ravel(), minlength=len(values))
    worn: dict[str, AttributeValue] = {}
    for label in np.argsort(-counts, kind="stable"):
        value = values[label]
        if value is not None and counts[label] >= LEAST_SHARE * labels.size:
            worn.setdefault("garment", value)
            if value[0] in GROUPS:
                worn.setdefault(value[0], value)
    return worn


def _split(photo: Path) -> str:
    number = TWINS.get(photo.stem, photo.stem)
    if not number.isascii() or not number.isdigit():
        raise DatasetError(f"{photo}: expected a number as the photo's name, such as 0001.jpg")
    return "train" if int(number) % 3 else "test"


def _label_map(path: Path, labels: int) -> NDArray[np.integer[Any]]:
    found = _matrix(path, "groundtruth")
    if found.ndim != 2 or not found.size or not np.issubdtype(found.dtype, np.integer):
        raise DatasetError(
            f"{path}: expected 'groundtruth' to be whole numbers (H, W), "
            f"got {found.dtype} of shape {found.shape}"
        )
    if found.min() < 0 or found.max() >= labels:
        raise DatasetError(
            f"{path}: expected labels in [0, {labels}), as label_list.mat has them, "
            f"got {found.min()} to {found.max()}"
        )
    return found


def _matrix(path: Path, name: str) -> NDArray[Any]:
    """Read one matrix of a MATLAB 5 file."""
    with torch_extra():
        from scipy.io import loadmat
    content: Mapping[str, NDArray[Any]]
    try:
        content = loadmat(str(path), appendmat=False, variable_names=[name])
    except FileNotFoundError:
        raise DatasetError(f"{path} is missing: get the whole data set again") from None
    # The reader of a damaged file may raise anything.
    except Exception as error:
        raise DatasetError(f"{path} cannot be read as a MATLAB file: {error}") from error
    if name not in content:
        raise DatasetError(f"{path}: expected a matrix named {name!r}, got none")
    return content[name]
