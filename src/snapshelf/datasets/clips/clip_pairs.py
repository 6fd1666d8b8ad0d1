"""Clips of one's own, told by two tables: `ClipPairs`."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from snapshelf.catalog.product import Product
from snapshelf.datasets.clips.clip import Clip
from snapshelf.datasets.clips.clip_dataset import ClipItem
from snapshelf.datasets.clips.clip_rows import ClipRow, read_clip_rows
from snapshelf.datasets.clips.product_rows import read_product_rows
from snapshelf.datasets.clips.table_reading import TRAIN
from snapshelf.datasets.clips.video_reader import VideoReader, read_video
from snapshelf.datasets.clips.video_track import VideoTrack
from snapshelf.errors import DatasetError

__all__ = ["ClipPairs"]


@dataclass(frozen=True, slots=True)
class _Track:
    """Rows of one item in one video, by time."""

    product_id: str
    split: str
    clip: Clip


class ClipPairs:
    """Clips and products told by ``clips.csv`` and ``products.csv``.

    Each row of ``clips.csv`` tells where an item is at one time of a video; rows of the same video,
    product and track are one clip. A product is seen if a clip of the split train shows it.

    Args:
        root: The folder that holds both tables; paths in them are relative to it.
        read: Reads its videos.

    Raises:
        DatasetError: If a table is missing or malformed, names a file that is not there or a path
            that leaves the folder, a clip's product is not in ``products.csv``, or a video is in
            both splits. It names the file, the row and what was expected.
    """

    name = "clip-pairs"
    splits = ("test",)

    def __init__(self, root: Path, read: VideoReader = read_video) -> None:
        self.root = root
        self._products = read_product_rows(root)
        self._tracks = tuple(self._read_tracks(read))
        self._seen = {track.product_id for track in self._tracks if track.split == TRAIN}

    def products(self) -> Sequence[Product]:
        """Give every product, in the order of ``products.csv``."""
        return tuple(self._products.values())

    def clips(self, split: str) -> Sequence[Clip]:
        """Give the clips of the split test, in the order of their first rows.

        Raises:
            ValueError: If `split` is not "test".
        """
        if split not in self.splits:
            raise ValueError(f"split must be {self.splits[0]}, the only one, got {split!r}")
        return tuple(track.clip for track in self._tracks if track.split == split)

    def is_seen(self, product_id: str) -> bool:
        """Whether a clip of the split train shows a product.

        Raises:
            ValueError: If there is no such product.
        """
        if product_id not in self._products:
            raise ValueError(f"{product_id!r} is no product of the data set {self.name}")
        return product_id in self._seen

    def training_clips(self) -> Sequence[ClipItem]:
        """Give the seen products with their clips, in the order of ``products.csv``.

        Raises:
            DatasetError: If no clip is of the split train.
        """
        if not self._seen:
            raise DatasetError(
                f"{self.root / 'clips.csv'}: no row is of the split train, so there is nothing to "
                "train on: mark some in a column split"
            )
        clips: dict[str, list[Clip]] = {}
        for track in self._tracks:
            if track.split == TRAIN:
                clips.setdefault(track.product_id, []).append(track.clip)
        return tuple(
            ClipItem(
                product.id,
                _category(product),
                tuple((self.root / image, None) for image in product.images),
                tuple(clips[product.id]),
            )
            for product in self._products.values()
            if product.id in self._seen
        )

    def _read_tracks(self, read: VideoReader) -> list[_Track]:
        rows: dict[tuple[str, str, str], list[ClipRow]] = {}
        splits: dict[str, ClipRow] = {}
        for row in read_clip_rows(self.root):
            if row.product_id not in self._products:
                raise DatasetError(
                    f"{row.where}: product {row.product_id[:80]!r} is not in products.csv, "
                    "expected one that is"
                )
            first = splits.setdefault(row.video, row)
            if first.split != row.split:
                raise DatasetError(
                    f"{row.where}: {row.video[:80]} is of the split {row.split} here and of "
                    f"{first.split} in {first.where}, expected one: what is trained on is no query"
                )
            rows.setdefault((row.video, row.product_id, row.track), []).append(row)
        return [self._track(each, read) for each in rows.values()]

    def _track(self, rows: Sequence[ClipRow], read: VideoReader) -> _Track:
        ordered = sorted(rows, key=lambda row: row.time)
        for before, after in pairwise(ordered):
            if before.time == after.time:
                raise DatasetError(
                    f"{after.where}: time {after.time:g} is in {before.where} as well, expected "
                    "one row for each time of a clip; tell tracks apart in a column track"
                )
        row = ordered[0]
        name = f"{row.video}#{row.product_id}" + (f"#{row.track}" if row.track else "")
        product = self._products[row.product_id]
        opened = VideoTrack(self.root / row.video, tuple(ordered), read)
        clip = Clip(name, frozenset({row.product_id}), _category(product), opened)
        return _Track(row.product_id, row.split, clip)


def _category(product: Product) -> str:
    return product.category[0] if product.category else ""
