"""`ClipTrainingSet`: the clips and shop pictures of data sets, numbered."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

from snapshelf.datasets.clips.clip import Clip
from snapshelf.datasets.clips.clip_dataset import ClipItem, ClipTrainingData
from snapshelf.datasets.training_item import PicturePart
from snapshelf.training.training_error import TrainingError

__all__ = ["ClipTrainingSet"]


@dataclass(frozen=True, slots=True)
class ClipTrainingSet:
    """What a training on clips goes through; products are numbers, whatever their data set.

    Attributes:
        names: Of the data sets.
        items: All products, one data set after the other.
        sources: The number of each product's data set.
        clips: Every product's first clip, then every product's second, and so on, so that more
            clips of each leave those before them where they are.
        owners: Of each clip, the number of its product.
        pictures: All shop pictures.
        shown: Of each shop picture, the number of its product.
    """

    names: tuple[str, ...]
    items: tuple[ClipItem, ...]
    sources: tuple[int, ...]
    clips: tuple[Clip, ...]
    owners: tuple[int, ...]
    pictures: tuple[PicturePart, ...]
    shown: tuple[int, ...]

    @classmethod
    def collect(cls, data: Sequence[ClipTrainingData], *, clips: int) -> Self:
        """Number the clips and pictures of data sets.

        Args:
            data: Each of another name.
            clips: Of each product at most, at least 1.

        Raises:
            DatasetError: If a data set is not in its published layout.
            TrainingError: If two data sets have the same name, or there are fewer than two products
                in all.
        """
        names = tuple(one.name for one in data)
        if len(set(names)) < len(names):
            raise TrainingError(f"each data set may be given once, got {', '.join(names)}")
        items = [(item, n) for n, one in enumerate(data) for item in one.training_clips()]
        if len(items) < 2:
            raise TrainingError(
                f"a wrong picture is another product's: at least two are needed, got {len(items)}"
            )
        most = min(clips, max(len(item.clips) for item, _ in items))
        taken = [
            (item.clips[turn], owner)
            for turn in range(most)
            for owner, (item, _) in enumerate(items)
            if turn < len(item.clips)
        ]
        shop = [(part, owner) for owner, (item, _) in enumerate(items) for part in item.shop]
        return cls(
            names,
            tuple(item for item, _ in items),
            tuple(source for _, source in items),
            tuple(clip for clip, _ in taken),
            tuple(owner for _, owner in taken),
            tuple(part for part, _ in shop),
            tuple(owner for _, owner in shop),
        )

    @property
    def categories(self) -> dict[int, str]:
        """The category of each product."""
        return {number: item.category for number, item in enumerate(self.items)}

    @property
    def digest(self) -> str:
        """Hex digest of the products, the clips and the names of the pictures."""
        seen = hashlib.blake2b(digest_size=16)
        for item, source in zip(self.items, self.sources, strict=True):
            files = [path.name for path, _ in item.shop]
            told = (self.names[source], item.product_id, item.category, files)
            seen.update(repr(told).encode())
        seen.update(repr([clip.id for clip in self.clips]).encode())
        return seen.hexdigest()

    def notes(self) -> list[dict[str, Any]]:
        """Say for each data set how much there is, as JSON can hold it."""
        return [
            {
                "name": name,
                "items": self.sources.count(number),
                "clips": sum(self.sources[owner] == number for owner in self.owners),
                "shop_pictures": sum(self.sources[owner] == number for owner in self.shown),
            }
            for number, name in enumerate(self.names)
        ]
