"""What a search looks at: one version of a shelf, as arrays.

A view is the derived index of an older version, the embeddings added since (compared exactly
beside it) and a mask of those removed since. Views never change, so that any number of
threads search one while the next is made.
"""

from dataclasses import dataclass

import faiss
import numpy as np
from numpy.typing import NDArray

from snapshelf.matching.distances import Distance, compare_embeddings, distances_to_similarities
from snapshelf.store.index_file import IndexFile

__all__ = ["Selection", "View", "nearest_products", "select"]

QUERY_BLOCK = 64
"""Queries compared at a time with the embeddings beside the index; bounds the memory."""

GRAPH_FROM_SHARE = 0.3
"""Below this share of selected rows the graph is left and the selected rows are compared."""

GRAPH_UP_TO = 1_000
"""More neighbours than this are not looked for in the graph but compared exactly."""

DICT_UP_TO = 1_000
"""Up to so many places a dict is the faster way to find the first of each product."""

GRAPH_BREADTH = 128
"""The graph's candidate list (HNSW's efSearch) is at least this long."""


@dataclass(frozen=True)
class View:
    """One version of a shelf.

    Attributes:
        version: The shelf's version.
        index_version: The version that the derived index was built from, 0 for none.
        distance: How embeddings are compared.
        index: The derived index, None where there is none.
        alive: (N,) bool, False for rows of the index removed since; None if none was.
        regions: (M,) int64, region numbers of the embeddings beside the index, rising.
        products: (M,) int64, their product numbers.
        vectors: (M, D) float32, the embeddings themselves.
    """

    version: int
    index_version: int
    distance: Distance
    index: IndexFile | None
    alive: NDArray[np.bool_] | None
    regions: NDArray[np.int64]
    products: NDArray[np.int64]
    vectors: NDArray[np.float32]


@dataclass(frozen=True)
class Selection:
    """Which embeddings of a view a search may find.

    Attributes:
        indexed: Number of selected rows of the index.
        bitmap: Selected rows of the index, one bit each, lowest bit first; None for all.
        beside: (M,) bool over the embeddings beside the index; None for all.
        count: Number of selected embeddings in all.
        crowding: Largest number of embeddings a product is expected to take in a ranking.
    """

    indexed: int
    bitmap: NDArray[np.uint8] | None
    beside: NDArray[np.bool_] | None
    count: int
    crowding: int


def select(view: View, allowed: NDArray[np.int64] | None) -> Selection:
    """Work out which embeddings belong to the products allowed.

    Args:
        view: The view to search.
        allowed: (A,) int64 product numbers; None for all products.
    """
    rows = 0 if view.index is None else len(view.index.regions)
    mask, beside = view.alive, None
    if allowed is not None:
        table = np.zeros(_largest_product(view) + 1, np.bool_)
        table[allowed[allowed < len(table)]] = True
        beside = table[view.products]
        if view.index is not None:
            chosen = table[view.index.products]
            mask = chosen if mask is None else mask & chosen
    indexed = rows if mask is None else int(np.count_nonzero(mask))
    count = indexed + (len(view.regions) if beside is None else int(np.count_nonzero(beside)))
    products = len(allowed) if allowed is not None else _product_count(view)
    return Selection(
        indexed=indexed,
        bitmap=None if mask is None else np.packbits(mask, bitorder="little"),
        beside=beside,
        count=count,
        crowding=max(1, -(-count // max(1, products))),
    )


def nearest_products(
    view: View, queries: NDArray[np.float32], top: int, selection: Selection
) -> list[tuple[NDArray[np.int64], NDArray[np.float32]]]:
    """Find the products most similar to each query, a product's best embedding counting.

    Args:
        view: The view to search.
        queries: (Q, D) float32, L2-normalised, C-contiguous.
        top: Largest number of products, at least 1.
        selection: Which embeddings may be found.

    Returns:
        For each query the region numbers (K,) int64 and similarities (K,) float32, falling,
        of K <= top different products.
    """
    found = []
    for start in range(0, len(queries), QUERY_BLOCK):
        block = queries[start : start + QUERY_BLOCK]
        # Enough embeddings to hold `top` products is a guess: look again, wider, until it is.
        fetch = min(selection.count, top * selection.crowding)
        while True:
            ranked = _nearest_embeddings(view, block, fetch, selection)
            grouped = [_best_of_each_product(*one, top) for one in ranked]
            if fetch >= selection.count or all(len(regions) >= top for regions, _ in grouped):
                break
            fetch = min(selection.count, fetch * 4)
        found += grouped
    return found


def _nearest_embeddings(
    view: View, queries: NDArray[np.float32], fetch: int, selection: Selection
) -> list[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]]:
    """Rank embeddings: for each query region numbers, product numbers and similarities."""
    if fetch == 0:
        empty = np.empty(0, np.int64)
        return [(empty, empty, np.empty(0, np.float32)) for _ in queries]
    ranked = []
    if view.index is not None and selection.indexed:
        ranked.append(_indexed(view.index, queries, fetch, selection, view.distance))
    if len(view.regions):
        ranked.append(_beside(view, queries, fetch, selection))
    if len(ranked) == 1:
        return ranked[0]
    merged = []
    for parts in zip(*ranked, strict=True):
        regions, products, similarities = (
            np.concatenate(columns) for columns in zip(*parts, strict=True)
        )
        order = np.argsort(-similarities, kind="stable")[:fetch]
        merged.append((regions[order], products[order], similarities[order]))
    return merged


def _indexed(
    file: IndexFile,
    queries: NDArray[np.float32],
    fetch: int,
    selection: Selection,
    distance: Distance,
) -> list[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]]:
    rows = len(file.regions)
    fetch = max(1, min(fetch, selection.indexed))
    selector = None if selection.bitmap is None else faiss.IDSelectorBitmap(selection.bitmap)
    share = selection.indexed / max(1, rows)
    if file.index is not file.flat and fetch <= GRAPH_UP_TO and share >= GRAPH_FROM_SHARE:
        breadth = int(max(GRAPH_BREADTH, 2 * fetch) / share)
        parameters = faiss.SearchParametersHNSW(sel=selector, efSearch=breadth)
        found, positions = file.index.search(queries, fetch, params=parameters)
    elif selector is not None:
        parameters = faiss.SearchParameters(sel=selector)
        found, positions = file.flat.search(queries, fetch, params=parameters)
    else:
        found, positions = file.flat.search(queries, fetch)
    # An inner product, of L2-normalised embeddings, is the similarity itself.
    similarities = (
        distances_to_similarities(found, distance, queries.shape[1]) if distance == "l1" else found
    )
    ranked = []
    for query_positions, query_similarities in zip(positions, similarities, strict=True):
        if query_positions[-1] < 0:  # faiss fills up with -1 when there are fewer
            valid = query_positions >= 0
            query_positions, query_similarities = query_positions[valid], query_similarities[valid]
        ranked.append(
            (file.regions[query_positions], file.products[query_positions], query_similarities)
        )
    return ranked


def _beside(
    view: View, queries: NDArray[np.float32], fetch: int, selection: Selection
) -> list[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]]:
    rows = None if selection.beside is None else np.flatnonzero(selection.beside)
    vectors = view.vectors if rows is None else view.vectors[rows]
    ranked = []
    for similarities in compare_embeddings(queries, vectors, view.distance):
        if fetch < len(similarities):
            best = np.argpartition(-similarities, fetch - 1)[:fetch]
        else:
            best = np.arange(len(similarities))
        best = best[np.argsort(-similarities[best], kind="stable")]
        chosen = best if rows is None else rows[best]
        ranked.append((view.regions[chosen], view.products[chosen], similarities[best]))
    return ranked


def _best_of_each_product(
    regions: NDArray[np.int64],
    products: NDArray[np.int64],
    similarities: NDArray[np.float32],
    top: int,
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    best = _first_of_each(products)[:top]
    # Rounding takes the similarity of two unit vectors a little beyond 1.
    similarities = np.clip(similarities, -1.0, 1.0)
    if len(best) == len(products):
        return regions, similarities
    return regions[best], similarities[best]


def _first_of_each(products: NDArray[np.int64]) -> NDArray[np.int64]:
    """Give the rows in which each product stands first, rising."""
    if len(products) > DICT_UP_TO:
        return np.sort(np.unique(products, return_index=True)[1])
    first: dict[int, int] = {}
    for row, product in enumerate(products.tolist()):
        first.setdefault(product, row)
    return np.fromiter(first.values(), np.int64, len(first))


def _largest_product(view: View) -> int:
    largest = int(view.products.max(initial=0))
    if view.index is not None and len(view.index.products):
        largest = max(largest, int(view.index.products.max()))
    return largest


def _product_count(view: View) -> int:
    """Count products, those both in the index and beside it twice (a guess is enough)."""
    count = len(np.unique(view.products))
    if view.index is not None:
        count += view.index.product_count
    return count
