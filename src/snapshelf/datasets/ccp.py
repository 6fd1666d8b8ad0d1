"""Clothing Co-Parsing: street-fashion photos with a garment label for every pixel.

Yang, Luo, Lin: Clothing Co-Parsing by Joint Image Segmentation and Labeling, CVPR 2014. The folder
holds ``photos/NNNN.jpg``, ``annotations/pixel-level/NNNN.mat`` (key ``groundtruth``: one label
number for each pixel) for 1,004 of the 2,098 photos, and ``label_list.mat`` (the labels' names).
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snapshelf.datasets.garments import garment
from snapshelf.datasets.training_item import AttributeValue, TrainingItem
from snapshelf.errors import DatasetError
from snapshelf.features.torch_extra import torch_extra

__all__ = ["ClothingCoParsing", "garments_worn"]

GROUPS = ("top", "outerwear", "bottom", "whole body", "footwear")
"""Groups that are attributes of their own."""

LEAST_SHARE = 0.005
"""Of a photo's pixels: a garment that covers less is not taken as worn."""


class ClothingCoParsing:
    """Clothing Co-Parsing: `TrainingData` without queries.

    Each photo is a product of its own and counts as its shop picture. The attributes come from its
    label map: "garment" is what covers the most pixels, and for each of the groups top, outerwear,
    bottom, whole body and footwear the garment of that group that covers the most. A photo without
    a label map has no attributes.

    Args:
        root: The folder that holds ``photos``.
    """

    name = "ccp"

    def __init__(self, root: Path) -> None:
        self.root = root

    def training_items(self) -> Sequence[TrainingItem]:
        """Give every photo, in the order of the file names.

        Raises:
            DatasetError: If a folder or ``label_list.mat`` is missing, or a file is damaged.
            ModelError: If scipy, which reads the label maps, is not installed.
        """
        photos = sorted((self.root / "photos").glob("*.jpg"))
        if not photos:
            raise DatasetError(
                f"{self.root / 'photos'} holds no photo: expected the Clothing Co-Parsing folder, "
                "with photos/, annotations/pixel-level/ and label_list.mat"
            )
        values = self._garments()
        maps = self.root / "annotations" / "pixel-level"
        if not maps.is_dir():
            raise DatasetError(f"{maps} is missing: expected the label maps of Clothing Co-Parsing")
        items = []
        for photo in photos:
            labels = maps / f"{photo.stem}.mat"
            worn = garments_worn(_label_map(labels, len(values)), values) if labels.exists() else {}
            items.append(TrainingItem(photo.stem, (), (photo,), worn))
        return tuple(items)

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
