"""The Grocery Store Dataset: photos taken in shops, and one studio picture of each product.

Klasson, Zhang, Kjellström: A Hierarchical Grocery Store Image Dataset With Visual and Semantic
Labels, WACV 2019. The folder holds ``classes.csv``, which gives each class its studio picture
and description, and ``train.txt``, ``val.txt`` and ``test.txt``, which list the photos.
"""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from snapshelf.catalog.product import Product
from snapshelf.datasets.dataset import Query
from snapshelf.errors import DatasetError

__all__ = ["GroceryStore"]

MOST_DIGITS = 9
"""Of a class ID; the data set has 81 classes."""

HEADER = [
    "Class Name (str)",
    "Class ID (int)",
    "Coarse Class Name (str)",
    "Coarse Class ID (int)",
    "Iconic Image Path (str)",
    "Product Description Path (str)",
]


class GroceryStore:
    """The Grocery Store Dataset in its published layout.

    A class is a product. Its ID is the class name, its category the folders of its studio
    picture, such as ``("Fruit", "Apple")``, and its description the published text. Photos are
    grouped by the first of these folders: Fruit, Packages or Vegetables.

    Products whose class ID is divisible by 3 are unseen: no training uses their photos.

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
        return tuple(
            self._query(path, line, text)
            for line, text in enumerate(_read(path).splitlines(), start=1)
            if text.strip()
        )

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
            image = self._file(where, picture).relative_to(self.root)
            text = self._file(where, description).read_text(encoding="utf-8", errors="replace")
            product = Product(
                id=name,
                title=name.replace("-", " "),
                description=text.strip(),
                category=_category(where, image.as_posix()),
                images=(image.as_posix(),),
                attributes={"class_id": number, "coarse": coarse},
            )
            yield line, _number(where, number), product

    def _query(self, path: Path, line: int, text: str) -> Query:
        where = f"{path}:{line}"
        fields = [field.strip() for field in text.split(",")]
        if len(fields) != 3:
            raise DatasetError(f"{where}: expected 'path, class ID, coarse class ID', got {text!r}")
        number = _number(where, fields[1])
        if number not in self._products:
            raise DatasetError(f"{where}: class ID {number} is not in classes.csv")
        product = self._products[number]
        return Query(
            picture=self._file(where, fields[0]),
            products=frozenset({product.id}),
            category=product.category[0],
        )

    def _file(self, where: str, name: str) -> Path:
        """Give a file of the data set by its path, which may begin with a slash."""
        relative = PurePosixPath(name.lstrip("/"))
        if ".." in relative.parts:
            raise DatasetError(f"{where}: the path {name!r} leaves the data set's folder")
        path = self.root / relative
        if not path.is_file():
            raise DatasetError(f"{where}: there is no file {path}; get the whole data set again")
        return path


def _category(where: str, image: str) -> tuple[str, str]:
    """Give a studio picture's folders below ``iconic-images-and-descriptions``."""
    folders = PurePosixPath(image).parts[1:3]
    if len(folders) < 2 or PurePosixPath(image).name in folders:
        raise DatasetError(
            f"{where}: expected a picture in a folder such as "
            f"iconic-images-and-descriptions/Fruit/Apple, got {image!r}"
        )
    return folders[0], folders[1]


def _number(where: str, text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > MOST_DIGITS:
        raise DatasetError(f"{where}: expected a class ID (a whole number), got {text[:40]!r}")
    return int(text)


def _rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Read the line number and the fields of each record of a CSV file."""
    reader = csv.reader(_read(path).splitlines())
    try:
        for row in reader:
            yield reader.line_num, row
    except csv.Error as error:
        raise DatasetError(f"{path}:{reader.line_num}: is no CSV: {error}") from error


def _read(path: Path) -> str:
    """Read one of the data set's lists; errors tell what the folder should hold."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise DatasetError(
            f"{path} is missing: expected the Grocery Store Dataset's folder, with classes.csv, "
            "train.txt, val.txt and test.txt"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(f"{path} cannot be read ({error}), expected UTF-8 text") from error
