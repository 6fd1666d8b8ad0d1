"""`TrainingSet`: the items of all data sets, and every picture of theirs by number."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

from snapshelf.datasets.training_item import TrainingData, TrainingItem
from snapshelf.features.encoder import Domain
from snapshelf.training.picture_store import WantedPicture
from snapshelf.training.training_error import TrainingError

__all__ = ["ItemPictures", "TrainingSet"]


@dataclass(frozen=True, slots=True)
class ItemPictures:
    """The numbers of one item's pictures.

    Attributes:
        street: Of the street side; may be empty.
        shop: Of the shop side; may be empty, but not both.
    """

    street: tuple[int, ...]
    shop: tuple[int, ...]

    def of(self, side: str) -> tuple[int, ...]:
        """Give the pictures to take for a side: the other's where there are none of it.

        Args:
            side: ``street``, ``shop`` or ``any``.

        Returns:
            At least one number.
        """
        if side == "any":
            return self.street + self.shop
        return (self.street or self.shop) if side == "street" else (self.shop or self.street)


@dataclass(frozen=True, slots=True)
class TrainingSet:
    """What is trained on. Use `collect`.

    Attributes:
        names: The data sets' names.
        items: The items of all data sets, one data set after the other.
        sources: For each item the number of its data set.
        pictures: For each item its pictures.
        wanted: Every picture, by number.
        domains: The side that each picture comes from.
    """

    names: tuple[str, ...]
    items: tuple[TrainingItem, ...]
    sources: tuple[int, ...]
    pictures: tuple[ItemPictures, ...]
    wanted: tuple[WantedPicture, ...]
    domains: tuple[Domain, ...]

    @classmethod
    def collect(cls, data: Sequence[TrainingData], *, mattes: bool) -> Self:
        """Number the items and pictures of the data sets.

        Args:
            data: The data sets, each of another name.
            mattes: Whether mattes will be needed: of shop pictures, and of all pictures of items
                that have none of the shop side.

        Raises:
            DatasetError: If a data set is not in its published layout.
            TrainingError: If two data sets have the same name, one has no item to train on, or
                there are fewer than two items in all.
        """
        names = tuple(one.name for one in data)
        if len(set(names)) < len(names):
            raise TrainingError(f"each data set may be given once, got {', '.join(names)}")
        items: list[TrainingItem] = []
        sources: list[int] = []
        for number, one in enumerate(data):
            found = one.training_items()
            if not found:
                raise TrainingError(
                    f"the data set {one.name} has no item to train on: none of its products is "
                    "seen, or its training split is empty"
                )
            items.extend(found)
            sources.extend([number] * len(found))
        if len(items) < 2:
            raise TrainingError(
                f"a negative is another product: at least two products are needed, got {len(items)}"
            )
        wanted: list[WantedPicture] = []
        domains: list[Domain] = []
        pictures: list[ItemPictures] = []
        for item in items:
            numbers: dict[Domain, tuple[int, ...]] = {}
            for domain in (Domain.STREET, Domain.SHOP):
                parts = item.parts(domain)
                matte = mattes and (domain is Domain.SHOP or not item.shop)
                numbers[domain] = tuple(range(len(wanted), len(wanted) + len(parts)))
                wanted.extend(WantedPicture(path, box, matte) for path, box in parts)
                domains.extend([domain] * len(parts))
            pictures.append(ItemPictures(numbers[Domain.STREET], numbers[Domain.SHOP]))
        return cls(
            names, tuple(items), tuple(sources), tuple(pictures), tuple(wanted), tuple(domains)
        )

    @property
    def digest(self) -> str:
        """Hex digest of the products and of the pictures' names, wherever their folder is."""
        digest = hashlib.blake2b(digest_size=16)
        for item, source in zip(self.items, self.sources, strict=True):
            files = [path.name for path in (*item.street, *item.shop)]
            digest.update(repr((self.names[source], item.product_id, files)).encode())
        return digest.hexdigest()

    def notes(self) -> list[dict[str, Any]]:
        """Say for each data set how many items and pictures there are, as JSON can hold it."""
        rows = []
        for number, name in enumerate(self.names):
            own = [
                pictures
                for pictures, source in zip(self.pictures, self.sources, strict=True)
                if source == number
            ]
            rows.append(
                {
                    "name": name,
                    "items": len(own),
                    "street_pictures": sum(len(each.street) for each in own),
                    "shop_pictures": sum(len(each.shop) for each in own),
                }
            )
        return rows
