"""MVShoe: shoes photographed in the street and from several sides in shops.

Zhan, Shi, Kot: Street-to-Shop Shoe Retrieval, BMVC 2017, Sections 4 and 6.1. What the paper says:
about 9,800 street and 31,050 shop pictures in several views, 31 types of attributes; some 3,130
items with pictures of both sides for training; 4,400 street photos as queries against some 25,000
shop pictures.

How the files of the download are laid out is not documented there, nor was it found elsewhere. The
layout read here is therefore this project's own, made of what the paper says, and the download has
to be brought into it:

- ``items/ITEM/street/*`` and ``items/ITEM/shop/*``: the pictures of each item, in any order;
- ``train.txt`` and ``test.txt``: the item IDs of the splits, one a line;
- ``attributes.csv`` (may be missing): the column ``item``, then one for each attribute, with values
  ``group/value``, or ``value`` where the attribute has no groups; empty where it is not known.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from snapshelf.catalog.product import Product
from snapshelf.datasets.csv_table import attribute_value, csv_rows
from snapshelf.datasets.dataset import Query
from snapshelf.datasets.published_files import numbered_lines
from snapshelf.datasets.training_item import AttributeValue, TrainingItem
from snapshelf.errors import DatasetError

__all__ = ["MultiViewShoes"]

LAYOUT = "the MVShoe folder, with items/, train.txt and test.txt (see docs/datasets.md)"
SUFFIXES = frozenset({".jpeg", ".jpg", ".png", ".webp"})


@dataclass(frozen=True, slots=True)
class _Item:
    """An item's pictures, relative to the root, in the order of their names."""

    street: tuple[str, ...]
    shop: tuple[str, ...]


class MultiViewShoes:
    """MVShoe, in the layout that this module's text describes.

    The queries are the street photos of the test items. The gallery is every item with shop
    pictures that is not for training: those of no split are only there to be confused with. An
    item is seen if it is in ``train.txt``.

    Args:
        root: The folder that holds ``items``.

    Raises:
        DatasetError: If a list is missing, names an item that is not there or twice, an item is in
            both lists, or a test item lacks street or shop pictures.
    """

    name = "mvshoe"
    splits = ("test",)

    def __init__(self, root: Path) -> None:
        self.root = root
        folders = root / "items"
        if not folders.is_dir():
            raise DatasetError(f"{folders} is missing: expected {LAYOUT}")
        self._items = {
            folder.name: _Item(_pictures(root, folder / "street"), _pictures(root, folder / "shop"))
            for folder in sorted(folders.iterdir())
            if folder.is_dir()
        }
        self._train = self._read_split("train.txt")
        self._test = self._read_split("test.txt")
        both = sorted(self._train.keys() & self._test.keys())
        if both:
            raise DatasetError(
                f"{self._test[both[0]]}: item {both[0]!r} is in train.txt as well, expected one"
            )
        for item_id, where in self._test.items():
            item = self._items[item_id]
            if not item.street or not item.shop:
                side = "shop" if item.street else "street"
                raise DatasetError(f"{where}: test item {item_id!r} has no {side} picture")

    def products(self) -> Sequence[Product]:
        """Give the gallery, in the order of the item IDs."""
        return tuple(
            Product(id=item_id, title=item_id, images=item.shop)
            for item_id, item in self._items.items()
            if item.shop and item_id not in self._train
        )

    def queries(self, split: str) -> Sequence[Query]:
        """Give the street photos of the test items, item after item; all of one category.

        Raises:
            ValueError: If `split` is not "test".
        """
        if split not in self.splits:
            raise ValueError(f"split must be {self.splits[0]}, the only one, got {split!r}")
        return tuple(
            Query(self.root / photo, frozenset({item_id}), "shoes")
            for item_id in self._test
            for photo in self._items[item_id].street
        )

    def is_seen(self, product_id: str) -> bool:
        """Whether an item is in ``train.txt``.

        Raises:
            ValueError: If there is no such item.
        """
        if product_id not in self._items:
            raise ValueError(f"{product_id!r} is no product of the data set {self.name}")
        return product_id in self._train

    def training_items(self) -> Sequence[TrainingItem]:
        """Give the training items, in the order of ``train.txt``.

        Raises:
            DatasetError: If ``attributes.csv`` is malformed.
        """
        return tuple(
            TrainingItem(
                product_id=item_id,
                street=tuple(self.root / photo for photo in self._items[item_id].street),
                shop=tuple(self.root / picture for picture in self._items[item_id].shop),
                attributes=self._attributes.get(item_id, {}),
            )
            for item_id in self._train
        )

    def _read_split(self, name: str) -> dict[str, str]:
        """Read the item IDs of a split, and where each is listed."""
        path = self.root / name
        listed: dict[str, str] = {}
        for where, item_id in numbered_lines(path, LAYOUT):
            if item_id in listed:
                raise DatasetError(f"{where}: item {item_id!r} is listed twice, expected once")
            if item_id not in self._items:
                raise DatasetError(f"{where}: there is no folder items/{item_id[:80]}")
            item = self._items[item_id]
            if not item.street and not item.shop:
                raise DatasetError(f"{where}: item {item_id!r} has no picture")
            listed[item_id] = where
        if not listed:
            raise DatasetError(f"{path} lists no item, expected some")
        return listed

    @cached_property
    def _attributes(self) -> Mapping[str, Mapping[str, AttributeValue]]:
        path = self.root / "attributes.csv"
        if not path.exists():
            return {}
        attributes: dict[str, dict[str, AttributeValue]] = {}
        for where, row in csv_rows(path, LAYOUT, columns=("item",), more=True):
            item_id = row["item"]
            if item_id not in self._items:
                raise DatasetError(f"{where}: there is no folder items/{item_id[:80]}")
            if item_id in attributes:
                raise DatasetError(f"{where}: item {item_id!r} is listed twice, expected once")
            attributes[item_id] = {
                name: attribute_value(where, text)
                for name, text in row.items()
                if name != "item" and text
            }
        return attributes


def _pictures(root: Path, folder: Path) -> tuple[str, ...]:
    if not folder.is_dir():
        return ()
    return tuple(
        path.relative_to(root).as_posix()
        for path in sorted(folder.iterdir())
        if path.suffix.lower() in SUFFIXES and path.is_file()
    )
