"""Pictures to embeddings: reading, locating and preparing overlap with the encoder."""

import os
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from snapshelf.errors import FeaturesError, PictureError
from snapshelf.features.encoder import Domain, Encoder
from snapshelf.features.product_encoder import ProductParts
from snapshelf.locating.locator import Locator
from snapshelf.locating.region import Box, Region, whole_pixels
from snapshelf.media.picture import RGB
from snapshelf.parallel import ordered_map

__all__ = ["EmbeddedPicture", "crop", "embed_pictures"]

K = TypeVar("K")

MOST_WAITING = 8
"""Pictures held back for a batch that is not full yet, as a multiple of the batch size."""


@dataclass(frozen=True, slots=True, eq=False)
class EmbeddedPicture(Generic[K]):
    """What became of one picture.

    Attributes:
        key: As the caller gave it.
        size: (width, height) of the decoded picture in pixels; None where it was not read.
        regions: As the locator found them, most confident first.
        embeddings: (R, D) float32, L2-normalised, one row for each region.
        descriptions: One for each region, empty where none were asked for.
        error: Why the picture could not be read, None where it could or was not to be read.
    """

    key: K
    size: tuple[int, int] | None
    regions: tuple[Region, ...]
    embeddings: NDArray[np.float32]
    descriptions: tuple[bytes, ...] = ()
    error: PictureError | None = None


@dataclass(slots=True)
class _Prepared(Generic[K]):
    """A picture on its way: its inputs wait for the encoder, then its embeddings fill up."""

    key: K
    size: tuple[int, int] | None
    regions: tuple[Region, ...]
    inputs: list[NDArray[np.uint8]]
    embeddings: NDArray[np.float32]
    descriptions: tuple[bytes, ...] = ()
    error: PictureError | None = None
    done: int = 0

    @property
    def is_done(self) -> bool:
        return self.done == len(self.regions)

    def result(self) -> EmbeddedPicture[K]:
        return EmbeddedPicture(
            self.key, self.size, self.regions, self.embeddings, self.descriptions, self.error
        )


def embed_pictures(
    keys: Iterable[K],
    read: Callable[[K], RGB | None],
    *,
    locator: Locator,
    encoder: Encoder,
    domain: Domain,
    describe: Callable[[RGB], bytes] | None = None,
    products: ProductParts[K] | None = None,
    batch_size: int = 32,
    workers: int | None = None,
) -> Generator[EmbeddedPicture[K], None, None]:
    """Embed the regions of many pictures, in the pictures' order and in bounded memory.

    Worker threads read, locate, crop, describe and prepare, so only small inputs wait for the
    encoder. It has a thread of its own and gets full batches of regions, whichever pictures
    they come from, one at a time; meanwhile the workers are busy with the next ones and the
    consumer with what it does with the last.

    Args:
        keys: What to read; drawn lazily, at most a few batches ahead of what is yielded.
        read: Gives the picture of a key, or None to pass the key through untouched. Called in
            worker threads; a PictureError that it raises becomes the result's `error`.
        locator: Finds the regions.
        encoder: Embeds each region.
        domain: The side that the pictures come from.
        describe: Describes each region's part of the picture for re-ranking; None to leave it.
        products: What embeds and describes products by their IDs, in the place of their pictures;
            its FeaturesError becomes the result's `error` too. None for pictures alone.
        batch_size: Most regions embedded at once, at least 1.
        workers: Number of worker threads, at least 1; None for one for each processor.

    Returns:
        A generator of one result for each key, in order. Whatever else `read`, the locator,
        `describe` or the encoder raises comes out of it; closing it ends the workers.

    Raises:
        ValueError: If `batch_size` or `workers` is below 1.
    """
    workers = (os.cpu_count() or 1) if workers is None else workers
    if batch_size < 1 or workers < 1:
        raise ValueError(
            f"batch_size and workers must be at least 1, got {batch_size} and {workers}"
        )

    def prepare(key: K) -> _Prepared[K]:
        return _prepare(key, read, locator, encoder, domain, describe, products)

    # While the encoder is at work nothing new is handed to the workers, so what is already
    # handed out has to last: a full batch beyond the one being encoded.
    ahead = 2 * batch_size + workers
    prepared = ordered_map(prepare, keys, workers=workers, ahead=ahead)
    return _embed(prepared, encoder, domain, batch_size)


def crop(picture: RGB, box: Box) -> RGB:
    """Cut a box out of a picture, in whole pixels.

    Args:
        picture: (H, W, 3) uint8, RGB, [0, 255].
        box: ``(x0, y0, x1, y1)`` in pixels; every pixel that it touches is kept.

    Returns:
        (h, w, 3) uint8, a view, of at least one pixel.
    """
    height, width = picture.shape[:2]
    left, top, right, bottom = whole_pixels(box, (width, height))
    return picture[top:bottom, left:right]


def _prepare(
    key: K,
    read: Callable[[K], RGB | None],
    locator: Locator,
    encoder: Encoder,
    domain: Domain,
    describe: Callable[[RGB], bytes] | None,
    products: ProductParts[K] | None,
) -> _Prepared[K]:
    """Do everything for one picture that comes before the encoder."""
    nothing = np.empty((0, encoder.dimension), np.float32)
    try:
        picture = read(key)
    except PictureError as error:
        return _Prepared(key, None, (), [], nothing, error=error)
    if picture is None:
        return _Prepared(key, None, (), [], nothing)
    regions = locator.locate(picture)
    parts = [crop(picture, region.box) for region in regions]
    try:
        inputs, descriptions = _inputs(key, parts, encoder, domain, describe, products)
    except FeaturesError as error:
        return _Prepared(key, None, (), [], nothing, error=error)
    return _Prepared(
        key,
        (picture.shape[1], picture.shape[0]),
        regions,
        inputs,
        np.empty((len(regions), encoder.dimension), np.float32),
        descriptions,
    )


def _inputs(
    key: K,
    parts: Sequence[RGB],
    encoder: Encoder,
    domain: Domain,
    describe: Callable[[RGB], bytes] | None,
    products: ProductParts[K] | None,
) -> tuple[list[NDArray[np.uint8]], tuple[bytes, ...]]:
    """Prepare and describe the regions of a picture, by its product where that is known."""
    if products is None or products.encoder is None:
        inputs = [encoder.prepare(part, domain) for part in parts]
    else:
        inputs = [products.encoder.prepare_product(products.product(key))] * len(parts)
    if describe is None:
        return inputs, ()
    if products is None or products.describer is None:
        return inputs, tuple(describe(part) for part in parts)
    return inputs, (products.describer.describe_product(products.product(key)),) * len(parts)


def _embed(
    prepared: Iterator[_Prepared[K]], encoder: Encoder, domain: Domain, batch_size: int
) -> Generator[EmbeddedPicture[K], None, None]:
    """Collect the inputs of pictures into batches and yield each picture once it is complete."""
    waiting: deque[_Prepared[K]] = deque()
    batch: list[tuple[_Prepared[K], int]] = []
    with ThreadPoolExecutor(1, thread_name_prefix="snapshelf-encoder") as thread:
        under_way: Future[None] = thread.submit(_encode, [], encoder, domain)
        for picture in prepared:
            waiting.append(picture)
            for row in range(len(picture.inputs)):
                batch.append((picture, row))
                if len(batch) == batch_size:
                    under_way.result()
                    under_way = thread.submit(_encode, batch, encoder, domain)
                    batch = []
            # A long run of pictures without regions must not wait for the batch to fill up.
            if len(waiting) > MOST_WAITING * batch_size:
                under_way.result()
                _encode(batch, encoder, domain)
                batch = []
            while waiting and waiting[0].is_done:
                yield waiting.popleft().result()
        under_way.result()
        _encode(batch, encoder, domain)
    for picture in waiting:
        yield picture.result()


def _encode(batch: Sequence[tuple[_Prepared[K], int]], encoder: Encoder, domain: Domain) -> None:
    """Embed a batch and hand each row to its picture."""
    if not batch:
        return
    inputs = np.stack([picture.inputs[row] for picture, row in batch])
    for (picture, row), embedding in zip(batch, encoder.encode(inputs, domain), strict=True):
        picture.embeddings[row] = embedding
        picture.done += 1
