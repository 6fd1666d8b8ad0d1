"""The files of Clothing Co-Parsing: street-fashion photos with a garment label for every pixel.

Yang, Luo, Lin: Clothing Co-Parsing by Joint Image Segmentation and Labeling, CVPR 2014. The folder
holds ``photos/NNNN.jpg``, ``annotations/pixel-level/NNNN.mat`` (key ``groundtruth``: one label
number for each pixel) for 1,004 of the 2,098 photos, and ``label_list.mat`` (the labels' names).
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snapshelf.datasets.garments import garment
from snapshelf.datasets.training_item import AttributeValue
from snapshelf.errors import DatasetError
from snapshelf.features.torch_extra import torch_extra

__all__ = ["SPLITS", "TWINS", "CoParsingFiles"]

SPLITS = ("train", "val", "test")

TWINS = {"0671": "0197", "0722": "0594", "0732": "0692", "0984": "0078"}
"""Photos that show what an earlier one shows; they go where it goes."""


class CoParsingFiles:
    """The published folder.

    Args:
        root: The folder that holds ``photos``.

    All methods raise `DatasetError` if a folder or file is missing or damaged, and `ModelError` if
    scipy, which reads the label maps, is not installed.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def photos(self) -> list[Path]:
        """Give every photo, in the order of the file names; at least one."""
        photos = sorted((self.root / "photos").glob("*.jpg"))
        if not photos:
            raise DatasetError(
                f"{self.root / 'photos'} holds no photo: expected the Clothing Co-Parsing folder, "
                "with photos/, annotations/pixel-level/ and label_list.mat"
            )
        maps = self.map_file(photos[0]).parent
        if not maps.is_dir():
            raise DatasetError(f"{maps} is missing: expected the label maps of Clothing Co-Parsing")
        return photos

    def labelled(self, split: str) -> list[Path]:
        """Give the photos of a split that have a label map, in the order of the file names.

        One of which 3 divides the number is of the test split, of the others one whose number is 1
        beyond a multiple of 9 of the val split, and the rest of the train split.

        Args:
            split: "train", "val" or "test".

        Raises:
            ValueError: If there is no such split.
        """
        if split not in SPLITS:
            raise ValueError(f"split must be one of {', '.join(SPLITS)}, got {split!r}")
        photos = self.photos()
        return [each for each in photos if _split(each) == split and self.map_file(each).exists()]

    def photo(self, name: str) -> Path:
        """Give the photo of a file name, such as ``0001.jpg``."""
        return self.root / "photos" / name

    def map_file(self, photo: Path) -> Path:
        """Give the file of a photo's label map, which need not be there."""
        return self.root / "annotations" / "pixel-level" / f"{photo.stem}.mat"

    def garments(self) -> list[AttributeValue | None]:
        """Give the garment of each label number, None for skin, hair and background."""
        path = self.root / "label_list.mat"
        names = _matrix(path, "label_list").ravel()
        if names.dtype != object or not names.size or not all(np.size(name) for name in names):
            raise DatasetError(f"{path}: expected 'label_list' to hold names of labels")
        return [garment(str(np.ravel(name)[0])) for name in names]

    def label_map(self, photo: Path, labels: int) -> NDArray[np.integer[Any]]:
        """Read a photo's label map.

        Args:
            photo: Has one.
            labels: Number L of labels.

        Returns:
            (H, W) integers in [0, L), as large as the photo.
        """
        path = self.map_file(photo)
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


def _split(photo: Path) -> str:
    name = TWINS.get(photo.stem, photo.stem)
    if not name.isascii() or not name.isdigit():
        raise DatasetError(f"{photo}: expected a number as the photo's name, such as 0001.jpg")
    number = int(name)
    if number % 3 == 0:
        return "test"
    return "val" if number % 9 == 1 else "train"


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
