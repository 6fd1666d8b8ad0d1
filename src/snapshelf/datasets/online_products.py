"""Stanford Online Products: the pictures of sellers' offers, searched with each other.

Song, Xiang, Jegelka, Savarese: Deep Metric Learning via Lifted Structured Feature Embedding,
CVPR 2016. ``Ebay_train.txt`` and ``Ebay_test.txt`` list image ID, class ID, super-class ID and a
path such as ``bicycle_final/111085122871_0.JPG``.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from snapshelf.catalog.product import Product
from snapshelf.datasets.dataset import Query
from snapshelf.datasets.published_files import find_picture, numbered_lines, whole_number
from snapshelf.datasets.training_item import TrainingItem
from snapshelf.errors import DatasetError

__all__ = ["OnlineProducts"]

LAYOUT = "the Stanford_Online_Products folder, with Ebay_train.txt and Ebay_test.txt"
HEADER = "image_id class_id super_class_id path"


@dataclass(slots=True)
class _Offer:
    category: str
    images: list[str] = field(default_factory=list)


class OnlineProducts:
    """Stanford Online Products in its published layout.

    A product is a class ID, its category the folder without ``_final``. The gallery is every
    picture of the test classes, and each of them is a query as well: the evaluation never compares
    a picture with itself, so it is searched among all the others, as published. A class of one
    picture has none to be found and gives no query.

    The published recall at K counts pictures, ours counts products, whose similarity is that of
    their best picture: equal for K = 1, and ours is not smaller for larger K.

    Args:
        root: The folder that holds ``Ebay_train.txt`` and ``Ebay_test.txt``.

    Raises:
        DatasetError: If a list is missing or malformed, names a picture that is not there or twice,
            or a class is in both lists.
    """

    name = "sop"
    splits = ("test",)

    def __init__(self, root: Path) -> None:
        self.root = root
        self._train = self._read("Ebay_train.txt")
        self._test = self._read("Ebay_test.txt")
        both = sorted(self._train.keys() & self._test.keys())
        if both:
            raise DatasetError(
                f"{root}: class {both[0]} is in Ebay_train.txt and in Ebay_test.txt, "
                "expected each in one of them"
            )

    def products(self) -> Sequence[Product]:
        """Give the gallery: the test classes with all their pictures, in the list's order."""
        return tuple(
            Product(
                id=class_id,
                title=offer.category.replace("_", " "),
                category=(offer.category,),
                images=tuple(offer.images),
            )
            for class_id, offer in self._test.items()
        )

    def queries(self, split: str) -> Sequence[Query]:
        """Give every test picture whose class has another one, in the list's order.

        Raises:
            ValueError: If `split` is not "test".
        """
        if split not in self.splits:
            raise ValueError(f"split must be {self.splits[0]}, the only one, got {split!r}")
        return tuple(
            Query(self.root / image, frozenset({class_id}), offer.category)
            for class_id, offer in self._test.items()
            if len(offer.images) > 1
            for image in offer.images
        )

    def is_seen(self, product_id: str) -> bool:
        """Whether a class is in the training list.

        Raises:
            ValueError: If there is no such class.
        """
        if product_id not in self._train and product_id not in self._test:
            raise ValueError(f"{product_id!r} is no product of the data set {self.name}")
        return product_id in self._train

    def training_items(self) -> Sequence[TrainingItem]:
        """Give the training classes; all pictures count as shop pictures.

        The attribute "kind" is the category; it has no groups.
        """
        return tuple(
            TrainingItem(
                product_id=class_id,
                street=(),
                shop=tuple(self.root / image for image in offer.images),
                attributes={"kind": (offer.category, offer.category)},
            )
            for class_id, offer in self._train.items()
        )

    def _read(self, name: str) -> dict[str, _Offer]:
        path = self.root / name
        lines = numbered_lines(path, LAYOUT)
        _, header = next(lines, ("", ""))
        if header.split() != HEADER.split():
            raise DatasetError(f"{path}:1: expected the header {HEADER!r}, got {header!r}")
        offers: dict[str, _Offer] = {}
        listed: set[str] = set()
        for where, text in lines:
            row = text.split(maxsplit=3)
            if len(row) != 4:
                raise DatasetError(f"{where}: expected {HEADER!r}, got {text!r}")
            class_id = str(whole_number(where, row[1], "a class ID"))
            image = find_picture(self.root, where, row[3])
            if image in listed:
                raise DatasetError(f"{where}: {image} is listed twice, expected once")
            listed.add(image)
            category = PurePosixPath(image).parts[0].removesuffix("_final")
            offers.setdefault(class_id, _Offer(category)).images.append(image)
        if not offers:
            raise DatasetError(f"{path} lists no picture, expected some")
        return offers
