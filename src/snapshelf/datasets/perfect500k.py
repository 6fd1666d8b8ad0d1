"""Perfect-500K: photos of beauty products, and half a million shop pictures to find them in.

Perfect Corp. Challenge: Half Million Beauty Product Image Recognition ("AI Meets Beauty"), ACM
Multimedia 2018 to 2020; searched in Tang, Huang, Fuh: Cross-Domain Beauty and Personal Care Product
Retrieval, Section 4.1. No description of the files was found. What is known of them, and from
which public code of those who took part (all on GitHub):

- The gallery was published as a list of addresses: CSV with a header, the image ID first. 2018 it
  was ``metadata_public.csv`` with the address second (bhavyagoyal/aimeetsbeauty), some 520,000 IDs
  such as ``n0001_0003632``, where 0001 is one of eight classes. 2020 it was ``training_public.csv``
  with titles (FangxiangFeng/AI-Meets-Beauty-2020), some 540,000 IDs such as ``n0292431``. What the
  other columns are, and in which order, is not known for sure: only the ID is read.
- The answers are ``val.csv`` of 2018 (whole in wangqi12332155/ACMMM-beauty-AI-challenge) and
  ``val_2020.csv`` (whole in FangxiangFeng's): the header ``Validation Image ID,Training Image ID``,
  then for each of 100 queries its ID and those of the one to six right gallery pictures. The
  photos are beside the list, ``val_2020/v000101.jpg`` and so on. ``val_2019.csv`` and ``val_2019/``
  are known by name only (cvte-research-datamining/AIMeetsBeautyChallenge) and taken to be alike.
- The gallery's pictures are named by their ID. Several call their folder ``PF-500K``; one has a
  folder for each class (wangqi12332155's).
- What is submitted is a line for each query: its ID and seven gallery IDs, best first
  (challenge2019.perfectcorp.com). The answers for the test pictures were not found.
"""

import csv
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import overload

from snapshelf.catalog.product import Product
from snapshelf.datasets.dataset import Query
from snapshelf.errors import DatasetError

__all__ = ["Perfect500K"]

LAYOUT = "the Perfect-500K folder, with training_public.csv, PF-500K/ and val_2019.csv"
GALLERY_LISTS = ("training_public.csv", "metadata_public.csv")
QUERY_LISTS = (
    "val_2019.csv",
    "val_2020.csv",
    "val.csv",
    "Challenge_validation_set_2020/val_2020.csv",
)
FOLDERS = ("PF-500K", "perfect500", "data", "train")
SUFFIXES = frozenset({".gif", ".jpeg", ".jpg", ".png", ".webp"})

HEADER = re.compile(r"[A-Za-z][A-Za-z _]*")
IMAGE_ID = re.compile(r"[A-Za-z]?[0-9]+(_[0-9]+)*")
LONGEST_ID = 64

_Place = tuple[str, str]
"""What a picture's path, relative to the root, has before and behind its ID."""


class Perfect500K:
    """Perfect-500K in its published layout, as far as that is known.

    As in the challenge, each gallery picture is a product of its own, and a query has one or more
    right ones. The 100 published queries are the split "test", as the paper above calls them; the
    challenge calls them validation pictures. There is nothing to train on: no product is seen.

    Many of the published addresses are dead, so gallery pictures that are not there (or are empty
    files, as failed downloads leave) are left out, and the queries that this leaves without a
    right picture; `missing` counts the pictures. mAP@7 counts the right pictures that are there.
    Figures on what is left are comparable among systems, and not with published ones unless
    `missing` is small.

    Args:
        root: The folder that holds the gallery's list, its pictures, one list of answers and,
            beside that, the folder of its photos, of the same name without ``.csv``.

    Raises:
        DatasetError: If a list is missing, there twice or malformed, a query's photo is not there,
            or no gallery picture or no query is left.
    """

    name = "perfect500k"
    splits = ("test",)

    def __init__(self, root: Path) -> None:
        self.root = root
        gallery_list, query_list = _only(root, GALLERY_LISTS), _only(root, QUERY_LISTS)
        folder = next((name for name in FOLDERS if (root / name).is_dir()), FOLDERS[0])
        self._missing: set[str] = set()
        self._places = self._read_gallery(gallery_list, _pictures(root, folder))
        if not self._places:
            raise DatasetError(
                f"{root / folder} holds none of the pictures that {root / gallery_list} lists: "
                f"download them first, each as {folder}/ID.jpg"
            )
        self._queries = tuple(self._read_queries(query_list))
        if not self._queries:
            raise DatasetError(
                f"{root / folder} holds no right picture of any query of {root / query_list}: "
                "expected some, and both lists of the same year"
            )

    @property
    def missing(self) -> int:
        """Number of gallery pictures that the lists name and that are not there."""
        return len(self._missing)

    def products(self) -> Sequence[Product]:
        """Give the gallery: a product for each picture that is there, in the list's order."""
        return _Gallery(self._places)

    def queries(self, split: str) -> Sequence[Query]:
        """Give the queries that have a right picture, in the list's order; all of one category.

        Raises:
            ValueError: If `split` is not "test".
        """
        if split not in self.splits:
            raise ValueError(f"split must be {self.splits[0]}, the only one, got {split!r}")
        return self._queries

    def is_seen(self, product_id: str) -> bool:
        """Whether training may use a picture: never, all are searched.

        Raises:
            ValueError: If there is no such picture.
        """
        if product_id not in self._places:
            raise ValueError(f"{product_id!r} is no product of the data set {self.name}")
        return False

    def _read_gallery(self, name: str, there: dict[str, _Place]) -> Mapping[str, _Place]:
        """Read the gallery's list: the places of those of its pictures that are there."""
        places: dict[str, _Place] = {}
        for where, row in _rows(self.root / name):
            image_id = _image_id(where, row[0])
            if image_id in places or image_id in self._missing:
                raise DatasetError(f"{where}: {image_id} is listed twice, expected once")
            place = there.pop(image_id, None)
            if place is None:
                self._missing.add(image_id)
            else:
                places[image_id] = place
        if not places and not self._missing:
            raise DatasetError(f"{self.root / name} lists no picture, expected some")
        return places

    def _read_queries(self, name: str) -> Iterator[Query]:
        folder = str(PurePosixPath(name).with_suffix(""))
        photos = _pictures(self.root, folder)
        listed: set[str] = set()
        for where, row in _rows(self.root / name):
            query_id, *right = (_image_id(where, field) for field in row if field.strip())
            if not right:
                raise DatasetError(
                    f"{where}: expected the IDs of a query and of its right pictures, "
                    f"got {query_id!r}"
                )
            if query_id in listed:
                raise DatasetError(f"{where}: {query_id} is listed twice, expected once")
            listed.add(query_id)
            if query_id not in photos:
                raise DatasetError(
                    f"{where}: there is no picture {self.root / folder / query_id}.jpg; "
                    "get the whole data set again"
                )
            products = frozenset(image_id for image_id in right if image_id in self._places)
            self._missing.update(frozenset(right) - products)
            if products:
                photo = self.root / _path(query_id, photos[query_id])
                yield Query(photo, products, "beauty")
        if not listed:
            raise DatasetError(f"{self.root / name} lists no query, expected some")


class _Gallery(Sequence[Product]):
    """Products that are made when they are asked for: all at once would take 200 MB."""

    def __init__(self, places: Mapping[str, _Place]) -> None:
        self._places = places
        self._ids = tuple(places)

    def __len__(self) -> int:
        return len(self._ids)

    @overload
    def __getitem__(self, number: int) -> Product: ...

    @overload
    def __getitem__(self, number: slice) -> Sequence[Product]: ...

    def __getitem__(self, number: int | slice) -> Product | Sequence[Product]:
        if isinstance(number, slice):
            return tuple(self[one] for one in range(len(self))[number])
        image_id = self._ids[number]
        path = _path(image_id, self._places[image_id])
        return Product(id=image_id, title=image_id, images=(path,))


def _path(image_id: str, place: _Place) -> str:
    before, behind = place
    return f"{before}{image_id}{behind}"


def _only(root: Path, names: Sequence[str]) -> str:
    """Give the one of these files that is there."""
    found = [name for name in names if (root / name).is_file()]
    if not found:
        others = ", ".join(names[1:])
        raise DatasetError(f"{root / names[0]} (or {others}) is missing: expected {LAYOUT}")
    if len(found) > 1:
        raise DatasetError(
            f"{root} holds {found[0]} and {found[1]}, expected one of them: keep that of the year "
            "to be measured"
        )
    return found[0]


def _rows(path: Path) -> Iterator[tuple[str, list[str]]]:
    """Read the rows of a list line by line, and say where each is; a header is left out."""
    try:
        # Titles came in several encodings; an ID that is damaged is found out as no ID.
        with path.open(encoding="utf-8-sig", errors="replace") as lines:
            reader = csv.reader(lines)
            rows = (row for row in reader if any(row))
            for number, row in enumerate(rows):
                if number > 0 or not HEADER.fullmatch(row[0].strip()):
                    yield f"{path}:{reader.line_num}", row
    except OSError as error:
        raise DatasetError(f"{path} cannot be read ({error})") from error
    except csv.Error as error:
        raise DatasetError(f"{path}:{reader.line_num}: is no CSV: {error}") from error


def _image_id(where: str, text: str) -> str:
    image_id = text.strip()
    if len(image_id) > LONGEST_ID or not IMAGE_ID.fullmatch(image_id):
        raise DatasetError(f"{where}: expected an image ID such as n0292431, got {image_id[:40]!r}")
    return image_id


def _pictures(root: Path, folder: str) -> dict[str, _Place]:
    """Find the pictures in a folder, and in the folders in it, by their ID."""
    pictures: dict[str, _Place] = {}
    for inner in _add_pictures(root, folder, pictures):
        _add_pictures(root, f"{folder}/{inner}", pictures)
    return pictures


def _add_pictures(root: Path, folder: str, pictures: dict[str, _Place]) -> list[str]:
    """Add the pictures of one folder, and give the folders in it."""
    places: dict[str, _Place] = {}  # one for each suffix: half a million share them
    inner: list[str] = []
    try:
        with os.scandir(root / folder) as entries:
            for entry in entries:
                stem, suffix = os.path.splitext(entry.name)
                if suffix.lower() in SUFFIXES:
                    place = places.setdefault(suffix, (f"{folder}/", suffix))
                    if _is_filled(entry):
                        pictures[stem] = min(place, pictures.get(stem, place))
                elif entry.is_dir():
                    inner.append(entry.name)
    except OSError as error:
        raise DatasetError(
            f"{root / folder} cannot be read ({error}): expected {LAYOUT}"
        ) from error
    return inner


def _is_filled(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_file() and entry.stat().st_size > 0
    except OSError:  # a link that leads nowhere
        return False
