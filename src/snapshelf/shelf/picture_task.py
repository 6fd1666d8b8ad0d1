"""The work that an update has with one picture, and when there is none."""

from collections.abc import Sequence
from dataclasses import dataclass

from snapshelf.catalog.entry import Entry
from snapshelf.catalog.product import Product
from snapshelf.errors import PictureError
from snapshelf.media.source import PictureSource
from snapshelf.store.records import KnownPicture, KnownProduct, PictureRecord
from snapshelf.store.rows import product_digest

__all__ = ["UNREADABLE", "PictureTask", "costs_nothing", "is_unchanged", "plan_pictures"]

UNREADABLE = "?"
"""Signature of a picture that could not be read; it is read again in every run."""


@dataclass(slots=True)
class PictureTask:
    """One picture of a product that may have changed, on its way through the steps.

    Attributes:
        entry: The product's entry.
        before: What the store remembers of the product, None if it is new.
        image: The picture as the feed names it.
        signature: Of the file as it is now.
        known: What the store remembers of this picture, if anything.
        read: Whether it must be read (else what the store remembers still holds).
        last: Whether this is the product's last picture.
        data: Its bytes, while they are needed.
        content: Hex digest of its bytes.
        error: Why it could not be read.
        embed: Whether its content is new to the store and to this run.
    """

    entry: Entry
    before: KnownProduct | None
    image: str
    signature: str
    known: KnownPicture | None
    read: bool
    last: bool
    data: bytes = b""
    content: str = ""
    error: PictureError | None = None
    embed: bool = False

    @property
    def product_id(self) -> str:
        """Whose picture it is."""
        return self.entry.product.id


def plan_pictures(
    entry: Entry, before: KnownProduct | None, source: PictureSource, *, recheck: bool
) -> list[PictureTask]:
    """Name the pictures of a product, each once, and tell which must be read.

    Args:
        entry: The product's entry.
        before: What the store remembers of the product, None if it is new.
        source: Tells whether a file has changed.
        recheck: Read every picture, also where nothing tells that it has changed.
    """
    known = {} if before is None else {picture.source: picture for picture in before.pictures}
    images = list(dict.fromkeys(entry.product.images))
    tasks = []
    for position, image in enumerate(images):
        try:
            signature = source.signature(image)
        except PictureError:
            signature = UNREADABLE  # reading it tells what is wrong
        picture = known.get(image)
        as_before = picture is not None and picture.signature == signature != UNREADABLE
        tasks.append(
            PictureTask(
                entry,
                before,
                image,
                signature,
                known=picture,
                read=recheck or not as_before,
                last=position == len(images) - 1,
            )
        )
    return tasks


def costs_nothing(product: Product, before: KnownProduct, tasks: Sequence[PictureTask]) -> bool:
    """Whether it shows without reading a picture that the store holds just this already."""
    return not any(task.read for task in tasks) and before.digest == product_digest(product)


def is_unchanged(
    product: Product, before: KnownProduct | None, pictures: Sequence[PictureRecord]
) -> bool:
    """Whether the store holds just this already."""
    if before is None or before.digest != product_digest(product):
        return False
    now = [(picture.source, picture.signature, picture.content) for picture in pictures]
    return now == [(known.source, known.signature, known.content) for known in before.pictures]
