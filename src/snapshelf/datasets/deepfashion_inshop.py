"""DeepFashion's In-Shop benchmark: several studio pictures of each item, searched with each other.

``Eval/list_eval_partition.txt`` names each picture, its item and whether it is for training, a
query, or of the gallery; ``Anno`` holds the bounding boxes and the items' descriptions.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from snapshelf.catalog.product import Product
from snapshelf.datasets.dataset import Query
from snapshelf.datasets.deepfashion_files import picture_root, read_boxes
from snapshelf.datasets.deepfashion_inshop_files import (
    Description,
    read_descriptions,
    read_pictures,
)
from snapshelf.datasets.training_item import AttributeValue, TrainingItem

__all__ = ["InShop"]


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
        self._items = _read_items(root)

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
        colour = self._descriptions.get(item_id, Description()).colour
        return {"kind": item.kind} | ({"colour": (colour, colour)} if colour else {})

    @cached_property
    def _products(self) -> tuple[Product, ...]:
        return tuple(
            Product(
                id=item_id,
                title=item.kind[1].replace("_", " "),
                description=self._descriptions.get(item_id, Description()).text,
                category=item.kind,
                images=tuple(item.gallery),
            )
            for item_id, item in self._items.items()
            if item.gallery
        )

    @cached_property
    def _descriptions(self) -> Mapping[str, Description]:
        return read_descriptions(self._folder)


def _read_items(folder: Path) -> dict[str, _Item]:
    items: dict[str, _Item] = {}
    for picture in read_pictures(folder):
        item = items.setdefault(picture.item_id, _Item(picture.kind))
        getattr(item, picture.use).append(picture.name)
    return items
