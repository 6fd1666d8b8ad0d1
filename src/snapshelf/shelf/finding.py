"""From the embeddings of items to the products found for them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from snapshelf.catalog.product import Product
from snapshelf.locating.region import Region
from snapshelf.matching.reranker import Place
from snapshelf.shelf.reranking import rerank_hits, unchanged_places
from snapshelf.shelf.result import FoundItem, Item, Match
from snapshelf.store.filters import Filter
from snapshelf.store.records import Hit
from snapshelf.store.vector_store import VectorStore
from snapshelf.systems.system import System

__all__ = ["Shortlists", "find_items", "find_shortlists"]


@dataclass(frozen=True, slots=True)
class Shortlists:
    """What a store's search gives for several items.

    Attributes:
        hits: For each item its hits, most similar first.
        products: Those that are hit, by ID.
    """

    hits: Sequence[Sequence[Hit]]
    products: Mapping[str, Product]


def find_shortlists(
    store: VectorStore,
    system: System,
    embeddings: NDArray[np.float32],
    *,
    top: int,
    where: Filter | None = None,
) -> Shortlists:
    """Search a store for items, as deep as the system's re-ranker looks.

    Args:
        store: Made with the system.
        system: Tells the depth.
        embeddings: (R, D) float32, L2-normalised, one row an item.
        top: Largest number of matches that will be shown for an item, at least 1.
        where: Only products that pass this filter.

    Returns:
        A shortlist for each item.

    Raises:
        FilterError: If the filter names an attribute that no product has.
    """
    depth = top if system.reranker is None else max(top, system.reranker.depth)
    hits = store.search(embeddings, depth, where)
    products = store.products(list({hit.product_id for row in hits for hit in row}))
    # A product can vanish between the search and the look-up.
    alive = [[hit for hit in row if hit.product_id in products] for row in hits]
    return Shortlists(alive, products)


def find_items(
    store: VectorStore,
    system: System,
    regions: Sequence[Region],
    shortlists: Shortlists,
    descriptions: Sequence[bytes] | None,
    *,
    top: int,
) -> tuple[FoundItem, ...]:
    """Re-rank shortlists, where the system does, and show the first places of each.

    Args:
        store: That the shortlists are of.
        system: Re-ranks, and tells confidences.
        regions: Of the items, R of them.
        shortlists: R of them.
        descriptions: R of them, by the system's re-ranker; None where it has none.
        top: Largest number of matches for each item, at least 1.

    Returns:
        R items, in the order given.
    """
    hits = shortlists.hits
    if system.reranker is None or descriptions is None:
        places = [unchanged_places(row) for row in hits]
    else:
        places = rerank_hits(system.reranker, store, descriptions, hits)
    return tuple(
        _item(system, region, row, ranked[:top], shortlists.products)
        for region, row, ranked in zip(regions, hits, places, strict=True)
    )


def _item(
    system: System,
    region: Region,
    hits: Sequence[Hit],
    places: Sequence[Place],
    products: Mapping[str, Product],
) -> FoundItem:
    """Show the first places of an item's ranking."""
    calibration = system.calibration
    confidences = calibration.confidences(
        (place.similarity, place.similarity - hits[place.candidate].similarity) for place in places
    )
    matches = tuple(
        Match(
            rank=rank,
            product=products[hits[place.candidate].product_id],
            image=hits[place.candidate].source,
            similarity=place.similarity,
            confidence=confidence,
            evidence=place.evidence,
            box=hits[place.candidate].box,
        )
        for rank, (place, confidence) in enumerate(zip(places, confidences, strict=True), start=1)
    )
    sure = bool(matches) and matches[0].confidence >= calibration.threshold
    return FoundItem(Item(region.box, region.label), matches, in_catalogue=sure)
