"""MovingFashion: clips of clothes from a shop's pages and from social media.

Godi, Joppi, Skenderi, Cristani: MovingFashion: a Benchmark for the Video-to-Shop Challenge, WACV
2022. The folder holds ``train.json`` and ``test.json``, which map each product's ID to its shop
picture, its videos and where these come from, and the folders ``imgs`` and ``videos``. This is
what the authors' code reads; there are no boxes, and no times within a video.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from snapshelf.catalog.product import Product
from snapshelf.datasets.clips.clip import Clip, ClipFrame
from snapshelf.datasets.clips.clip_dataset import ClipItem
from snapshelf.datasets.clips.video_reader import VideoReader, read_video
from snapshelf.datasets.published_files import inner_path, read_text
from snapshelf.errors import DatasetError

__all__ = ["MovingFashion"]

LAYOUT = "the MovingFashion folder, with train.json, test.json, imgs/ and videos/"

SOURCES = {0: "hard", 1: "regular"}
"""The published ``source``: videos from social media, and the shop's own."""


@dataclass(frozen=True, slots=True)
class _Entry:
    """What a list tells of a product; paths are relative to the folder."""

    picture: str
    videos: tuple[str, ...]
    category: str


@dataclass(frozen=True, slots=True)
class _Video:
    """Gives the frames of a video, whole: the data set has no boxes."""

    path: Path
    read: VideoReader

    def __call__(self) -> Iterator[ClipFrame]:
        return (ClipFrame(frame.picture, frame.time, None) for frame in self.read(self.path))


class MovingFashion:
    """MovingFashion in its published layout: `ClipDataset`, `ClipTrainingData` and `Incomplete`.

    The queries are the test videos; of one that several products list, all are right. The gallery
    are the shop pictures of both lists, 14 thousand, as in the paper. Videos and pictures that the
    lists name and that are not there are left out: the published archive lacks some.

    Args:
        root: The folder that holds ``train.json`` and ``test.json``.
        read: Reads its videos.

    Raises:
        DatasetError: If a list is missing or malformed, a path leaves the folder, or a product is
            in both lists.
    """

    name = "moving-fashion"
    splits = ("test",)

    def __init__(self, root: Path, read: VideoReader = read_video) -> None:
        self.root = root
        self._read = read
        self._train = _read_list(root / "train.json")
        self._test = _read_list(root / "test.json")
        both = sorted(self._train.keys() & self._test.keys())
        if both:
            raise DatasetError(
                f"{root / 'test.json'}: product {both[0]!r} is in train.json as well, expected one"
            )

    @cached_property
    def missing(self) -> int:
        """Number of videos and pictures that the lists name and that are not there."""
        listed = {
            path
            for entry in (*self._train.values(), *self._test.values())
            for path in (entry.picture, *entry.videos)
        }
        return sum(not (self.root / path).is_file() for path in listed)

    def products(self) -> Sequence[Product]:
        """Give the products of both lists whose picture is there, those of the test list first."""
        return tuple(
            Product(id=product_id, title=product_id, images=(entry.picture,))
            for product_id, entry in (*self._test.items(), *self._train.items())
            if self._is_there(entry.picture)
        )

    def clips(self, split: str) -> Sequence[Clip]:
        """Give the test videos that are there, in the order in which they are first listed.

        Raises:
            ValueError: If `split` is not "test".
        """
        if split not in self.splits:
            raise ValueError(f"split must be {self.splits[0]}, the only one, got {split!r}")
        right: dict[str, dict[str, _Entry]] = {}
        for product_id, entry in self._test.items():
            if self._is_there(entry.picture):
                for video in entry.videos:
                    right.setdefault(video, {})[product_id] = entry
        return tuple(
            self._clip(video, frozenset(entries), next(iter(entries.values())).category)
            for video, entries in right.items()
            if self._is_there(video)
        )

    def is_seen(self, product_id: str) -> bool:
        """Whether a product is in ``train.json``.

        Raises:
            ValueError: If there is no such product.
        """
        if product_id not in self._train and product_id not in self._test:
            raise ValueError(f"{product_id!r} is no product of the data set {self.name}")
        return product_id in self._train

    def training_clips(self) -> Sequence[ClipItem]:
        """Give the products of ``train.json`` of which the picture and a video are there.

        Raises:
            DatasetError: If there are none.
        """
        items = []
        for product_id, entry in self._train.items():
            videos = [video for video in entry.videos if self._is_there(video)]
            if videos and self._is_there(entry.picture):
                clips = tuple(
                    self._clip(video, frozenset({product_id}), entry.category) for video in videos
                )
                shop = ((self.root / entry.picture, None),)
                items.append(ClipItem(product_id, entry.category, shop, clips))
        if not items:
            raise DatasetError(
                f"{self.root / 'train.json'}: of no product the picture and a video are there; "
                f"expected {LAYOUT}"
            )
        return tuple(items)

    def _clip(self, video: str, products: frozenset[str], category: str) -> Clip:
        return Clip(video, products, category, _Video(self.root / video, self._read))

    def _is_there(self, path: str) -> bool:
        return (self.root / path).is_file()


def _read_list(path: Path) -> dict[str, _Entry]:
    """Read a list: product IDs, and what it tells of each."""
    try:
        listed = json.loads(read_text(path, LAYOUT), object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise DatasetError(f"{path}: is no JSON as published ({error})") from error
    if not isinstance(listed, dict) or not listed:
        raise DatasetError(
            f"{path}: expected an object with an entry for each product, got {_short(listed)}"
        )
    return {product_id: _entry(path, product_id, value) for product_id, value in listed.items()}


def _entry(path: Path, product_id: str, value: Any) -> _Entry:
    where = f"{path}: product {product_id[:80]!r}"
    if not product_id:
        raise DatasetError(f"{path}: expected a product ID, got an empty one")
    if not isinstance(value, Mapping):
        raise DatasetError(
            f"{where}: expected img_path, video_paths and source, got {_short(value)}"
        )
    picture, videos, source = (value.get(key) for key in ("img_path", "video_paths", "source"))
    if not isinstance(picture, str) or not picture:
        raise DatasetError(f"{where}: expected img_path to be a path, got {_short(picture)}")
    if not isinstance(videos, list) or not all(isinstance(one, str) and one for one in videos):
        raise DatasetError(f"{where}: expected video_paths to be paths, got {_short(videos)}")
    if not isinstance(source, int) or isinstance(source, bool) or source not in SOURCES:
        raise DatasetError(f"{where}: expected source to be 0 or 1, got {_short(source)}")
    paths = dict.fromkeys(inner_path(where, video) for video in videos)
    return _Entry(inner_path(where, picture), tuple(paths), SOURCES[source])


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse a key that is there twice, of which JSON would silently keep the last."""
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"{key[:80]!r} is there twice, expected once")
        found[key] = value
    return found


def _short(value: Any) -> str:
    return repr(value)[:80]
