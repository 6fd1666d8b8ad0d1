"""The data sets by name, for ``--data NAME:DIR``."""

from collections.abc import Callable
from pathlib import Path

from snapshelf.datasets.dataset import Dataset
from snapshelf.errors import DatasetError

__all__ = ["DATASETS", "open_dataset"]


def _grocery(root: Path) -> Dataset:
    from snapshelf.datasets.grocery import GroceryStore

    return GroceryStore(root)


def _demo(root: Path) -> Dataset:
    from snapshelf.datasets.demo import DemoShop

    return DemoShop(root)


DATASETS: dict[str, Callable[[Path], Dataset]] = {
    "demo": _demo,
    "grocery": _grocery,
}
"""Opens the data set of each name in a folder."""


def open_dataset(place: str) -> Dataset:
    """Open a data set by its name and folder.

    Args:
        place: ``NAME:DIR``, such as ``grocery:/data/GroceryStoreDataset``; everything behind
            the first colon is the folder.

    Returns:
        The data set.

    Raises:
        DatasetError: If `place` is not ``NAME:DIR``, there is no data set of that name, or the
            folder is missing or not in the data set's published layout.
    """
    name, colon, folder = place.partition(":")
    choices = ", ".join(sorted(DATASETS))
    if not colon or not folder or not name:
        raise DatasetError(f"expected NAME:DIR with a name of {choices}, got {place!r}")
    if name not in DATASETS:
        raise DatasetError(f"there is no data set named {name!r}, choose one of {choices}")
    root = Path(folder).expanduser()
    if not root.is_dir():
        raise DatasetError(f"{root} is no folder: give the folder that {name} was downloaded to")
    return DATASETS[name](root)
