"""Search a data set's gallery with its queries: embed both, and rank."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from snapshelf.catalog.product import Product
from snapshelf.datasets.dataset import Dataset, Query
from snapshelf.errors import DatasetError, PictureError
from snapshelf.evaluation.gallery_reranking import GalleryReranking
from snapshelf.evaluation.query_ranks import QueryRanks
from snapshelf.evaluation.ranking import product_ranks
from snapshelf.features.encoder import Domain
from snapshelf.features.pipeline import crop, embed_pictures
from snapshelf.features.product_encoder import ProductParts
from snapshelf.locating.region import Box
from snapshelf.media.decode import decode_picture
from snapshelf.media.picture import RGB
from snapshelf.systems.system import System

__all__ = [
    "SHOWN",
    "Progress",
    "SearchedQueries",
    "embed_gallery",
    "read_picture",
    "right_products",
    "search_gallery",
]

Progress = Callable[[str, int, int], None]
"""Told the step (``gallery``, ``queries``, and ``rerank`` where the system does), the pictures of
it that are done (of ``rerank``, the regions of queries) and all."""

SHOWN = 5
"""First places kept of each query's ranking."""


class _Part(NamedTuple):
    """A picture, the part of it that is looked at, and in the gallery its product's ID."""

    path: Path
    box: Box | None
    product: str = ""


@dataclass(frozen=True, slots=True)
class SearchedQueries:
    """Queries, their ranks in the gallery, and the seconds it took.

    Attributes:
        queries: Q of them.
        ranks: Of their right products.
        gallery: All products.
        seconds: By step.
    """

    queries: Sequence[Query]
    ranks: QueryRanks
    gallery: Sequence[Product]
    seconds: Mapping[str, float]

    def select(self, queries: NDArray[np.bool_]) -> "SearchedQueries":
        """Keep some of the queries, (Q,) bool."""
        kept = [self.queries[number] for number in np.flatnonzero(queries).tolist()]
        return SearchedQueries(kept, self.ranks.select(queries), self.gallery, self.seconds)


def search_gallery(
    system: System,
    dataset: Dataset,
    queries: Sequence[Query],
    batch_size: int,
    progress: Progress | None,
) -> SearchedQueries:
    """Embed the gallery and the queries, and rank; with the system's re-ranker, if it has one.

    Args:
        system: What finds.
        dataset: Gives the gallery.
        queries: What to find.
        batch_size: Most regions embedded at once, at least 1.
        progress: Called after each picture.

    Returns:
        The ranks; seconds are by the steps ``gallery``, ``queries``, ``ranking`` and, of a system
        with a re-ranker, ``rerank``, which the ranking is without.

    Raises:
        DatasetError: If a picture cannot be read, or a query's right product is not in the gallery
            or has no image but the query's own picture.
    """
    gallery = dataset.products()
    right = right_products(queries, gallery)
    images = [dataset.root / image for product in gallery for image in product.images]
    product_of_image = np.repeat(np.arange(len(gallery)), [len(p.images) for p in gallery])
    own_images = _own_images(queries, right, images, product_of_image)

    tell = progress or _ignore
    with ExitStack() as stack:
        reranking = None
        if system.reranker is not None:
            reranking = GalleryReranking(system.reranker, partial(tell, "rerank"))
            stack.enter_context(reranking)
        start = perf_counter()
        pictures = [
            _Part(dataset.root / image, None, product.id)
            for product in gallery
            for image in product.images
        ]
        shop, image_of_row = _embed(system, pictures, Domain.SHOP, batch_size, tell, reranking)
        embedded_gallery = perf_counter()
        photos = [_Part(query.picture, query.box) for query in queries]
        street, query_of_row = _embed(system, photos, Domain.STREET, batch_size, tell, reranking)
        embedded_queries = perf_counter()
        row_starts = np.searchsorted(image_of_row, np.arange(len(images) + 1))
        ranks = product_ranks(
            street,
            shop,
            product_of_image[image_of_row],
            right,
            row_queries=query_of_row,
            hidden={
                query: [r for image in own for r in range(row_starts[image], row_starts[image + 1])]
                for query, own in own_images.items()
            },
            distance=system.distance,
            rerank=None if reranking is None else reranking.heads,
            top=SHOWN,
        )
        ranked = perf_counter()
    seconds = {
        "gallery": embedded_gallery - start,
        "queries": embedded_queries - embedded_gallery,
        "ranking": ranked - embedded_queries,
    }
    if reranking is not None:
        seconds["ranking"] -= reranking.seconds
        seconds["rerank"] = reranking.seconds
    return SearchedQueries(queries, ranks, gallery, seconds)


def read_picture(path: Path) -> RGB:
    """Read a picture of a data set.

    Args:
        path: The picture's file.

    Returns:
        (H, W, 3) uint8, RGB, [0, 255].

    Raises:
        PictureError: If the file is missing, cannot be read or is no picture.
    """
    try:
        return decode_picture(path.read_bytes())
    except OSError as error:
        raise PictureError(f"the file cannot be read ({error.strerror})") from error


def embed_gallery(
    system: System,
    gallery: Sequence[Product],
    root: Path,
    batch_size: int,
    tell: Progress,
    reranking: GalleryReranking | None,
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Embed the images of all products.

    Args:
        system: Its locator and encoder are used.
        gallery: The products.
        root: What their images are relative to.
        batch_size: Most regions embedded at once, at least 1.
        tell: Called after each picture.
        reranking: Keeps the descriptions; None where there is no re-ranking.

    Returns:
        (R, D) float32, a row for each region, and (R,) int64, the product that each shows.

    Raises:
        DatasetError: If a picture cannot be read.
    """
    pictures = [
        _Part(root / image, None, product.id) for product in gallery for image in product.images
    ]
    product_of_image = np.repeat(np.arange(len(gallery)), [len(p.images) for p in gallery])
    shop, image_of_row = _embed(system, pictures, Domain.SHOP, batch_size, tell, reranking)
    return shop, product_of_image[image_of_row]


def right_products(queries: Sequence[Query], gallery: Sequence[Product]) -> list[list[int]]:
    """Give the gallery's index of every query's right products.

    Raises:
        DatasetError: If one cannot be found, since it is not there or has no image.
    """
    index = {product.id: number for number, product in enumerate(gallery) if product.images}
    for query in queries:
        missing = sorted(query.products - index.keys())
        if missing:
            raise DatasetError(
                f"{query.picture}: the right product {missing[0]!r} is not in the gallery, or "
                "without an image, so it cannot be found"
            )
    return [[index[product] for product in query.products] for query in queries]


def _own_images(
    queries: Sequence[Query],
    right: Sequence[Sequence[int]],
    images: Sequence[Path],
    product_of_image: NDArray[np.int64],
) -> dict[int, list[int]]:
    """Give the gallery images that are a query's own picture, for the queries that have one."""
    numbers_of: dict[Path, list[int]] = {}
    for number, image in enumerate(images):
        numbers_of.setdefault(image, []).append(number)
    counts = np.bincount(product_of_image)
    own = {
        number: numbers_of[query.picture]
        for number, query in enumerate(queries)
        if query.picture in numbers_of
    }
    for number, hidden in own.items():
        products, times = np.unique(product_of_image[hidden], return_counts=True)
        if not set(products) <= set(right[number]) or (times == counts[products]).any():
            raise DatasetError(
                f"{queries[number].picture} is a query and an image of the gallery: expected it to "
                "be one of several images of a right product"
            )
    return own


def _embed(
    system: System,
    pictures: Sequence[_Part],
    domain: Domain,
    batch_size: int,
    tell: Progress,
    reranking: GalleryReranking | None,
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Embed (parts of) pictures, and keep their descriptions where there is re-ranking.

    Returns:
        A row for each region, and the picture that each row belongs to.
    """
    step = "gallery" if domain is Domain.SHOP else "queries"
    rows: list[NDArray[np.float32]] = []
    embedded = embed_pictures(
        pictures,
        _read_part,
        locator=system.locator,
        encoder=system.encoder,
        domain=domain,
        describe=None if reranking is None else reranking.describe(domain),
        products=ProductParts.of(system.encoder, system.reranker, _product_of)
        if domain is Domain.SHOP
        else None,
        batch_size=batch_size,
    )
    for done, picture in enumerate(embedded, start=1):
        if picture.error is not None:
            raise DatasetError(
                f"{picture.key.path}: {picture.error}; every picture of the data set is needed, so "
                "that no query is left out of the figures"
            ) from picture.error
        rows.append(picture.embeddings)
        if reranking is not None:
            reranking.keep(domain, picture.descriptions)
        tell(step, done, len(pictures))
    owners = np.repeat(np.arange(len(rows)), [len(embeddings) for embeddings in rows])
    return np.concatenate(rows), owners


def _read_part(part: _Part) -> RGB:
    picture = read_picture(part.path)
    return picture if part.box is None else crop(picture, part.box)


def _product_of(part: _Part) -> str:
    return part.product


def _ignore(step: str, done: int, total: int) -> None:
    """Leave progress untold: the caller did not ask for it."""
