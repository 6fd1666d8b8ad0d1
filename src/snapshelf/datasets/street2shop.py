"""Exact Street2Shop: items worn in street photos, and the shop pictures of the same items.

Kiapour, Han, Lazebnik, Berg, Berg: Where to Buy It: Matching Street Clothing Photos in Online
Shops, ICCV 2015. ``meta/json`` holds for each category ``train_pairs_CATEGORY.json`` and
``test_pairs_CATEGORY.json`` (street photo, product, box) and ``retrieval_CATEGORY.json`` (shop
photo, product). Photos were published as addresses; they are files named by their nine-digit ID.
"""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from snapshelf.catalog.product import Product
from snapshelf.datasets.dataset import Query
from snapshelf.datasets.published_files import read_text
from snapshelf.datasets.training_item import TrainingItem
from snapshelf.errors import DatasetError
from snapshelf.locating.region import Box

__all__ = ["Street2Shop"]

LAYOUT = "the Street2Shop folder, with meta/json/ and photos/"
MOST_PIXELS = 100_000
"""From the picture's corner to any edge of a box; NaN is beyond it as well."""

SUFFIXES = frozenset({".gif", ".jpeg", ".jpg", ".png", ".webp"})


@dataclass(frozen=True, slots=True)
class _Sighting:
    """A product in a street photo."""

    photo: Path
    product_id: str
    category: str
    box: Box


@dataclass(slots=True)
class _Item:
    category: str
    shop: dict[str, None] = field(default_factory=dict)
    """Relative paths; a set that keeps its order."""


class Street2Shop:
    """Exact Street2Shop in its published layout.

    A query is a box in a street photo, of the test pairs; what is right is every product that the
    pairs give for this box. The gallery is the shop photos of all categories read. The paper
    searches within the query's category: give one category to have its protocol. A product is
    seen if it is in the training pairs and not in the test pairs.

    Many of the published addresses are dead, so photos that are not there are left out, and with
    them the queries and products that they leave empty; `missing` counts them. Figures on what
    is left are comparable among systems, and not with published ones unless `missing` is small.

    Args:
        root: The folder that holds ``meta/json`` (or ``json``) and ``photos``; a photo is
            ``photos/000012345.jpg``, or with another suffix of a picture.
        categories: Which to read, such as ``("bags",)``; None for all that have the three files.

    Raises:
        DatasetError: If a file is missing or malformed, or no photo is left.
        ValueError: If a category's name is a path.
    """

    name = "street2shop"
    splits = ("test",)

    def __init__(self, root: Path, categories: Sequence[str] | None = None) -> None:
        self.root = root
        self._lists = next(
            (root / name for name in ("meta/json", "json") if (root / name).is_dir()),
            root / "meta/json",
        )
        self._photos = _photo_files(root / "photos")
        self._missing: set[int] = set()
        self._items: dict[str, _Item] = {}
        self._pairs: dict[str, list[_Sighting]] = {"train": [], "test": []}
        for category in categories or self._categories():
            if Path(category).name != category:
                raise ValueError(f"categories must be names such as bags, got {category!r}")
            self._read_shop(category)
            for split, pairs in self._pairs.items():
                pairs.extend(self._read_pairs(split, category))
        if not self._items:
            raise DatasetError(
                f"{root / 'photos'} holds none of the shop photos that {self._lists} names: "
                "download them first, each as photos/ID.jpg with nine digits"
            )

    @property
    def missing(self) -> int:
        """Number of photos that the lists name and that are not there."""
        return len(self._missing)

    def products(self) -> Sequence[Product]:
        """Give the gallery: every product with a shop photo, category after category."""
        return tuple(
            Product(
                id=product_id,
                title=item.category,
                category=(item.category,),
                images=tuple(item.shop),
            )
            for product_id, item in self._items.items()
        )

    def queries(self, split: str) -> Sequence[Query]:
        """Give the boxes of the test pairs whose product has a shop photo, in the lists' order.

        Raises:
            ValueError: If `split` is not "test".
        """
        if split not in self.splits:
            raise ValueError(f"split must be {self.splits[0]}, the only one, got {split!r}")
        right: dict[tuple[Path, Box, str], set[str]] = {}
        for sighting in self._pairs["test"]:
            if sighting.product_id in self._items:
                key = (sighting.photo, sighting.box, sighting.category)
                right.setdefault(key, set()).add(sighting.product_id)
        return tuple(
            Query(picture=photo, products=frozenset(products), category=category, box=box)
            for (photo, box, category), products in right.items()
        )

    def is_seen(self, product_id: str) -> bool:
        """Whether a product is in the training pairs and not in the test pairs.

        Raises:
            ValueError: If there is no such product.
        """
        if product_id in self._seen:
            return True
        if product_id not in self._items:
            raise ValueError(f"{product_id!r} is no product of the data set {self.name}")
        return False

    def training_items(self) -> Sequence[TrainingItem]:
        """Give the seen products, with their boxes in the street photos of the training pairs.

        A street photo that is a query as well is left out. The attribute "kind" is the category;
        it has no groups.
        """
        tested = {sighting.photo for sighting in self._pairs["test"]}
        street: dict[str, dict[Path, Box]] = {}
        categories: dict[str, str] = {}
        for sighting in self._pairs["train"]:
            if sighting.product_id in self._seen and sighting.photo not in tested:
                boxes = street.setdefault(sighting.product_id, {})
                boxes.setdefault(sighting.photo, sighting.box)
                categories.setdefault(sighting.product_id, sighting.category)
        return tuple(
            TrainingItem(
                product_id=product_id,
                street=tuple(boxes),
                shop=tuple(self.root / name for name in self._shop_of(product_id)),
                attributes={"kind": (categories[product_id], categories[product_id])},
                boxes=boxes,
            )
            for product_id, boxes in street.items()
        )

    @cached_property
    def _seen(self) -> set[str]:
        train, test = (
            {sighting.product_id for sighting in self._pairs[split]} for split in ("train", "test")
        )
        return train - test

    def _shop_of(self, product_id: str) -> tuple[str, ...]:
        item = self._items.get(product_id)
        return () if item is None else tuple(item.shop)

    def _categories(self) -> list[str]:
        names = sorted(path.stem.partition("_")[2] for path in self._lists.glob("retrieval_*.json"))
        if not names:
            raise DatasetError(f"{self._lists} holds no retrieval_*.json: expected {LAYOUT}")
        return names

    def _read_shop(self, category: str) -> None:
        for where, entry in _entries(self._lists / f"retrieval_{category}.json"):
            photo = self._photo(_number(where, entry, "photo"))
            product_id = str(_number(where, entry, "product"))
            if photo is not None:
                self._items.setdefault(product_id, _Item(category)).shop.setdefault(photo)

    def _read_pairs(self, split: str, category: str) -> Iterator[_Sighting]:
        for where, entry in _entries(self._lists / f"{split}_pairs_{category}.json"):
            photo = self._photo(_number(where, entry, "photo"))
            product_id = str(_number(where, entry, "product"))
            box = _box(where, entry.get("bbox"))
            if photo is not None:
                yield _Sighting(self.root / photo, product_id, category, box)

    def _photo(self, number: int) -> str | None:
        if number not in self._photos:
            self._missing.add(number)
            return None
        return f"photos/{self._photos[number]}"


def _photo_files(folder: Path) -> dict[int, str]:
    """Give the file name of each photo that is there, by its ID."""
    try:
        with os.scandir(folder) as entries:
            names = sorted(entry.name for entry in entries)
    except OSError as error:
        raise DatasetError(f"{folder} cannot be read ({error}): expected {LAYOUT}") from error
    files: dict[int, str] = {}
    for name in names:
        stem, suffix = os.path.splitext(name)
        if suffix.lower() in SUFFIXES and stem.isascii() and stem.isdigit():
            files.setdefault(int(stem), name)
    return files


def _entries(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Read a list of objects, and say where each is."""
    try:
        entries = json.loads(read_text(path, LAYOUT))
    except (ValueError, RecursionError) as error:
        raise DatasetError(f"{path} is no JSON: {error}") from error
    if not isinstance(entries, list):
        raise DatasetError(f"{path}: expected a list, got {type(entries).__name__}")
    for number, entry in enumerate(entries, start=1):
        where = f"{path}: entry {number}"
        if not isinstance(entry, dict):
            raise DatasetError(f"{where}: expected an object with photo and product, got {entry!r}")
        yield where, entry


def _number(where: str, entry: Mapping[str, Any], name: str) -> int:
    value = entry.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise DatasetError(f"{where}: expected {name} to be a whole number, got {value!r}")
    return value


def _box(where: str, value: object) -> Box:
    """Turn left, top, width and height into corners."""
    edges: Mapping[str, Any] = value if isinstance(value, dict) else {}
    left, top, width, height = (edges.get(name) for name in ("left", "top", "width", "height"))
    numbers = [edge for edge in (left, top, width, height) if isinstance(edge, int | float)]
    if len(numbers) < 4 or not all(abs(edge) < MOST_PIXELS for edge in numbers):
        raise DatasetError(
            f"{where}: expected bbox to have left, top, width and height in pixels, got {value!r}"
        )
    x0, y0, x1, y1 = (
        float(edge) for edge in (*numbers[:2], numbers[0] + numbers[2], numbers[1] + numbers[3])
    )
    if x1 <= x0 or y1 <= y0:
        raise DatasetError(f"{where}: expected bbox to have some width and height, got {value!r}")
    return x0, y0, x1, y1
