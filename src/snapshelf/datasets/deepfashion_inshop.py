"""DeepFashion's In-Shop benchmark: several studio pictures of each item, searched with each other.

``Eval/list_eval_partition.txt`` names each picture, its item and whether it is for training, a
query, or of the gallery; ``Anno`` holds the bounding boxes and the items' descriptions.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from snapshelf.catalog.product import Product
from snapshelf.datasets.dataset import Query
from snapshelf.datasets.deepfashion_files import (
    kind_of,
    partition_file,
    picture_root,
    read_boxes,
)
from snapshelf.datasets.published_files import counted_rows, find_picture, read_text
from snapshelf.datasets.training_item import AttributeValue, TrainingItem
from snapshelf.errors import DatasetError

__all__ = ["InShop"]

LAYOUT = "DeepFashion's In-Shop folder, with Anno/, Eval/ and Img/"
USES = ("train", "query", "gallery")


@dataclass(slots=True)
class _Item:
    kind: AttributeValue
    train: list[str] = field(default_factory=list)
    query: list[str] = field(default_factory=list)
    gallery: list[str] = field(default_factory=list)


class InShop:
    """The In-Shop benchmark of DeepFashion in its published layout.

    A product is an item ID, which stands for all its colours. An item is seen if it has training
    pictures; training and testing share no item. The gallery is every item with gallery pictures;
    queries are whole pictures, grouped by the second folder of their path, such as Dresses.

    The published recall at K counts pictures, ours counts products, whose similarity is that of
    their best picture: equal for K = 1, and ours is not smaller for larger K.

    Args:
        root: The folder that holds ``Anno``, ``Eval`` and ``Img``.

    Raises:
        DatasetError: If the list is missing or malformed, or names a picture that is not there or
            twice, or an item that is for training as well as for testing.
    """

    name = "deepfashion-inshop"
    splits = ("test",)

    def __init__(self, root: Path) -> None:
        self.root = picture_root(root)
        self._folder = root
        self._items = self._read_items()

    def products(self) -> Sequence[Product]:
        """Give the gallery, in the list's order.

        Raises:
            DatasetError: If the list of descriptions is malformed.
        """
        return self._products

    def queries(self, split: str) -> Sequence[Query]:
        """Give the query pictures, item after item.

        Raises:
            ValueError: If `split` is not "test".
        """
        if split not in self.splits:
            raise ValueError(f"split must be {self.splits[0]}, the only one, got {split!r}")
        return tuple(
            Query(self.root / picture, frozenset({item_id}), item.kind[1])
            for item_id, item in self._items.items()
            for picture in item.query
        )

    def is_seen(self, product_id: str) -> bool:
        """Whether an item has training pictures.

        Raises:
            ValueError: If there is no such item.
        """
        if product_id not in self._items:
            raise ValueError(f"{product_id!r} is no product of the data set {self.name}")
        return bool(self._items[product_id].train)

    def training_items(self) -> Sequence[TrainingItem]:
        """Give the items with training pictures; all of them count as shop pictures.

        The attributes are "kind", the two folders of the pictures' paths, and "colour", as the
        shop named it, where ``Anno/list_description_inshop.json`` is there.

        Raises:
            DatasetError: If the list of boxes or descriptions is malformed.
        """
        boxes = read_boxes(self._folder / "Anno" / "list_bbox_inshop.txt")
        return tuple(
            TrainingItem(
                product_id=item_id,
                street=(),
                shop=tuple(self.root / picture for picture in item.train),
                attributes=self._attributes(item_id, item),
                boxes={self.root / name: boxes[name] for name in item.train if name in boxes},
            )
            for item_id, item in self._items.items()
            if item.train
        )

    def _attributes(self, item_id: str, item: _Item) -> dict[str, AttributeValue]:
        colour, _ = self._descriptions.get(item_id, ("", ""))
        return {"kind": item.kind} | ({"colour": (colour, colour)} if colour else {})

    @cached_property
    def _products(self) -> tuple[Product, ...]:
        return tuple(
            Product(
                id=item_id,
                title=item.kind[1].replace("_", " "),
                description=self._descriptions.get(item_id, ("", ""))[1],
                category=item.kind,
                images=tuple(item.gallery),
            )
            for item_id, item in self._items.items()
            if item.gallery
        )

    @cached_property
    def _descriptions(self) -> dict[str, tuple[str, str]]:
        """Read colour and description of each item; empty where the list is not there."""
        path = self._folder / "Anno" / "list_description_inshop.json"
        if not path.exists():
            return {}
        try:
            return dict(_description(entry) for entry in json.loads(read_text(path, LAYOUT)))
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise DatasetError(
                f"{path}: expected a JSON list of objects with item, color and description, "
                f"got {error!r}"
            ) from error

    def _read_items(self) -> dict[str, _Item]:
        path = partition_file(self._folder)
        items: dict[str, _Item] = {}
        listed: set[str] = set()
        for where, row in counted_rows(path, LAYOUT):
            if len(row) != 3 or row[2] not in USES:
                raise DatasetError(
                    f"{where}: expected 'picture, item ID, train, query or gallery', "
                    f"got {' '.join(row)!r}"
                )
            picture, item_id, use = row
            if picture in listed:
                raise DatasetError(f"{where}: {picture} is listed twice, expected once")
            listed.add(picture)
            find_picture(self.root, where, picture)
            item = items.setdefault(item_id, _Item(kind_of(where, picture)))
            getattr(item, use).append(picture)
            if item.train and (item.query or item.gallery):
                raise DatasetError(
                    f"{where}: item {item_id} is for training and for testing, expected one"
                )
        if not items:
            raise DatasetError(f"{path} lists no picture, expected some")
        return items


def _description(entry: object) -> tuple[str, tuple[str, str]]:
    """Take one item's entry apart; the description is a text or a list of texts."""
    if not isinstance(entry, dict):
        raise TypeError(f"no object but {entry!r}")
    text = entry.get("description", "")
    if isinstance(text, list):
        text = " ".join(map(str, text))
    return str(entry["item"]), (str(entry.get("color", "")).strip(), str(text).strip())
