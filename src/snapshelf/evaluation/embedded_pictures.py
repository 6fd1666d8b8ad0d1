"""A data set's pictures as rows of embeddings; every one of them is needed."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from snapshelf.catalog.product import Product
from snapshelf.errors import DatasetError, PictureError
from snapshelf.evaluation.gallery_reranking import GalleryReranking
from snapshelf.evaluation.searched_queries import Progress
from snapshelf.features.encoder import Domain
from snapshelf.features.pipeline import crop, embed_pictures
from snapshelf.features.product_encoder import ProductParts
from snapshelf.locating.region import Box
from snapshelf.media.decode import decode_picture
from snapshelf.media.picture import RGB
from snapshelf.systems.system import System

__all__ = ["EmbeddedGallery", "PicturePart", "embed_gallery", "embed_parts", "read_picture"]


class PicturePart(NamedTuple):
    """A picture, the part of it that is looked at, and in the gallery its product's ID."""

    path: Path
    box: Box | None
    product: str = ""


class EmbeddedGallery(NamedTuple):
    """The images of all products, embedded.

    Attributes:
        rows: (R, D) float32, one for each region.
        images: (R,) int64, ascending: which of all products' images each row is of.
        products: (R,) int64, ascending: which product it shows.
    """

    rows: NDArray[np.float32]
    images: NDArray[np.int64]
    products: NDArray[np.int64]


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
) -> EmbeddedGallery:
    """Embed the images of all products.

    Args:
        system: Its locator and encoder are used.
        gallery: The products.
        root: What their images are relative to.
        batch_size: Most regions embedded at once, at least 1.
        tell: Called after each picture.
        reranking: Keeps the descriptions; None where there is no re-ranking.

    Raises:
        DatasetError: If a picture cannot be read.
    """
    pictures = [
        PicturePart(root / image, None, product.id)
        for product in gallery
        for image in product.images
    ]
    rows, images = embed_parts(system, pictures, Domain.SHOP, batch_size, tell, reranking)
    product_of_image = np.repeat(np.arange(len(gallery)), [len(p.images) for p in gallery])
    return EmbeddedGallery(rows, images, product_of_image[images])


def embed_parts(
    system: System,
    pictures: Sequence[PicturePart],
    domain: Domain,
    batch_size: int,
    tell: Progress,
    reranking: GalleryReranking | None,
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Embed (parts of) pictures, and keep their descriptions where there is re-ranking.

    Args:
        system: Its locator and encoder are used.
        pictures: What to embed.
        domain: Which side of the encoder.
        batch_size: Most regions embedded at once, at least 1.
        tell: Called after each picture.
        reranking: Keeps the descriptions; None where there is no re-ranking.

    Returns:
        (R, D) float32, a row for each region, and (R,) int64, the picture that each belongs to.

    Raises:
        DatasetError: If a picture cannot be read.
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


def _read_part(part: PicturePart) -> RGB:
    picture = read_picture(part.path)
    return picture if part.box is None else crop(picture, part.box)


def _product_of(part: PicturePart) -> str:
    return part.product
