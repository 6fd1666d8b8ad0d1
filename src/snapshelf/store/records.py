"""The values that go into a store and come out of it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from snapshelf.catalog.product import Product
from snapshelf.locating.region import Box, Region

__all__ = [
    "CategoryFacet",
    "Counts",
    "Facets",
    "Hit",
    "KnownPicture",
    "KnownProduct",
    "PictureRecord",
    "PriceFacet",
    "ProductRecord",
    "Run",
    "StoredEmbeddings",
    "StoredRecords",
]


@dataclass(frozen=True, slots=True)
class PictureRecord:
    """A picture of a product, located and embedded.

    Attributes:
        source: The picture as the feed names it.
        signature: Changes when the file behind `source` changes; "" where that cannot be told.
        content: Hex digest of the picture's bytes.
        regions: Where the item is; None if the store holds this content already, whose
            regions, embeddings and descriptions are then taken over.
        embeddings: (R, D) float32, L2-normalised, one row a region; None with `regions`.
        descriptions: For re-ranking, one a region; None where the system has no re-ranker, and
            with `regions`.
    """

    source: str
    signature: str
    content: str
    regions: tuple[Region, ...] | None
    embeddings: NDArray[np.float32] | None
    descriptions: tuple[bytes, ...] | None = None


@dataclass(frozen=True, slots=True)
class ProductRecord:
    """A product and its pictures, the first being the main one."""

    product: Product
    pictures: tuple[PictureRecord, ...]


@dataclass(frozen=True, slots=True)
class KnownPicture:
    """What a store remembers of a picture, to tell whether it must be read again."""

    source: str
    signature: str
    content: str


@dataclass(frozen=True, slots=True)
class KnownProduct:
    """What a store remembers of a product, to tell whether it has changed.

    Attributes:
        digest: `product_digest` of the product as it was stored.
        pictures: In the product's order.
    """

    digest: str
    pictures: tuple[KnownPicture, ...]


@dataclass(frozen=True, slots=True)
class Hit:
    """A product found by a store's search, through its best image.

    Attributes:
        product_id: The product.
        source: The image that matched best, as the feed names it.
        box: The region of that image that matched best, in pixels.
        similarity: Of the embeddings, by the store's distance, in [-1, 1]; larger is more alike.
        region: The store's number of that region, for `VectorStore.descriptions`.
    """

    product_id: str
    source: str
    box: Box
    similarity: float
    region: int


@dataclass(frozen=True, slots=True)
class Counts:
    """How much a store holds."""

    products: int
    pictures: int
    embeddings: int


@dataclass(frozen=True, slots=True)
class CategoryFacet:
    """A category of a store's products.

    Attributes:
        path: As one of its products has it.
        products: How many are in it, not counting those in categories below it.
        example: ID of one of them.
    """

    path: tuple[str, ...]
    products: int
    example: str


@dataclass(frozen=True, slots=True)
class PriceFacet:
    """The prices in one currency.

    Attributes:
        currency: As one of the products has it, "" where the feed does not say.
        products: How many have a price in it.
        least: The lowest.
        most: The highest.
    """

    currency: str
    products: int
    least: float
    most: float


@dataclass(frozen=True, slots=True)
class Facets:
    """What a store's products can be told apart by.

    Attributes:
        products: How many there are.
        categories: Largest first; products without a category are not among them.
        brands: Names as one of their products has them, and how many those are; largest first.
        prices: One for each currency, largest first.
    """

    products: int
    categories: tuple[CategoryFacet, ...]
    brands: tuple[tuple[str, int], ...]
    prices: tuple[PriceFacet, ...]


@dataclass(frozen=True, slots=True)
class Run:
    """An indexing run, as the store notes it.

    Attributes:
        number: Rises from run to run.
        feed: What was indexed.
        process: ID of the process that runs or ran it.
        started: ISO 8601 time, UTC.
        finished: ISO 8601 time, UTC; "" while it runs, or if it was interrupted.
        seen: Number of products that it has stored or found unchanged.
    """

    number: int
    feed: str
    process: int
    started: str
    finished: str
    seen: int


@dataclass(frozen=True, slots=True, eq=False)
class StoredEmbeddings:
    """The embeddings of one version of a store, N rows.

    Attributes:
        vectors: (N, D) float32, L2-normalised.
        product_ids: N of them, whose each row is.
        images: N of them, the picture of each row as the feed names it.
        contents: N of them, hex digest of the picture's bytes.
    """

    vectors: NDArray[np.float32]
    product_ids: tuple[str, ...]
    images: tuple[str, ...]
    contents: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StoredRecords:
    """Some of a store's products, as they would be stored anew.

    Attributes:
        records: Each picture with its regions and embeddings, and descriptions if it has any.
        last: Number of the last of them, to go on from; 0 if there are no more.
    """

    records: tuple[ProductRecord, ...]
    last: int
