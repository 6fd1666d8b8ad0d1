"""Reading a demo shop as a data set."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from snapshelf.catalog.catalog import Catalog
from snapshelf.catalog.entry import Problem
from snapshelf.catalog.product import Product
from snapshelf.datasets.dataset import Query
from snapshelf.datasets.training_item import AttributeValue, TrainingItem
from snapshelf.errors import DatasetError, FeedError
from snapshelf.locating.region import Box

__all__ = ["COMPLETE", "STREET", "DemoShop", "StreetItem", "StreetPhoto"]

COMPLETE = "demo.json"
STREET = "street.jsonl"


@dataclass(frozen=True, slots=True)
class StreetItem:
    """A product in a street photo.

    Attributes:
        product_id: Which product; of a photo outside the catalogue, one that the feed lacks.
        box: Where it is, pixels.
    """

    product_id: str
    box: Box


@dataclass(frozen=True, slots=True)
class StreetPhoto:
    """A street photo and what is in it.

    Attributes:
        picture: The picture's file.
        items: At least one.
        difficulty: "easy", "medium" or "hard".
        scene: What sort of place it was taken in.
        in_catalogue: Whether the shop sells its items.
    """

    picture: Path
    items: tuple[StreetItem, ...]
    difficulty: str
    scene: str
    in_catalogue: bool


class DemoShop:
    """The generated demo shop, as `write_demo_shop` leaves it; a `Dataset` and `TrainingData`.

    Args:
        folder: Where it was written.

    Raises:
        DatasetError: If the folder is not a complete demo shop.
    """

    name = "demo"
    splits = ("val", "test")

    def __init__(self, folder: Path) -> None:
        self._root = Path(folder)
        if not (self._root / COMPLETE).is_file():
            raise DatasetError(
                f"{self._root} is not a demo shop: it has no {COMPLETE}; "
                "make one there with `snapshelf demo` or write_demo_shop"
            )
        self._products = self._read_feed()
        self._photos = self._read_photos()

    @property
    def root(self) -> Path:
        """The folder that the products' image paths are relative to."""
        return self._root

    @property
    def feed(self) -> Path:
        """The product feed, a CSV file."""
        return self._root / "feed.csv"

    def products(self) -> Sequence[Product]:
        """Every product of the feed, in its order."""
        return self._products

    def photos(self) -> Sequence[StreetPhoto]:
        """Every street photo, those of products that are not in the feed among them."""
        return self._photos

    def queries(self, split: str) -> Sequence[Query]:
        """The street photos of a split; every fourth one is for validation.

        Photos of products that are not in the feed are no queries: `photos` has them.

        Args:
            split: "val" or "test".

        Returns:
            The queries, each grouped under its (first) product's top category.

        Raises:
            ValueError: If there is no such split.
        """
        if split not in self.splits:
            raise ValueError(f"split must be one of {', '.join(self.splits)}, got {split!r}")
        return tuple(
            Query(
                picture=photo.picture,
                products=frozenset(item.product_id for item in photo.items),
                category=self._categories[photo.items[0].product_id],
            )
            for number, photo in enumerate(self._photos)
            if photo.in_catalogue and (number % 4 == 1) == (split == "val")
        )

    def is_seen(self, product_id: str) -> bool:
        """Whether training may use pictures of this product: its number is not divisible by 3."""
        return int(product_id.rpartition("-")[2]) % 3 != 0

    def training_items(self) -> Sequence[TrainingItem]:
        """The seen products with their shop pictures, in the feed's order.

        There are no street pictures: every street photo of a product that is sold is a query. The
        attributes are "kind" (the widest and the narrowest category) and, as far as the feed has
        them, "brand", "color", "pattern" and "material", which have no groups.
        """
        return tuple(
            TrainingItem(
                product_id=product.id,
                street=(),
                shop=tuple(self._root / image for image in product.images),
                attributes=_attributes(product),
            )
            for product in self._products
            if self.is_seen(product.id)
        )

    @cached_property
    def _categories(self) -> dict[str, str]:
        return {product.id: product.category[0] for product in self._products}

    def _read_feed(self) -> tuple[Product, ...]:
        products = []
        try:
            for found in Catalog.open(self.feed):
                if isinstance(found, Problem):
                    raise self._damaged("feed.csv", f"line {found.line}: {found.reason}")
                products.append(found.product)
        except FeedError as problem:
            raise self._damaged("feed.csv", str(problem)) from problem
        return tuple(products)

    def _read_photos(self) -> tuple[StreetPhoto, ...]:
        try:
            lines = (self._root / STREET).read_text(encoding="utf-8").splitlines()
            return tuple(self._photo(line) for line in lines)
        except (OSError, KeyError, ValueError, TypeError) as problem:
            raise self._damaged(STREET, repr(problem)) from problem

    def _photo(self, text: str) -> StreetPhoto:
        line = json.loads(text)
        items = []
        for item in line["items"]:
            x0, y0, x1, y1 = (float(edge) for edge in item["box"])
            items.append(StreetItem(item["product_id"], (x0, y0, x1, y1)))
        return StreetPhoto(
            picture=self._root / line["picture"],
            items=tuple(items),
            difficulty=line["difficulty"],
            scene=line["scene"],
            in_catalogue=bool(line["in_catalogue"]),
        )

    def _damaged(self, name: str, reason: str) -> DatasetError:
        return DatasetError(
            f"the demo shop's {self._root / name} cannot be read ({reason}); "
            "delete the folder and make it again with `snapshelf demo` or write_demo_shop"
        )


def _attributes(product: Product) -> dict[str, AttributeValue]:
    plain = {"brand": product.brand}
    plain |= {name: product.attributes.get(name, "") for name in ("color", "pattern", "material")}
    kind = {"kind": (product.category[0], product.category[-1])}
    return kind | {name: (value, value) for name, value in plain.items() if value}
