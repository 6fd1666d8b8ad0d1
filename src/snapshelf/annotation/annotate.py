"""Pictures to what they show: reading and preparing overlap with the networks."""

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from snapshelf.annotation.annotated import AnnotatedItem, AnnotatedPicture
from snapshelf.annotation.attribute_finder import AttributeFinder
from snapshelf.annotation.pictures import PictureToAnnotate
from snapshelf.annotation.product_finder import PreparedItem, ProductFinder
from snapshelf.errors import PictureError
from snapshelf.features.encoder import Domain
from snapshelf.features.pipeline import crop
from snapshelf.locating.locator import Locator
from snapshelf.locating.region import Region
from snapshelf.media.decode import decode_picture
from snapshelf.media.limits import Limits
from snapshelf.parallel import ordered_map

__all__ = ["annotate_pictures"]

BATCH = 16
"""Pictures that are annotated together."""


@dataclass(frozen=True, slots=True, eq=False)
class _Prepared:
    """A picture on its way; of its R items what the finders need, or why it cannot be read."""

    picture: PictureToAnnotate
    regions: tuple[Region, ...]
    inputs: list[NDArray[np.uint8]]
    items: list[PreparedItem]
    error: str = ""


def annotate_pictures(
    pictures: Iterable[PictureToAnnotate],
    *,
    locator: Locator,
    domain: Domain,
    attributes: AttributeFinder | None = None,
    products: ProductFinder | None = None,
    workers: int | None = None,
    limits: Limits = Limits(),  # noqa: B008
) -> Iterator[AnnotatedPicture]:
    """Annotate the items of many pictures, in order and in bounded memory.

    Args:
        pictures: Drawn lazily.
        locator: Finds the items.
        domain: The side that the pictures come from.
        attributes: Finds the attributes of each item; None to leave them.
        products: Finds the products that each item may be; None to leave them.
        workers: Threads that read and prepare, at least 1; None for one for each processor.
        limits: Bounds of a picture.

    Yields:
        One for each picture; one that cannot be read has an error.
    """

    def prepare(picture: PictureToAnnotate) -> _Prepared:
        try:
            decoded = decode_picture(picture.read(), limits)
        except PictureError as error:
            return _Prepared(picture, (), [], [], str(error))
        regions = locator.locate(decoded)
        parts = [crop(decoded, region.box) for region in regions]
        return _Prepared(
            picture,
            regions,
            [] if attributes is None else [attributes.prepare(part) for part in parts],
            [] if products is None else [products.prepare(part, domain) for part in parts],
        )

    workers = (os.cpu_count() or 1) if workers is None else workers
    batch: list[_Prepared] = []
    for one in ordered_map(prepare, pictures, workers=workers, ahead=BATCH + workers):
        batch.append(one)
        if len(batch) == BATCH:
            yield from _annotate(batch, domain, attributes, products)
            batch = []
    yield from _annotate(batch, domain, attributes, products)


def _annotate(
    batch: Sequence[_Prepared],
    domain: Domain,
    attributes: AttributeFinder | None,
    products: ProductFinder | None,
) -> Iterator[AnnotatedPicture]:
    """Take all items of a batch through the finders, and hand each to its picture."""
    regions = [region for one in batch for region in one.regions]
    items = [AnnotatedItem(region) for region in regions]
    if attributes is not None:
        values = attributes.find([each for one in batch for each in one.inputs], domain)
        items = [replace(i, attributes=v) for i, v in zip(items, values, strict=True)]
    if products is not None:
        found = products.find([each for one in batch for each in one.items], regions, domain)
        items = [replace(i, found=f) for i, f in zip(items, found, strict=True)]
    rest = iter(items)
    for one in batch:
        own = tuple(islice(rest, len(one.regions)))
        yield AnnotatedPicture(one.picture, own, one.error)
