"""Where a shelf keeps its products, pictures and embeddings."""

from snapshelf.store.embedded import EmbeddedStore
from snapshelf.store.filters import Condition, Filter, parse_filter
from snapshelf.store.opening import Place, has_store, make_store, open_store, shelf_place
from snapshelf.store.records import (
    Counts,
    Hit,
    KnownPicture,
    KnownProduct,
    PictureRecord,
    ProductRecord,
    Run,
    StoredEmbeddings,
)
from snapshelf.store.rows import product_digest
from snapshelf.store.vector_store import VectorStore

__all__ = [
    "Condition",
    "Counts",
    "EmbeddedStore",
    "Filter",
    "Hit",
    "KnownPicture",
    "KnownProduct",
    "PictureRecord",
    "Place",
    "ProductRecord",
    "Run",
    "StoredEmbeddings",
    "VectorStore",
    "has_store",
    "make_store",
    "open_store",
    "parse_filter",
    "product_digest",
    "shelf_place",
]
