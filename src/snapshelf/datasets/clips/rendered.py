"""`RenderedClipData`: a data set of photos as one of clips."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path

from snapshelf.catalog.product import Product
from snapshelf.datasets.clips.clip import Clip
from snapshelf.datasets.clips.clip_dataset import ClipItem
from snapshelf.datasets.clips.rendered_clips import Filming, RenderedClips
from snapshelf.datasets.dataset import Dataset, ItemQueries, Query
from snapshelf.datasets.training_item import PicturePart, TrainingData, TrainingItem
from snapshelf.errors import DatasetError
from snapshelf.features.encoder import Domain

__all__ = ["RenderedClipData"]

TRAIN = "train"
"""Its photos are what training clips are made of; so it has no clips to search with."""

KINDS = ("kind", "garment")
"""Attributes whose groups are what `Query.category` is, of products that the gallery lacks."""

MANY = 1 << 20
"""Training clips of each product: as good as endless, and none is made before it is asked for."""


class RenderedClipData:
    """Clips rendered from a data set of photos: `ClipDataset` and `ClipTrainingData`.

    The clips of a split are made of its queries' photos alone, one clip for each, which it begins
    with; it cuts to other photos of the split that show the same products. Training clips are made
    of the training items' street photos alone, so of seen products only. Items without a street
    photo or without a shop picture are left out.

    Where the data set's queries are photos of several items (`ItemQueries`), each item has clips of
    its own. Where a photo has a box, the clip frames that.

    Args:
        photos: The data set; it is a `TrainingData` as well where there is to be training.
        filming: How clips are rendered; None for the default.
        training_clips: How many of each product training may ask for, at least 1.

    Raises:
        ValueError: If `training_clips` is below 1.
    """

    def __init__(
        self, photos: Dataset, filming: Filming | None = None, training_clips: int = MANY
    ) -> None:
        if training_clips < 1:
            raise ValueError(f"training_clips must be at least 1, got {training_clips}")
        self._photos = photos
        self._filming = filming or Filming()
        self._training_clips = training_clips

    @property
    def name(self) -> str:
        """``clips:NAME``, with the name of the data set of photos."""
        return f"clips:{self._photos.name}"

    @property
    def root(self) -> Path:
        """As the data set of photos has it."""
        return self._photos.root

    @property
    def splits(self) -> tuple[str, ...]:
        """Those of the data set of photos, but for the one that is trained on."""
        return tuple(split for split in self._photos.splits if split != TRAIN)

    def products(self) -> Sequence[Product]:
        """Give the gallery of the data set of photos.

        Raises:
            DatasetError: As the data set of photos.
        """
        return self._photos.products()

    def clips(self, split: str) -> Sequence[Clip]:
        """Give a clip for each query of a split, or for each item in them.

        Returns:
            In the order of the queries; a clip's number counts the photos of its products.

        Raises:
            ValueError: If there is no such split.
            DatasetError: As the data set of photos.
        """
        if split not in self.splits:
            raise ValueError(f"split must be one of {', '.join(self.splits)}, got {split!r}")
        queries = self._queries(split)
        shown: dict[frozenset[str], list[PicturePart]] = {}
        numbers = []
        for query in queries:
            photos = shown.setdefault(query.products, [])
            numbers.append(len(photos))
            photos.append((query.picture, query.box))
        clips = {
            query.products: RenderedClips(
                query.products,
                query.category,
                shown[query.products],
                len(shown[query.products]),
                self._filming,
            )
            for query in queries
        }
        return tuple(
            clips[query.products][number] for query, number in zip(queries, numbers, strict=True)
        )

    def is_seen(self, product_id: str) -> bool:
        """Whether training may use clips of a product.

        Raises:
            ValueError: As the data set of photos.
        """
        return self._photos.is_seen(product_id)

    def training_clips(self) -> Sequence[ClipItem]:
        """Give the seen products that have pictures of both sides, in the data set's order.

        Raises:
            DatasetError: If the data set has no training pictures, or none of them in the street.
        """
        if not isinstance(self._photos, TrainingData):
            raise DatasetError(
                f"the data set {self._photos.name} has no training pictures, so no clips can be "
                "rendered to train on: take another one"
            )
        items = tuple(
            ClipItem(
                item.product_id,
                category,
                item.parts(Domain.SHOP),
                RenderedClips(
                    frozenset({item.product_id}),
                    category,
                    item.parts(Domain.STREET),
                    self._training_clips,
                    self._filming,
                ),
            )
            for item in self._photos.training_items()
            if item.street and item.shop
            for category in (self._category(item),)
        )
        if not items:
            raise DatasetError(
                f"no product of the data set {self._photos.name} has a street photo and a shop "
                "picture to train on, so no clips can be rendered: take another one"
            )
        return items

    def _queries(self, split: str) -> Sequence[Query]:
        if isinstance(self._photos, ItemQueries):
            return self._photos.item_queries(split)
        return self._photos.queries(split)

    def _category(self, item: TrainingItem) -> str:
        """Give the widest category of a product, as the gallery or its attributes tell it."""
        if item.product_id in self._categories:
            return self._categories[item.product_id]
        return next((item.attributes[name][0] for name in KINDS if name in item.attributes), "")

    @cached_property
    def _categories(self) -> Mapping[str, str]:
        return {product.id: product.category[0] for product in self.products() if product.category}
