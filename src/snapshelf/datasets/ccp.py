"""Clothing Co-Parsing as a shop: garments cut out of street-fashion photos, and the photos."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from functools import cached_property
from pathlib import Path

from platformdirs import user_cache_path

from snapshelf.catalog.product import Product
from snapshelf.datasets.boxed_photo import BoxedPhoto
from snapshelf.datasets.ccp_files import CoParsingFiles
from snapshelf.datasets.dataset import Query
from snapshelf.datasets.garment_areas import GarmentArea, GarmentRules, garment_areas
from snapshelf.datasets.garment_shop import CutGarment, cut_garments
from snapshelf.datasets.training_item import TrainingItem
from snapshelf.locating.region import Region

__all__ = ["ClothingCoParsing"]

VERSION = 1
"""Raised whenever the same label map would give other garments or pictures."""


class ClothingCoParsing:
    """Clothing Co-Parsing: `Dataset`, `ItemQueries`, `TrainingData` and `BoxedData`.

    Each garment of a label map is a product. Its shop picture is the garment cut out on white and
    changed mildly (see `garment_picture`), and the photo that it is worn in is the query that must
    find it, with all that is worn beside it. The photos with a label map are split by their number:
    those that 3 divides are the test split, of the others those of which 9 leaves 1 the val split,
    and all others the train split, on which alone training learns.

    The gallery holds the garments of the val and the test split.

    Shop pictures are drawn when they are first needed, and kept in the user's cache folder.

    Args:
        root: The folder that holds ``photos``.
        rules: What one garment is; None for the default.
        cache: Where shop pictures are kept; None for the user's cache folder.
    """

    name = "ccp"
    splits = ("val", "test")

    def __init__(
        self, root: Path, rules: GarmentRules | None = None, cache: Path | None = None
    ) -> None:
        self._files = CoParsingFiles(root)
        self._rules = rules or GarmentRules()
        self._cache = cache or user_cache_path("snapshelf", appauthor=False) / "ccp"
        self._cut: dict[str, tuple[CutGarment, ...]] = {}

    @cached_property
    def root(self) -> Path:
        """The folder of the shop pictures: another one for other photos, label maps and rules."""
        photos = self._files.photos()
        files = [*photos, *(self._files.map_file(photo) for photo in photos)]
        identity = {
            "version": VERSION,
            "files": [(file.name, file.stat().st_size) for file in files if file.is_file()],
            "merged": sorted(self._rules.merged),
            "rules": {k: v for k, v in asdict(self._rules).items() if k != "merged"},
        }
        digest = hashlib.blake2b(json.dumps(identity).encode(), digest_size=12)
        return self._cache / digest.hexdigest()

    def products(self) -> Sequence[Product]:
        """Give the garments of the val and the test split.

        Raises:
            DatasetError: If a file or folder is missing or damaged, or the shop pictures cannot
                be kept.
            ModelError: If scipy, which reads the label maps, is not installed.
        """
        return tuple(
            Product(
                id=garment.product_id,
                title=garment.attributes["garment"][1],
                category=garment.attributes["garment"],
                images=(garment.picture,),
            )
            for split in self.splits
            for garment in self._garments_of(split)
        )

    def queries(self, split: str) -> Sequence[Query]:
        """Give the photos of a split that show a garment; of the category of the largest.

        Args:
            split: "val" or "test".

        Raises:
            ValueError: If there is no such split.
            DatasetError: As `products`.
            ModelError: As `products`.
        """
        self._check_split(split)
        worn: dict[str, list[CutGarment]] = {}
        for garment in self._garments_of(split):
            worn.setdefault(garment.photo, []).append(garment)
        return tuple(
            Query(
                self._files.photo(photo),
                frozenset(garment.product_id for garment in garments),
                max(garments, key=lambda garment: garment.pixels).attributes["garment"][0],
            )
            for photo, garments in worn.items()
        )

    def item_queries(self, split: str) -> Sequence[Query]:
        """Give the garments of a split, each with its box in the photo that it is worn in.

        Args:
            split: "val" or "test".

        Raises:
            ValueError: If there is no such split.
            DatasetError: As `products`.
            ModelError: As `products`.
        """
        self._check_split(split)
        return tuple(
            Query(
                self._files.photo(garment.photo),
                frozenset({garment.product_id}),
                garment.attributes["garment"][0],
                garment.box,
            )
            for garment in self._garments_of(split)
        )

    def is_seen(self, product_id: str) -> bool:  # noqa: ARG002
        """No garment of the gallery is trained on."""
        return False

    def training_items(self) -> Sequence[TrainingItem]:
        """Give the garments of the train split, each with its box in the photo.

        Raises:
            DatasetError: As `products`.
            ModelError: As `products`.
        """
        items = []
        for garment in self._garments_of("train"):
            photo = self._files.photo(garment.photo)
            items.append(
                TrainingItem(
                    garment.product_id,
                    (photo,),
                    (self.root / garment.picture,),
                    garment.attributes,
                    {photo: garment.box},
                )
            )
        return tuple(items)

    def boxed_photos(self, split: str) -> Sequence[BoxedPhoto]:
        """Give the photos of a split with a region for each garment, labelled with its name.

        Args:
            split: "train", "val" or "test".

        Raises:
            ValueError: If there is no such split.
            DatasetError: If a file or folder is missing or damaged.
            ModelError: As `products`.
        """
        return tuple(
            BoxedPhoto(photo, tuple(Region(area.box, area.value[1]) for area in areas))
            for photo, areas in self._areas(split)
        )

    def _areas(self, split: str) -> Iterator[tuple[Path, tuple[GarmentArea, ...]]]:
        """Yield each photo of a split with its garments, their boxes and pixels."""
        values = self._files.garments()
        for photo in self._files.labelled(split):
            labels = self._files.label_map(photo, len(values))
            yield photo, garment_areas(labels, values, self._rules)

    def _check_split(self, split: str) -> None:
        if split not in self.splits:
            raise ValueError(f"split must be one of {', '.join(self.splits)}, got {split!r}")

    def _garments_of(self, split: str) -> tuple[CutGarment, ...]:
        if split not in self._cut:
            self._cut[split] = cut_garments(self._areas(split), self.root, split)
        return self._cut[split]
