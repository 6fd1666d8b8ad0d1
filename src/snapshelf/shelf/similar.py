"""Products that look like one of the shelf's own."""

from dataclasses import dataclass

from snapshelf.catalog.product import Product
from snapshelf.store.filters import Condition, Filter
from snapshelf.store.records import Hit
from snapshelf.store.vector_store import VectorStore

__all__ = ["SimilarProduct", "find_similar"]


@dataclass(frozen=True, slots=True)
class SimilarProduct:
    """A product that looks like another.

    Attributes:
        rank: From 1, the most alike.
        product: As the shelf holds it.
        image: Its picture that is most alike, as the feed names it.
        similarity: Of the embeddings, larger is more alike.
    """

    rank: int
    product: Product
    image: str
    similarity: float


def find_similar(
    store: VectorStore, product_id: str, *, top: int, where: Filter | None = None
) -> tuple[SimilarProduct, ...] | None:
    """Find the products that look most like one of the shelf, by its first picture.

    Args:
        store: A shelf's.
        product_id: The product; it is no match of its own.
        top: Largest number of matches, at least 1.
        where: Only products that pass this filter, which the product itself need not.

    Returns:
        The matches, most similar first; None if the shelf has no such product.

    Raises:
        FilterError: If the filter names an attribute that no product has.
        ValueError: If `top` is below 1.
    """
    if top < 1:
        raise ValueError(f"top must be at least 1, got {top}")
    own = Filter((Condition("id", "=", (product_id,)),))
    vectors = store.embeddings(own, main=True).vectors
    if not len(vectors):
        return None
    best: dict[str, Hit] = {}
    for hits in store.search(vectors, top + 1, where):
        for hit in hits:
            known = best.get(hit.product_id)
            if known is None or hit.similarity > known.similarity:
                best[hit.product_id] = hit
    best.pop(product_id, None)
    products = store.products(list(best))
    ordered = sorted(
        (hit for name, hit in best.items() if name in products), key=lambda hit: -hit.similarity
    )
    return tuple(
        SimilarProduct(rank, products[hit.product_id], hit.source, hit.similarity)
        for rank, hit in enumerate(ordered[:top], start=1)
    )
