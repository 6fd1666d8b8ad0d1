"""A search in three steps, so that the encoder can take several queries at once.

`prepare_query` finds the items of a picture and brings them to the encoder's input size; the
encoder embeds them, possibly with those of other queries; `answer_query` finds the products.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from snapshelf.features.encoder import Domain
from snapshelf.features.pipeline import crop
from snapshelf.locating.chosen_region import chosen_regions
from snapshelf.locating.region import Box, Point, Region
from snapshelf.media.picture import RGB
from snapshelf.shelf.finding import find_items, find_shortlists
from snapshelf.shelf.result import FoundItem
from snapshelf.store.filters import Filter
from snapshelf.store.vector_store import VectorStore
from snapshelf.systems.system import System

__all__ = ["Query", "answer_query", "prepare_query"]


@dataclass(frozen=True, slots=True, eq=False)
class Query:
    """The items of a picture, before they are embedded.

    Attributes:
        regions: Where they are, R of them, at least one.
        parts: R pictures, (h, w, 3) uint8, RGB, [0, 255]: views of the query.
        inputs: (R, S, T, 3) uint8, for the encoder's street side.
    """

    regions: tuple[Region, ...]
    parts: tuple[RGB, ...]
    inputs: NDArray[np.uint8]


def prepare_query(
    system: System,
    picture: RGB,
    *,
    boxes: Sequence[Box] = (),
    points: Sequence[Point] = (),
) -> Query:
    """Find the items of a picture, and bring them to the encoder's input size.

    Args:
        system: Locates and prepares.
        picture: (H, W, 3) uint8, RGB, [0, 255].
        boxes: Items that the user chose.
        points: Points on items that the user chose.

    Returns:
        The chosen items, see `chosen_regions`; without any, those that the system locates.

    Raises:
        ValueError: If a box or a point does not lie in the picture.
    """
    regions = chosen_regions(system.locator, picture, boxes=boxes, points=points)
    parts = tuple(crop(picture, region.box) for region in regions)
    inputs = np.stack([system.encoder.prepare(part, Domain.STREET) for part in parts])
    return Query(regions, parts, inputs)


def answer_query(
    store: VectorStore,
    system: System,
    query: Query,
    embeddings: NDArray[np.float32],
    *,
    top: int,
    by_category: int | None = None,
    where: Filter | None = None,
) -> tuple[tuple[FoundItem, ...], dict[str, float]]:
    """Find the products for the items of a query.

    Args:
        store: Made with the system.
        system: Re-ranks, and tells confidences.
        query: R items.
        embeddings: (R, D) float32, L2-normalised, of `Query.inputs`.
        top: Largest number of matches for each item, at least 1.
        by_category: How many of each category are given as well; None for none.
        where: Only products that pass this filter.

    Returns:
        R items in the query's order, and the seconds of the steps ``search`` and, where the
        system has a re-ranker, ``rerank``.

    Raises:
        FilterError: If the filter names an attribute that no product has.
    """
    start = time.perf_counter()
    shortlists = find_shortlists(
        store, system, embeddings, top=top, by_category=by_category, where=where
    )
    found = time.perf_counter()
    reranker = system.reranker
    described = (
        None
        if reranker is None
        # Describing takes time, and is for nothing where no product passes the filter.
        else [
            reranker.describe(part, Domain.STREET) if row else b""
            for part, row in zip(query.parts, shortlists.hits, strict=True)
        ]
    )
    items = find_items(
        store, system, query.regions, shortlists, described, top=top, by_category=by_category
    )
    seconds = {"search": found - start}
    if reranker is not None:
        seconds["rerank"] = time.perf_counter() - found
    return items, seconds
