"""The contracts of data sets of clips: to search with, and to train on."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

from snapshelf.catalog.product import Product
from snapshelf.datasets.clips.clip import Clip
from snapshelf.datasets.training_item import PicturePart

__all__ = ["ClipDataset", "ClipItem", "ClipTrainingData"]


@dataclass(frozen=True, slots=True)
class ClipItem:
    """One product, and every picture and clip of it that training may use.

    Attributes:
        product_id: Unique in its data set.
        category: As `Clip.category`: a model may be trained for one alone.
        shop: Its pictures on the shop side, at least one.
        clips: Its clips, at least one. It may be much longer than anybody iterates over: where
            clips are rendered, each number is another clip.
    """

    product_id: str
    category: str
    shop: tuple[PicturePart, ...]
    clips: Sequence[Clip]

    def __post_init__(self) -> None:
        """Refuse an item that lacks a side.

        Raises:
            ValueError: If there is no shop picture or no clip.
        """
        for side, found in (("shop picture", self.shop), ("clip", self.clips)):
            if not found:
                raise ValueError(f"item {self.product_id!r} must have at least one {side}")


@runtime_checkable
class ClipDataset(Protocol):
    """Products with gallery pictures, and clips with the right answers: `Dataset` for clips."""

    @property
    def name(self) -> str:
        """The name used in ``NAME:DIR``."""
        ...

    @property
    def root(self) -> Path:
        """The folder that the products' image paths are relative to."""
        ...

    @property
    def splits(self) -> tuple[str, ...]:
        """Names of the splits that have clips to search with; nothing in them is trained on."""
        ...

    def products(self) -> Sequence[Product]:
        """The gallery: every product, its images relative to `root`."""
        ...

    def clips(self, split: str) -> Sequence[Clip]:
        """The clips of one split, in a fixed order.

        Raises:
            ValueError: If there is no such split.
            DatasetError: If the data set is not in its published layout.
        """
        ...

    def is_seen(self, product_id: str) -> bool:
        """Whether training may use clips of this product.

        Raises:
            ValueError: If there is no such product.
        """
        ...


@runtime_checkable
class ClipTrainingData(Protocol):
    """A data set of clips that can be trained on; most are a `ClipDataset` as well."""

    @property
    def name(self) -> str:
        """The name used in ``NAME:DIR``."""
        ...

    def training_clips(self) -> Sequence[ClipItem]:
        """Give the *seen* products with their training clips, in a fixed order.

        Raises:
            DatasetError: If the data set is not in its published layout, or has no such product.
        """
        ...
