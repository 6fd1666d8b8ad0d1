"""Search a gallery with queries of any kind: embed both, rank, and tell how long each step took."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from snapshelf.catalog.product import Product
from snapshelf.datasets.dataset import Query
from snapshelf.errors import DatasetError
from snapshelf.evaluation.embedded_pictures import embed_gallery
from snapshelf.evaluation.gallery_reranking import GalleryReranking
from snapshelf.evaluation.ranking import product_ranks
from snapshelf.evaluation.searched_queries import SHOWN, Progress, SearchedQueries
from snapshelf.systems.system import System

__all__ = ["EmbedQueries", "right_products", "search_with"]

EmbedQueries = Callable[
    [Progress, GalleryReranking | None], tuple[NDArray[np.float32], NDArray[np.int64]]
]
"""Embeds the queries: (R, D) float32, and (R,) int64, ascending, the query that each row belongs
to. It tells its progress, and keeps the rows' descriptions where there is re-ranking."""


def search_with(
    embed_queries: EmbedQueries,
    queries: Sequence[Query],
    system: System,
    gallery: Sequence[Product],
    root: Path,
    batch_size: int,
    progress: Progress | None,
    *,
    own_images: Mapping[int, Sequence[int]] | None = None,
) -> SearchedQueries:
    """Embed the gallery and the queries, and rank; with the system's re-ranker, if it has one.

    Args:
        embed_queries: Embeds them.
        queries: What to find.
        system: What finds.
        gallery: All products.
        root: What their images are relative to.
        batch_size: Most regions of the gallery embedded at once, at least 1.
        progress: Called after each picture; None to tell nobody.
        own_images: For some of the queries, by their number, which of all products' images they
            are not compared with.

    Returns:
        The ranks; seconds are by the steps ``gallery``, ``queries``, ``ranking`` and, of a system
        with a re-ranker, ``rerank``, which the ranking is without.

    Raises:
        DatasetError: If a picture cannot be read, or a right product is not in the gallery or has
            no image.
    """
    right = right_products(queries, gallery)
    tell = progress or _ignore
    with _reranking(system, tell) as reranking:
        start = perf_counter()
        shop = embed_gallery(system, gallery, root, batch_size, tell, reranking)
        embedded_gallery = perf_counter()
        rows, query_of_row = embed_queries(tell, reranking)
        embedded_queries = perf_counter()
        ranks = product_ranks(
            rows,
            shop.rows,
            shop.products,
            right,
            row_queries=query_of_row,
            hidden=_rows_of(own_images or {}, shop.images),
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


@contextmanager
def _reranking(system: System, tell: Progress) -> Iterator[GalleryReranking | None]:
    if system.reranker is None:
        yield None
        return
    with GalleryReranking(system.reranker, partial(tell, "rerank")) as reranking:
        yield reranking


def _rows_of(
    images: Mapping[int, Sequence[int]], image_of_row: NDArray[np.int64]
) -> dict[int, list[int]]:
    """Give the gallery's rows of the images of each query."""
    return {
        query: [
            row
            for image in own
            for row in range(*np.searchsorted(image_of_row, (image, image + 1)).tolist())
        ]
        for query, own in images.items()
    }


def _ignore(step: str, done: int, total: int) -> None:
    """Leave progress untold: the caller did not ask for it."""
