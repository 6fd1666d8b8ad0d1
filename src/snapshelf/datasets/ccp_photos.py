"""Clothing Co-Parsing's photos, each a product of its own."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snapshelf.datasets.ccp_files import CoParsingFiles
from snapshelf.datasets.training_item import AttributeValue, TrainingItem

__all__ = ["CoParsingPhotos", "garments_worn"]

GROUPS = ("top", "outerwear", "bottom", "whole body", "footwear")
"""Groups that are attributes of their own."""

LEAST_SHARE = 0.005
"""Of a photo's pixels: a garment that covers less is not taken as worn."""


class CoParsingPhotos:
    """Clothing Co-Parsing's photos: `TrainingData` without queries.

    Each photo is a product of its own and counts as its shop picture. The attributes come from its
    label map: "garment" is what covers the most pixels, and for each of the groups top, outerwear,
    bottom, whole body and footwear the garment of that group that covers the most. A photo without
    a label map has no attributes.

    All photos are given, those of the held-back splits of `ClothingCoParsing` too: what was trained
    on them is not to be evaluated there.

    Args:
        root: The folder that holds ``photos``.
    """

    name = "ccp-photos"

    def __init__(self, root: Path) -> None:
        self._files = CoParsingFiles(root)

    def training_items(self) -> Sequence[TrainingItem]:
        """Give every photo, in the order of the file names.

        Raises:
            DatasetError: If a folder or ``label_list.mat`` is missing, or a file is damaged.
            ModelError: If scipy, which reads the label maps, is not installed.
        """
        photos, values = self._files.photos(), self._files.garments()
        items = []
        for photo in photos:
            worn = {}
            if self._files.map_file(photo).exists():
                worn = garments_worn(self._files.label_map(photo, len(values)), values)
            items.append(TrainingItem(photo.stem, (), (photo,), worn))
        return tuple(items)


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
