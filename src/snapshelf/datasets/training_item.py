"""What training is made of: products with their pictures on both sides, and attributes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, runtime_checkable

from snapshelf.features.encoder import Domain
from snapshelf.locating.region import Box

__all__ = ["AttributeValue", "PicturePart", "TrainingData", "TrainingItem"]

AttributeValue = tuple[str, str]
"""An attribute's value as its tree has it: the level-1 group and the level-2 value below it,
such as ``("Fruit", "Apple")``. Where an attribute has no groups the two are the same."""

PicturePart = tuple[Path, Box | None]
"""A picture's file, and the part of it that shows the product; None for all of it."""


@dataclass(frozen=True, slots=True)
class TrainingItem:
    """One product and every picture of it that training may use.

    Attributes:
        product_id: Unique in its data set.
        street: Photos of the street side; may be empty.
        shop: Pictures of the shop side; may be empty, but not both.
        attributes: Values by the attribute's name. An attribute that is not known is left out.
        boxes: The part of a picture that shows the product, for pictures of `street` and `shop`
            of which the data set tells it. Any other picture shows the product as a whole.
    """

    product_id: str
    street: tuple[Path, ...]
    shop: tuple[Path, ...]
    attributes: Mapping[str, AttributeValue] = field(default_factory=dict)
    boxes: Mapping[Path, Box] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse an item without a picture.

        Raises:
            ValueError: If there is neither a street nor a shop picture.
        """
        if not self.street and not self.shop:
            raise ValueError(f"item {self.product_id!r} must have at least one picture, got none")

    def parts(self, domain: Domain) -> tuple[PicturePart, ...]:
        """Give the pictures of one side, each with the part of it that shows the product.

        Args:
            domain: The side; it may have none.
        """
        paths = self.street if domain is Domain.STREET else self.shop
        return tuple((path, self.boxes.get(path)) for path in paths)


@runtime_checkable
class TrainingData(Protocol):
    """A data set that can be trained on; most are a `Dataset` as well."""

    @property
    def name(self) -> str:
        """The name used in ``--data NAME:DIR``."""
        ...

    def training_items(self) -> Sequence[TrainingItem]:
        """Give the products of the training split, those that are *seen* only, in a fixed order.

        Raises:
            DatasetError: If the data set is not in its published layout.
        """
        ...
