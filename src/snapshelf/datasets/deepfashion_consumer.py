"""DeepFashion's Consumer-to-Shop benchmark: buyers' photos against shops' pictures.

``Eval/list_eval_partition.txt`` pairs a consumer's photo with a shop's picture of an item and says
which split the pair is of; ``Anno`` holds the bounding boxes and, in its newer version, attributes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from snapshelf.catalog.product import Product
from snapshelf.datasets.dataset import Query
from snapshelf.datasets.deepfashion_attributes import read_attributes
from snapshelf.datasets.deepfashion_files import (
    kind_of,
    partition_file,
    picture_root,
    read_boxes,
)
from snapshelf.datasets.published_files import counted_rows, find_picture
from snapshelf.datasets.training_item import AttributeValue, TrainingItem
from snapshelf.errors import DatasetError
from snapshelf.locating.region import Box

__all__ = ["ConsumerToShop"]

LAYOUT = "DeepFashion's Consumer-to-Shop folder, with Anno/, Eval/ and Img/"
SPLITS = ("train", "val", "test")


@dataclass(slots=True)
class _Item:
    """An item; dicts stand for sets that keep their order."""

    split: str
    kind: AttributeValue
    street: dict[str, None] = field(default_factory=dict)
    shop: dict[str, None] = field(default_factory=dict)


class ConsumerToShop:
    """The Consumer-to-Shop benchmark of DeepFashion in its published layout.

    A product is an item ID. An item is seen if it is in the train split; the splits share no item.
    The gallery is, for both splits, every shop picture of the val and the test items, as the
    newer of the two published notes says (the older one has those of the test items only). A query
    is a consumer's photo, cut to its bounding box where ``Anno/list_bbox_consumer2shop.txt`` has
    one, and grouped by the second folder of its path, such as T_Shirt.

    Pairs within an item, which tell its colours apart, are not kept: any shop picture of the item
    is right.

    Args:
        root: The folder that holds ``Anno``, ``Eval`` and ``Img``.

    Raises:
        DatasetError: If a list is missing or malformed, or names a picture that is not there.
    """

    name = "deepfashion-consumer"
    splits = ("val", "test")

    def __init__(self, root: Path) -> None:
        self.root = picture_root(root)
        self._folder = root
        self._items = self._read_items()

    def products(self) -> Sequence[Product]:
        """Give the gallery: the items of the val and the test split, in the list's order."""
        return self._products

    def queries(self, split: str) -> Sequence[Query]:
        """Give the consumers' photos of one split, item after item.

        Raises:
            ValueError: If `split` is not one of `splits`.
            DatasetError: If the list of boxes is malformed.
        """
        if split not in self.splits:
            raise ValueError(f"split must be one of {', '.join(self.splits)}, got {split!r}")
        return tuple(
            Query(
                picture=self.root / photo,
                products=frozenset({item_id}),
                category=item.kind[1],
                box=self._boxes.get(photo),
            )
            for item_id, item in self._items.items()
            if item.split == split
            for photo in item.street
        )

    def is_seen(self, product_id: str) -> bool:
        """Whether an item is in the train split.

        Raises:
            ValueError: If there is no such item.
        """
        if product_id not in self._items:
            raise ValueError(f"{product_id!r} is no product of the data set {self.name}")
        return self._items[product_id].split == "train"

    def training_items(self) -> Sequence[TrainingItem]:
        """Give the items of the train split, with consumers' photos as the street side.

        The attribute "kind" is the two folders of the pictures' paths. Where the newer version's
        ``Anno/list_attr_items.txt`` is there, each of its 18 attribute types, such as "type of
        collars", is one more attribute of the items that have one positive label of it.

        Raises:
            DatasetError: If a list of boxes or attributes is malformed.
        """
        attributes = read_attributes(self._folder / "Anno")
        return tuple(
            TrainingItem(
                product_id=item_id,
                street=tuple(self.root / photo for photo in item.street),
                shop=tuple(self.root / picture for picture in item.shop),
                attributes={"kind": item.kind, **attributes.get(item_id, {})},
                boxes={
                    self.root / picture: self._boxes[picture]
                    for picture in (*item.street, *item.shop)
                    if picture in self._boxes
                },
            )
            for item_id, item in self._items.items()
            if item.split == "train"
        )

    @cached_property
    def _boxes(self) -> Mapping[str, Box]:
        return read_boxes(self._folder / "Anno" / "list_bbox_consumer2shop.txt")

    @cached_property
    def _products(self) -> tuple[Product, ...]:
        return tuple(
            Product(
                id=item_id,
                title=item.kind[1].replace("_", " "),
                category=item.kind,
                images=tuple(item.shop),
            )
            for item_id, item in self._items.items()
            if item.split != "train"
        )

    def _read_items(self) -> dict[str, _Item]:
        path = partition_file(self._folder)
        items: dict[str, _Item] = {}
        for where, row in counted_rows(path, LAYOUT):
            if len(row) != 4 or row[3] not in SPLITS:
                raise DatasetError(
                    f"{where}: expected 'consumer photo, shop picture, item ID, train, val or "
                    f"test', got {' '.join(row)!r}"
                )
            photo, picture, item_id, split = row
            item = items.setdefault(item_id, _Item(split, kind_of(where, picture)))
            if item.split != split:
                raise DatasetError(
                    f"{where}: item {item_id} is of the split {split}, and of {item.split} further "
                    "up, expected one split"
                )
            item.street.setdefault(photo)
            item.shop.setdefault(picture)
            for name in (photo, picture):
                find_picture(self.root, where, name)
        if not items:
            raise DatasetError(f"{path} lists no pair, expected some")
        return items
