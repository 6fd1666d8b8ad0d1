"""Search a data set's gallery with its photos."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from snapshelf.catalog.product import Product
from snapshelf.datasets.dataset import Dataset, Query
from snapshelf.errors import DatasetError
from snapshelf.evaluation.embedded_pictures import PicturePart, embed_parts
from snapshelf.evaluation.gallery_reranking import GalleryReranking
from snapshelf.evaluation.query_search import right_products, search_with
from snapshelf.evaluation.searched_queries import Progress, SearchedQueries
from snapshelf.features.encoder import Domain
from snapshelf.systems.system import System

__all__ = ["search_gallery"]


def search_gallery(
    system: System,
    dataset: Dataset,
    queries: Sequence[Query],
    batch_size: int,
    progress: Progress | None,
) -> SearchedQueries:
    """Embed the gallery and the queries, and rank; with the system's re-ranker, if it has one.

    A query that is itself an image of a right product is not compared with that image.

    Args:
        system: What finds.
        dataset: Gives the gallery.
        queries: What to find.
        batch_size: Most regions embedded at once, at least 1.
        progress: Called after each picture.

    Returns:
        As `search_with` gives it.

    Raises:
        DatasetError: If a picture cannot be read, or a query's right product is not in the gallery
            or has no image but the query's own picture.
    """
    gallery = dataset.products()
    own_images = _own_images(queries, gallery, dataset.root)

    def embed(
        tell: Progress, reranking: GalleryReranking | None
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        photos = [PicturePart(query.picture, query.box) for query in queries]
        return embed_parts(system, photos, Domain.STREET, batch_size, tell, reranking)

    return search_with(
        embed,
        queries,
        system,
        gallery,
        dataset.root,
        batch_size,
        progress,
        own_images=own_images,
    )


def _own_images(
    queries: Sequence[Query], gallery: Sequence[Product], root: Path
) -> dict[int, list[int]]:
    """Give the gallery images that are a query's own picture, for the queries that have one."""
    right = right_products(queries, gallery)
    product_of_image = np.repeat(np.arange(len(gallery)), [len(p.images) for p in gallery])
    numbers_of: dict[Path, list[int]] = {}
    images = (root / image for product in gallery for image in product.images)
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
