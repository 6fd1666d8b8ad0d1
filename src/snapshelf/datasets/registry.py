"""The data sets by name, for ``--data NAME:DIR``."""

from collections.abc import Callable
from pathlib import Path

from snapshelf.datasets.boxed_photo import BoxedData
from snapshelf.datasets.dataset import Dataset
from snapshelf.datasets.training_item import TrainingData
from snapshelf.errors import DatasetError

__all__ = ["DATASETS", "open_boxed_data", "open_dataset", "open_training_data"]


def _ccp(root: Path) -> Dataset:
    from snapshelf.datasets.ccp import ClothingCoParsing

    return ClothingCoParsing(root)


def _ccp_photos(root: Path) -> TrainingData:
    from snapshelf.datasets.ccp_photos import CoParsingPhotos

    return CoParsingPhotos(root)


def _clothing(root: Path) -> TrainingData:
    from snapshelf.datasets.clothing import ClothingPhotos

    return ClothingPhotos(root)


def _deepfashion_consumer(root: Path) -> Dataset:
    from snapshelf.datasets.deepfashion_consumer import ConsumerToShop

    return ConsumerToShop(root)


def _deepfashion_inshop(root: Path) -> Dataset:
    from snapshelf.datasets.deepfashion_inshop import InShop

    return InShop(root)


def _deepfashion_inshop_titles(root: Path) -> Dataset:
    from snapshelf.datasets.deepfashion_titles import inshop_titles

    return inshop_titles(root)


def _deepfashion_inshop_titles_all(root: Path) -> Dataset:
    from snapshelf.datasets.deepfashion_titles import all_inshop_titles

    return all_inshop_titles(root)


def _demo(root: Path) -> Dataset:
    from snapshelf.datasets.demo import DemoShop

    return DemoShop(root)


def _grocery(root: Path) -> Dataset:
    from snapshelf.datasets.grocery import GroceryStore

    return GroceryStore(root)


def _lookbook(root: Path) -> Dataset:
    from snapshelf.datasets.lookbook import lookbook

    return lookbook(root)


def _lookbook_all(root: Path) -> Dataset:
    from snapshelf.datasets.lookbook import all_of_lookbook

    return all_of_lookbook(root)


def _mvshoe(root: Path) -> Dataset:
    from snapshelf.datasets.mvshoe import MultiViewShoes

    return MultiViewShoes(root)


def _pairs(root: Path) -> Dataset:
    from snapshelf.datasets.pairs import photo_article_pairs

    return photo_article_pairs(root)


def _perfect500k(root: Path) -> Dataset:
    from snapshelf.datasets.perfect500k import Perfect500K

    return Perfect500K(root)


def _sop(root: Path) -> Dataset:
    from snapshelf.datasets.online_products import OnlineProducts

    return OnlineProducts(root)


def _street2shop(root: Path) -> Dataset:
    from snapshelf.datasets.street2shop import Street2Shop

    return Street2Shop(root)


DATASETS: dict[str, Callable[[Path], Dataset | TrainingData]] = {
    "ccp": _ccp,
    "ccp-photos": _ccp_photos,
    "clothing": _clothing,
    "deepfashion-consumer": _deepfashion_consumer,
    "deepfashion-inshop": _deepfashion_inshop,
    "deepfashion-inshop-titles": _deepfashion_inshop_titles,
    "deepfashion-inshop-titles-all": _deepfashion_inshop_titles_all,
    "demo": _demo,
    "grocery": _grocery,
    "lookbook": _lookbook,
    "lookbook-all": _lookbook_all,
    "mvshoe": _mvshoe,
    "pairs": _pairs,
    "perfect500k": _perfect500k,
    "sop": _sop,
    "street2shop": _street2shop,
}
"""Opens the data set of each name in a folder."""


def open_boxed_data(place: str) -> BoxedData:
    """Open a data set that tells where the items of its photos are.

    Args:
        place: As `open_dataset` takes it.

    Raises:
        DatasetError: As `open_dataset`, but where the data set has no boxes.
    """
    dataset = _open(place)
    if not isinstance(dataset, BoxedData):
        raise DatasetError(
            f"the data set {dataset.name} has no boxes of items: locate with another one"
        )
    return dataset


def open_dataset(place: str) -> Dataset:
    """Open a data set to evaluate on.

    Args:
        place: ``NAME:DIR``, such as ``grocery:/data/GroceryStoreDataset``; everything behind
            the first colon is the folder.

    Returns:
        The data set.

    Raises:
        DatasetError: If `place` is not ``NAME:DIR``, there is no data set of that name, it has
            no queries, or the folder is missing or not in the data set's published layout.
    """
    dataset = _open(place)
    if not isinstance(dataset, Dataset):
        raise DatasetError(
            f"the data set {dataset.name} has no queries, only training pictures: "
            "evaluate on another one"
        )
    return dataset


def open_training_data(place: str) -> TrainingData:
    """Open a data set to train on.

    Args:
        place: As `open_dataset` takes it.

    Returns:
        The data set; many are a `Dataset` as well.

    Raises:
        DatasetError: As `open_dataset`, but where the data set has no training pictures.
    """
    dataset = _open(place)
    if not isinstance(dataset, TrainingData):
        raise DatasetError(
            f"the data set {dataset.name} has no training pictures, only queries and a gallery: "
            "train on another one"
        )
    return dataset


def _open(place: str) -> Dataset | TrainingData:
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
