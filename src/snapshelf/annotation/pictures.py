"""Which pictures to annotate: files, folders of files, and those that a feed names."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from snapshelf.catalog.entry import Entry, Problem
from snapshelf.catalog.image_reference import PICTURE_SUFFIXES
from snapshelf.media.clip_or_picture import is_clip
from snapshelf.media.picture_file import read_picture_file
from snapshelf.media.source import PictureSource

__all__ = ["PictureToAnnotate", "feed_pictures", "file_pictures", "is_picture"]


@dataclass(frozen=True, slots=True)
class PictureToAnnotate:
    """A picture, by what it is called and how it is read.

    Attributes:
        name: A file's path, or the image as a feed names it.
        product: ID of the product that the feed shows it for, "" for a plain file.
        read: Gives its bytes; raises `PictureError` where they cannot be had.
    """

    name: str
    product: str
    read: Callable[[], bytes]


def is_picture(path: Path) -> bool:
    """Whether a file's name is taken for a picture's.

    Example:
        >>> is_picture(Path("a/PHOTO.JPG")), is_picture(Path("feed.csv"))
        (True, False)
    """
    return path.name.lower().endswith(PICTURE_SUFFIXES)


def file_pictures(paths: Sequence[Path]) -> Iterator[PictureToAnnotate]:
    """Name picture files, and those in folders and below.

    Args:
        paths: Files, whatever their names, and folders.

    Yields:
        In the order given, a folder's by name; clips are left out, a GIF of many frames too.
    """
    for path in paths:
        below = sorted(each for each in path.rglob("*") if is_picture(each) and each.is_file())
        for file in below if path.is_dir() else [path]:
            if is_clip(file):
                continue
            yield PictureToAnnotate(str(file), "", partial(read_picture_file, file))


def feed_pictures(
    entries: Iterable[Entry | Problem],
    source: PictureSource,
    on_problem: Callable[[Problem], None],
) -> Iterator[PictureToAnnotate]:
    """Name the pictures of a feed's products.

    Args:
        entries: The feed; may raise a `FeedError` where it cannot be read on.
        source: Reads its pictures.
        on_problem: Called for what of the feed cannot be read.

    Yields:
        In the feed's order, each picture of a product once.
    """
    for entry in entries:
        if isinstance(entry, Problem):
            on_problem(entry)
            continue
        for image in dict.fromkeys(entry.product.images):
            yield PictureToAnnotate(image, entry.product.id, partial(source.read, image))
