"""A search that compares each query with the gallery's products of its own category alone."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from snapshelf.catalog.product import Product
from snapshelf.datasets.dataset import Query
from snapshelf.errors import DatasetError
from snapshelf.evaluation.query_ranks import QueryRanks, group_starts
from snapshelf.evaluation.query_search import right_products
from snapshelf.evaluation.searched_queries import SearchedQueries
from snapshelf.evaluation.similarity_ranks import similarity_ranks

__all__ = ["CompareSome", "search_within_categories"]

IntArray = NDArray[np.int64]

CompareSome = Callable[[IntArray, IntArray], NDArray[np.float32]]
"""Called with the numbers of queries, (B,), and of the gallery's images, (N,), ascending both;
gives their similarities, (B, N), finite."""

LISTED = 10
"""Categories that an error lists at most."""


def search_within_categories(
    compare: CompareSome,
    products: IntArray,
    queries: Sequence[Query],
    gallery: Sequence[Product],
) -> SearchedQueries:
    """Rank the right products of each query among those of its category.

    A product is of a category that is any level of its own. Right products of other categories
    are not searched, and so count neither for nor against a query.

    Args:
        compare: Called once for each category.
        products: (G,) int64, the number of the product that each of the gallery's images shows.
        queries: At least one.
        gallery: All products.

    Returns:
        The queries in their order; the gallery is the products of their categories that have an
        image. A query of a category has its rank among that one's, but a share of the gallery, as
        of the metric ``top1pct``, is one of all of these. As many first places are kept as the
        smallest category has products, `SHOWN` at most. No seconds.

    Raises:
        DatasetError: If a query has no category, no product is of it, or none of its right
            products is.
    """
    right = right_products(queries, gallery)
    shown = np.unique(products)
    asking: dict[str, list[int]] = {}
    for number, query in enumerate(queries):
        asking.setdefault(query.category, []).append(number)
    members = {
        category: _members(category, queries[numbers[0]], shown, gallery)
        for category, numbers in asking.items()
    }
    searched = np.unique(np.concatenate(list(members.values())))
    parts = []
    for category, numbers in asking.items():
        own = members[category]
        images = np.flatnonzero(np.isin(products, own))
        ranks = similarity_ranks(
            compare(np.array(numbers), images),
            np.searchsorted(own, products[images]),
            [_within(queries[number], right[number], own) for number in numbers],
        )
        parts.append(replace(ranks, found=np.searchsorted(searched, own[ranks.found])))
    return SearchedQueries(
        queries,
        _joined(parts, np.concatenate(list(asking.values())), len(searched)),
        [gallery[number] for number in searched.tolist()],
        {},
    )


def _members(category: str, query: Query, shown: IntArray, gallery: Sequence[Product]) -> IntArray:
    """Give the numbers of a category's products among those that have an image, ascending."""
    instead = "or search the whole gallery (the setting narrowed = 'none' of asymnet's tables)"
    if not category:
        raise DatasetError(
            f"{query.picture} has no category, so it cannot be searched for within one: tell the "
            f"categories of all products, {instead}"
        )
    found = [number for number in shown.tolist() if category in gallery[number].category]
    if not found:
        known = sorted({level for product in gallery for level in product.category})
        there = f"expected one of {', '.join(known[:LISTED])}" if known else "which knows none"
        raise DatasetError(
            f"{query.picture} is of the category {category!r}, and no product with an image in the "
            f"gallery is, {there}: tell the categories of all products, {instead}"
        )
    return np.array(found)


def _within(query: Query, right: Sequence[int], own: IntArray) -> list[int]:
    """Give the places of a query's right products among those of its category."""
    places = np.flatnonzero(np.isin(own, right)).tolist()
    if not places:
        raise DatasetError(
            f"{query.picture} is of the category {query.category!r}, and none of its right "
            "products is, expected at least one: correct the category of either"
        )
    return places


def _joined(parts: Sequence[QueryRanks], queries: IntArray, products: int) -> QueryRanks:
    """Put the ranks of parts together, with the queries in their order again.

    Args:
        parts: Of Q queries in all.
        queries: (Q,) the number of each part's queries, one part after the other.
        products: In all that is searched.
    """
    order = np.argsort(queries)
    ranks = [own for part in parts for own in np.split(part.ranks, part.starts[1:-1])]
    ranks = [ranks[number] for number in order.tolist()]
    places = min(part.found.shape[1] for part in parts)
    return QueryRanks(
        ranks=np.concatenate(ranks),
        starts=group_starts(np.array([len(own) for own in ranks])),
        products=products,
        found=np.concatenate([part.found[:, :places] for part in parts])[order],
        similarities=np.concatenate([part.similarities[:, :places] for part in parts])[order],
        added=np.concatenate([part.added[:, :places] for part in parts])[order],
        wrong=np.concatenate([part.wrong for part in parts])[order],
        wrong_added=np.concatenate([part.wrong_added for part in parts])[order],
    )
