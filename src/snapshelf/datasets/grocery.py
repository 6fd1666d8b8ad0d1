"""The Grocery Store Dataset: photos taken in shops, and one studio picture of each product.

Klasson, Zhang, Kjellström: A Hierarchical Grocery Store Image Dataset With Visual and Semantic
Labels, WACV 2019. The folder holds ``classes.csv``, which gives each class its studio picture
and description, and ``train.txt``, ``val.txt`` and ``test.txt``, which list the photos.
"""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

import numpy as np

from snapshelf.catalog.product import Product
from snapshelf.datasets.boxed_photo import BoxedPhoto
from snapshelf.datasets.container import container
from snapshelf.datasets.dataset import Query
from snapshelf.datasets.derived_attributes import dominant_colour
from snapshelf.datasets.published_files import (
    find_picture,
    numbered_lines,
    read_text,
    whole_number,
)
from snapshelf.datasets.training_item import AttributeValue, TrainingItem
from snapshelf.datasets.weakly_boxed import WeaklyBoxed, WeakPhoto
from snapshelf.errors import DatasetError, PictureError, UnboxedSplitError
from snapshelf.media.decode import decode_picture

__all__ = ["GroceryStore"]

LAYOUT = "the Grocery Store Dataset's folder, with classes.csv, train.txt, val.txt and test.txt"

HEADER = [
    "Class Name (str)",
    "Class ID (int)",
    "Coarse Class Name (str)",
    "Coarse Class ID (int)",
    "Iconic Image Path (str)",
    "Product Description Path (str)",
]


class GroceryStore:
    """The Grocery Store Dataset in its published layout; `TrainingData` and `BoxedData` as well.

    A class is a product. Its ID is the class name, its category the folders of its studio
    picture, such as ``("Fruit", "Apple")``, and its description the published text. Photos are
    grouped by the first of these folders: Fruit, Packages or Vegetables.

    Products whose class ID is divisible by 3 are unseen: no training uses their photos.

    No photo has a published box. Those of the train split are given weak ones, for training only.

    Args:
        root: The folder that holds ``classes.csv``, or one whose sub-folder ``dataset`` does,
            as in the original download.

    Raises:
        DatasetError: If ``classes.csv`` is missing or malformed, or a studio picture or
            description that it names is missing.
    """

    name = "grocery"
    splits = ("train", "val", "test")

    def __init__(self, root: Path) -> None:
        nested = root / "dataset"
        self.root = nested if (nested / "classes.csv").is_file() else root
        self._products: dict[int, Product] = {}
        self._numbers: dict[str, int] = {}
        for line, number, product in self._read_classes():
            if number in self._products or product.id in self._numbers:
                raise DatasetError(
                    f"{self.root / 'classes.csv'}:{line}: class {product.id!r} with ID {number} "
                    "is not the first of that name or ID, expected each once"
                )
            self._products[number] = product
            self._numbers[product.id] = number
        if not self._products:
            raise DatasetError(f"{self.root / 'classes.csv'} lists no class, expected some")

    def products(self) -> Sequence[Product]:
        """Give the gallery: every class as a product with its studio picture.

        Returns:
            In the order of ``classes.csv``.
        """
        return tuple(self._products.values())

    def queries(self, split: str) -> Sequence[Query]:
        """Give the photos of one split.

        Args:
            split: One of `splits`.

        Returns:
            One query for each line of the split's file, in its order.

        Raises:
            ValueError: If there is no such split.
            DatasetError: If the split's file is missing, a line of it is malformed or names an
                unknown class, or a photo is missing.
        """
        if split not in self.splits:
            raise ValueError(f"split must be one of {', '.join(self.splits)}, got {split!r}")
        path = self.root / f"{split}.txt"
        return tuple(self._query(where, text) for where, text in numbered_lines(path, LAYOUT))

    def is_seen(self, product_id: str) -> bool:
        """Whether training may use photos of a product: its class ID is not divisible by 3.

        Args:
            product_id: A class name.

        Returns:
            False for every third product.

        Raises:
            ValueError: If there is no such product.
        """
        if product_id not in self._numbers:
            raise ValueError(f"{product_id!r} is no product of the data set {self.name}")
        return self._numbers[product_id] % 3 != 0

    def training_items(self) -> Sequence[TrainingItem]:
        """Give the seen products, each with its photos of the train split and its studio picture.

        The attributes are "kind" (the first two folders of the studio picture, such as Packages
        and Milk; the second is the published coarse class), and two that are derived:
        "container" from the name and "colour" from the studio picture.

        Returns:
            In the order of ``classes.csv``.

        Raises:
            DatasetError: As `queries`, or if a studio picture cannot be read.
        """
        photos: dict[str, list[Path]] = {product.id: [] for product in self.products()}
        for query in self.queries("train"):
            (product_id,) = query.products
            photos[product_id].append(query.picture)
        return tuple(
            TrainingItem(
                product_id=product.id,
                street=tuple(photos[product.id]),
                shop=tuple(self.root / image for image in product.images),
                attributes=self._attributes(product),
            )
            for product in self.products()
            if self.is_seen(product.id)
        )

    def boxed_photos(self, split: str) -> Sequence[BoxedPhoto]:
        """Give the photos of seen products with a weak box each, labelled Fruit, Packages or such.

        Args:
            split: "train": weak boxes are no truth to measure on.

        Returns:
            Photos of the train split, in an order drawn once, so that the first few are of many
            products. A box is made when its photo is looked at; see `WeaklyBoxed`.

        Raises:
            ValueError: If there is no such split.
            UnboxedSplitError: If it is another one than train.
            DatasetError: As `queries`; later, if a picture cannot be read.
        """
        queries = self.queries(split)
        if split != "train":
            raise UnboxedSplitError(
                f"the {split} split of {self.name} has no boxes: its weak boxes are for training "
                "only, so ask for the train split and measure on another data set"
            )
        shop = {product.id: self.root / product.images[0] for product in self.products()}
        photos = [
            WeakPhoto(query.picture, shop[product_id], query.category)
            for query in queries
            for product_id in query.products
            if self.is_seen(product_id)
        ]
        order = np.random.default_rng(0).permutation(len(photos))
        return WeaklyBoxed([photos[number] for number in order])

    def _attributes(self, product: Product) -> dict[str, AttributeValue]:
        picture = self.root / product.images[0]
        try:
            colour = dominant_colour(decode_picture(picture.read_bytes()))
        except (OSError, PictureError) as error:
            raise DatasetError(f"{picture}: {error}; get the whole data set again") from error
        found = {
            "kind": (product.category[0], product.category[1]),
            "container": container(product),
            "colour": colour,
        }
        return {name: value for name, value in found.items() if value is not None}

    def _read_classes(self) -> Iterator[tuple[int, int, Product]]:
        """Read line number, class ID and product of each line of ``classes.csv``."""
        path = self.root / "classes.csv"
        rows = _rows(path)
        _, header = next(rows, (1, []))
        if header != HEADER:
            raise DatasetError(
                f"{path}:1: expected the header {','.join(HEADER)!r}, got {','.join(header)!r}"
            )
        for line, row in rows:
            where = f"{path}:{line}"
            if not row:
                continue
            if len(row) != len(HEADER):
                raise DatasetError(f"{where}: expected {len(HEADER)} fields, got {len(row)}")
            name, number, coarse, _, picture, description = (field.strip() for field in row)
            if not name:
                raise DatasetError(f"{where}: expected a class name in the first field, got none")
            image = find_picture(self.root, where, picture)
            told = self.root / find_picture(self.root, where, description)
            text = told.read_text(encoding="utf-8", errors="replace")
            product = Product(
                id=name,
                title=name.replace("-", " "),
                description=text.strip(),
                category=_category(where, image),
                images=(image,),
                attributes={"class_id": number, "coarse": coarse},
            )
            yield line, whole_number(where, number, "a class ID"), product

    def _query(self, where: str, text: str) -> Query:
        fields = [field.strip() for field in text.split(",")]
        if len(fields) != 3:
            raise DatasetError(f"{where}: expected 'path, class ID, coarse class ID', got {text!r}")
        number = whole_number(where, fields[1], "a class ID")
        if number not in self._products:
            raise DatasetError(f"{where}: class ID {number} is not in classes.csv")
        product = self._products[number]
        return Query(
            picture=self.root / find_picture(self.root, where, fields[0]),
            products=frozenset({product.id}),
            category=product.category[0],
        )


def _category(where: str, image: str) -> tuple[str, str]:
    """Give a studio picture's folders below ``iconic-images-and-descriptions``."""
    folders = PurePosixPath(image).parts[1:3]
    if len(folders) < 2 or PurePosixPath(image).name in folders:
        raise DatasetError(
            f"{where}: expected a picture in a folder such as "
            f"iconic-images-and-descriptions/Fruit/Apple, got {image!r}"
        )
    return folders[0], folders[1]


def _rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Read the line number and the fields of each record of a CSV file."""
    reader = csv.reader(read_text(path, LAYOUT).splitlines())
    try:
        for row in reader:
            yield reader.line_num, row
    except csv.Error as error:
        raise DatasetError(f"{path}:{reader.line_num}: is no CSV: {error}") from error
