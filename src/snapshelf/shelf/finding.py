"""From the embeddings of items to the products found for them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from snapshelf.catalog.product import Product
from snapshelf.locating.region import Region
from snapshelf.matching.reranker import Place
from snapshelf.shelf.category_groups import group_by_category
from snapshelf.shelf.reranking import rerank_hits, unchanged_places
from snapshelf.shelf.result import FoundItem, Item, Match
from snapshelf.shelf.shortlists import Shortlists, complete_categories
from snapshelf.store.filters import Filter
from snapshelf.store.hits import hits_at
from snapshelf.store.records import Hit
from snapshelf.store.vector_store import VectorStore
from snapshelf.systems.system import System

__all__ = ["find_items", "find_shortlists"]


CATEGORIES_WITHIN = 100
"""An item's categories are those of this many of its most similar products at least."""


def find_shortlists(
    store: VectorStore,
    system: System,
    embeddings: NDArray[np.float32],
    *,
    top: int,
    by_category: int | None = None,
    where: Filter | None = None,
) -> Shortlists:
    """Search a store for items, as deep as the system's re-ranker looks.

    Args:
        store: Made with the system.
        system: Tells the depth.
        embeddings: (R, D) float32, L2-normalised, one row an item.
        top: Largest number of matches that will be shown for an item, at least 1.
        by_category: How many of each category will be shown as well, at least 1; None for none.
            Categories are those of the first `CATEGORIES_WITHIN` products, or of more where the
            search goes deeper.
        where: Only products that pass this filter.

    Returns:
        A shortlist for each item.

    Raises:
        FilterError: If the filter names an attribute that no product has.
    """
    depth = top if system.reranker is None else max(top, system.reranker.depth)
    if by_category is not None:
        depth = max(depth, CATEGORIES_WITHIN)
    hits = store.search(embeddings, depth, where)
    if by_category is None:
        # Of a long shortlist a few products are shown: `find_items` reads those.
        return Shortlists(hits, {})
    products = store.products(list({hit.product_id for row in hits for hit in row}))
    # A product can vanish between the search and the look-up.
    alive = [[hit for hit in row if hit.product_id in products] for row in hits]
    shortlists = Shortlists(alive, products)
    return complete_categories(store, embeddings, shortlists, best=by_category, where=where)


def find_items(
    store: VectorStore,
    system: System,
    regions: Sequence[Region],
    shortlists: Shortlists,
    descriptions: Sequence[bytes] | None,
    *,
    top: int,
    by_category: int | None = None,
) -> tuple[FoundItem, ...]:
    """Re-rank shortlists, where the system does, and show the first places of each.

    Args:
        store: That the shortlists are of.
        system: Re-ranks, and tells confidences.
        regions: Of the items, R of them.
        shortlists: R of them.
        descriptions: R of them, by the system's re-ranker; None where it has none.
        top: Largest number of matches for each item, at least 1.
        by_category: Group the whole shortlist by category too, with this many of each at most;
            None not to.

    Returns:
        R items, in the order given.
    """
    hits, most = shortlists.hits, top if by_category is None else None
    while True:
        if system.reranker is None or descriptions is None:
            places = [unchanged_places(row, most) for row in hits]
        else:
            places = rerank_hits(system.reranker, store, descriptions, hits, most)
        shown = [
            list(zip(hits_at(row, [each.candidate for each in ranked]), ranked, strict=True))
            for row, ranked in zip(hits, places, strict=True)
        ]
        ids = {hit.product_id for ranked in shown for hit, _ in ranked}
        found = store.products(sorted(ids - shortlists.products.keys()))
        products = {**shortlists.products, **found}
        if ids <= products.keys():
            break
        # A product can vanish between the search and the look-up: others move up.
        gone = ids - products.keys()
        hits = [[hit for hit in row if hit.product_id not in gone] for row in hits]
    items = tuple(
        _item(system, region, ranked, products)
        for region, ranked in zip(regions, shown, strict=True)
    )
    if by_category is None:
        return items
    grouped = (group_by_category(found, by_category) for found in items)
    return tuple(replace(found, matches=found.matches[:top]) for found in grouped)


def _item(
    system: System,
    region: Region,
    ranked: Sequence[tuple[Hit, Place]],
    products: Mapping[str, Product],
) -> FoundItem:
    """Show places of an item's ranking, from the first, each with its hit."""
    calibration = system.calibration
    confidences = calibration.confidences(
        (place.similarity, place.similarity - hit.similarity) for hit, place in ranked
    )
    matches = tuple(
        Match(
            rank=rank,
            product=products[hit.product_id],
            image=hit.source,
            similarity=place.similarity,
            confidence=confidence,
            evidence=place.evidence,
            box=hit.box,
        )
        for rank, ((hit, place), confidence) in enumerate(
            zip(ranked, confidences, strict=True), start=1
        )
    )
    sure = bool(matches) and matches[0].confidence >= calibration.threshold
    return FoundItem(Item(region.box, region.label), matches, in_catalogue=sure)
