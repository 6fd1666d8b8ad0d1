"""The `Dataset` contract: products with gallery pictures, and queries with the right answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

from snapshelf.catalog.product import Product
from snapshelf.locating.region import Box

__all__ = ["Dataset", "Incomplete", "ItemQueries", "Query"]


@dataclass(frozen=True, slots=True)
class Query:
    """A picture to search with, and what must be found.

    Attributes:
        picture: The picture's file.
        products: IDs of the right products; at least one.
        category: What per-category figures are grouped by.
        box: The part of the picture that is searched with, where the data set says which of
            several items is meant. None: the whole picture.
    """

    picture: Path
    products: frozenset[str]
    category: str
    box: Box | None = None


@runtime_checkable
class Dataset(Protocol):
    """A public data set, read in its published layout. Adding one means writing this class.

    A query's picture may be one of the gallery's images as well, where the published protocol
    searches each picture among all the others: the evaluation never compares a file with itself.
    """

    @property
    def name(self) -> str:
        """The name used in ``--data NAME:DIR``."""
        ...

    @property
    def root(self) -> Path:
        """The folder that the products' image paths are relative to."""
        ...

    @property
    def splits(self) -> tuple[str, ...]:
        """Names of the query splits, such as ``("train", "val", "test")``."""
        ...

    def products(self) -> Sequence[Product]:
        """The gallery: every product, its images relative to `root`."""
        ...

    def queries(self, split: str) -> Sequence[Query]:
        """The queries of one split, in a fixed order.

        Raises:
            ValueError: If there is no such split.
        """
        ...

    def is_seen(self, product_id: str) -> bool:
        """Whether training may use pictures of this product."""
        ...


@runtime_checkable
class Incomplete(Protocol):
    """A data set that leaves out pictures: they were published as addresses, and some are dead."""

    @property
    def missing(self) -> int:
        """Number of pictures that the data set's lists name and that are not there."""
        ...


@runtime_checkable
class ItemQueries(Protocol):
    """A data set whose queries show several products each, and that tells where in the photo."""

    def item_queries(self, split: str) -> Sequence[Query]:
        """The items of one split's photos: each its photo, its box in it, and its own product.

        Raises:
            ValueError: If there is no such split.
            DatasetError: If the data set is not in its published layout.
        """
        ...
