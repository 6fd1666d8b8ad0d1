"""What a store's search gives for several items, and making it hold enough of each category."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from snapshelf.catalog.product import Product
from snapshelf.store.filters import Filter, category_key, only_category
from snapshelf.store.records import Hit
from snapshelf.store.vector_store import VectorStore

__all__ = ["Shortlists", "complete_categories"]


@dataclass(frozen=True, slots=True)
class Shortlists:
    """What a store's search gives for several items.

    Attributes:
        hits: For each item its hits, most similar first.
        products: Of those that are hit, by ID, as many as were read for it; all of them where
            categories were looked at.
    """

    hits: Sequence[Sequence[Hit]]
    products: Mapping[str, Product]


def complete_categories(
    store: VectorStore,
    embeddings: NDArray[np.float32],
    shortlists: Shortlists,
    *,
    best: int,
    where: Filter | None = None,
) -> Shortlists:
    """Add to shortlists until they hold the best of each category that they show.

    Categories of which a shortlist has enough cost nothing; each other one costs a search among
    its products alone, for all items that lack some of it.

    Args:
        store: That the shortlists are of.
        embeddings: (R, D) float32, L2-normalised, one row an item.
        shortlists: R of them.
        best: How many of each category, at least 1.
        where: Only products that pass this filter.

    Returns:
        R shortlists that begin with those given, but for what an index that is not exact had
        missed; of each category that an item's had, it has the `best` most similar products.
    """
    lacking: dict[str, list[int]] = {}
    for item, hits in enumerate(shortlists.hits):
        counts = Counter(category_key(shortlists.products[hit.product_id].category) for hit in hits)
        for key, count in counts.items():
            if count < best:
                lacking.setdefault(key, []).append(item)
    more: list[list[Hit]] = [[] for _ in shortlists.hits]
    for key, items in lacking.items():
        searched = store.search(embeddings[items], best, only_category(key, where))
        for item, hits in zip(items, searched, strict=True):
            more[item] += hits
    new = {hit.product_id for hits in more for hit in hits} - shortlists.products.keys()
    products = {**shortlists.products, **store.products(sorted(new))}
    return Shortlists(
        [
            _merged(hits, [hit for hit in added if hit.product_id in products])
            for hits, added in zip(shortlists.hits, more, strict=True)
        ],
        products,
    )


def _merged(hits: Sequence[Hit], added: Sequence[Hit]) -> list[Hit]:
    """Put hits in the order of their similarities; a product that is in both counts once."""
    known = {hit.product_id for hit in hits}
    new = [hit for hit in added if hit.product_id not in known]
    return sorted((*hits, *new), key=lambda hit: -hit.similarity)
