"""The ranks of the right products, counted in blocks of queries.

A ranking is over products, not images: a product's similarity to a query is the largest between
any of the query's rows and any of the product's images, by the system's distance (see
`snapshelf.matching.distances`). Larger is better, ranks start at 1.

Ties count against the system. An irrelevant product ranks before a relevant one when its
similarity is at least the relevant one's. As float32 matrix products of equal pictures may
differ in the last bits, similarities that differ by at most `TIE` times the lengths of the two
embeddings (by L1 distance, times the mean of the two) are taken as equal here. Relevant products
among themselves rank by similarity and never share a rank; equal ones, in the order of their
product numbers.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from snapshelf.evaluation.head_reranking import HeadReranking, place_reranked
from snapshelf.evaluation.placing import place_products
from snapshelf.evaluation.query_ranks import QueryRanks, group_starts
from snapshelf.matching.distances import Distance, compare_embeddings

__all__ = ["TIE", "product_ranks"]

TIE = 2.0**-20
"""Similarities of L2-normalised embeddings that differ by no more than this are tied."""

HELD = 2**25
"""Most similarities held at a time (128 MiB of float32), if one query needs no more."""

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.int64]


def product_ranks(
    query_embeddings: FloatArray,
    gallery_embeddings: FloatArray,
    gallery_products: NDArray[np.integer[Any]],
    relevant: Sequence[Sequence[int]],
    *,
    row_queries: NDArray[np.integer[Any]] | None = None,
    hidden: Mapping[int, Sequence[int]] | None = None,
    distance: Distance = "cosine",
    rerank: HeadReranking | None = None,
    top: int = 5,
    block: int = 256,
) -> QueryRanks:
    """Rank every query's relevant products among all products of the gallery.

    Memory stays bounded: similarities are computed for a block of rows of queries at a time,
    at most `block` and fewer when the gallery is large, so that no more than 2**25 of them are
    held (or those of one query, if it alone needs more).

    Args:
        query_embeddings: (R, D) float32, R >= 1, not NaN or infinite.
        gallery_embeddings: (G, D) float32, G >= 1, not NaN or infinite.
        gallery_products: (G,) integers, the product that each gallery image shows; any
            numbers, in any order.
        relevant: For each of the Q queries its right products, at least one; repeated
            products count once.
        row_queries: (R,) integers, ascending: which query each row belongs to, for queries
            with several regions; every query has at least one row. None: one row for each
            query, in order.
        hidden: For some of the queries, by their number, the gallery rows that they are not
            compared with. Every product must have another row for such a query.
        distance: How embeddings are compared.
        rerank: Judges the first products of every row's shortlist anew, see `head_reranking`; the
            ranks, and the similarities given, are then those of the re-ranked order.
        top: How many of the first places to keep for each query; fewer if the gallery has
            fewer products.
        block: Most rows of queries in one matrix product, at least 1.

    Returns:
        The ranks, with the first `top` places.

    Raises:
        ValueError: If shapes disagree, the gallery is empty, there is no query, an embedding
            is not finite, a query has no relevant product or no row, or `hidden` names a query or
            row that there is not, or hides a product, or `rerank` gives no finite similarity.
    """
    _check_embeddings("query_embeddings", query_embeddings)
    _check_embeddings("gallery_embeddings", gallery_embeddings)
    if query_embeddings.shape[1] != gallery_embeddings.shape[1]:
        raise ValueError(
            "query_embeddings and gallery_embeddings must have the same length D, "
            f"got {query_embeddings.shape[1]} and {gallery_embeddings.shape[1]}"
        )
    if gallery_products.shape != (len(gallery_embeddings),):
        raise ValueError(
            f"gallery_products must have shape ({len(gallery_embeddings)},), "
            f"got {gallery_products.shape}"
        )
    if top < 0 or block < 1:
        raise ValueError(f"top must be at least 0 and block at least 1, got {top} and {block}")
    row_starts = _row_starts(row_queries, len(query_embeddings), len(relevant))

    by_product = np.argsort(gallery_products, kind="stable")
    products, image_starts = np.unique(gallery_products[by_product], return_index=True)
    # A large gallery comes in order as a rule; a copy of it would take as much memory again.
    in_order = bool((by_product[1:] > by_product[:-1]).all())
    gallery = gallery_embeddings if in_order else gallery_embeddings[by_product]
    hidden_columns = _hidden_columns(hidden or {}, len(relevant), by_product, image_starts)
    columns, starts = _columns(relevant, products)
    longest = float(_lengths(gallery).max())

    places = min(top, len(products))
    ranks = np.empty(len(columns), np.float64)
    found = np.empty((len(relevant), places), np.int64)
    similarities, added = np.empty((2, len(relevant), places), np.float32)
    wrong, wrong_added = np.empty((2, len(relevant)), np.float32)
    rows_at_once = max(1, min(block, HELD // len(gallery)))
    for first, last in _query_blocks(row_starts, rows_at_once):
        rows = query_embeddings[row_starts[first] : row_starts[last]]
        regions = row_starts[first:last] - row_starts[first]
        compared = compare_embeddings(rows, gallery, distance)
        for query in hidden_columns.keys() & range(first, last):
            own = slice(*(row_starts[query : query + 2] - row_starts[first]))
            compared[own, hidden_columns[query]] = -np.inf
        table = np.maximum.reduceat(compared, image_starts, axis=1)
        lengths = np.maximum.reduceat(_lengths(rows), regions)
        scale = (longest + lengths) / 2 if distance == "l1" else longest * lengths
        tie = (TIE * scale).astype(np.float64)
        own_columns = columns[starts[first] : starts[last]]
        own_starts = starts[first : last + 1] - starts[first]

        if rerank is None:
            table = np.maximum.reduceat(table, regions, axis=0)
            placed = place_products(table, own_columns, own_starts, tie=tie, places=places)
        else:
            judge = partial(
                _judge, rerank, int(row_starts[first]), compared, by_product, image_starts
            )
            placed = place_reranked(
                table,
                np.append(regions, len(rows)),
                own_columns,
                own_starts,
                judge=judge,
                depth=rerank.depth,
                tie=tie,
                places=places,
            )
        ranks[starts[first] : starts[last]] = placed.ranks
        found[first:last] = products[placed.columns]
        similarities[first:last], added[first:last] = placed.similarities, placed.added
        wrong[first:last], wrong_added[first:last] = placed.wrong, placed.wrong_added
    return QueryRanks(ranks, starts, len(products), found, similarities, added, wrong, wrong_added)


def _judge(
    rerank: HeadReranking,
    first_row: int,
    compared: FloatArray,
    by_product: IntArray,
    image_starts: IntArray,
    row: int,
    similarities: FloatArray,
    columns: IntArray,
) -> ArrayLike:
    """Have products judged, given as columns, through the image of each that is most alike."""
    ends = np.append(image_starts[1:], len(by_product))
    images = [
        start + compared[row, start:end].argmax()
        for start, end in zip(image_starts[columns], ends[columns], strict=True)
    ]
    return rerank.judge(first_row + row, similarities, by_product[images])


def _columns(
    relevant: Sequence[Sequence[int]], products: NDArray[np.integer[Any]]
) -> tuple[IntArray, IntArray]:
    """Find the column of every query's relevant products; -1 for one that has no image."""
    distinct = [sorted(set(numbers)) for numbers in relevant]
    for query, numbers in enumerate(distinct):
        if not numbers:
            raise ValueError(f"query {query} has no relevant product: it cannot be ranked")
    flat = np.fromiter((number for numbers in distinct for number in numbers), np.int64)
    columns = np.minimum(np.searchsorted(products, flat), len(products) - 1)
    starts = group_starts(np.array([len(numbers) for numbers in distinct]))
    return np.where(products[columns] == flat, columns, -1), starts


def _hidden_columns(
    hidden: Mapping[int, Sequence[int]],
    queries: int,
    by_product: NDArray[np.integer[Any]],
    image_starts: NDArray[np.integer[Any]],
) -> dict[int, IntArray]:
    """Find where the hidden rows of each query lie once the gallery is in order of products."""
    places = np.empty(len(by_product), np.int64)
    places[by_product] = np.arange(len(by_product))
    sizes = np.diff(image_starts, append=len(by_product))
    found: dict[int, IntArray] = {}
    for query, rows in hidden.items():
        if not 0 <= query < queries or not all(0 <= row < len(places) for row in rows):
            raise ValueError(
                f"hidden must name queries in [0, {queries}) and rows in [0, {len(places)}), "
                f"got query {query} and rows {list(rows)[:5]}"
            )
        found[query] = np.unique(places[np.asarray(rows, np.int64)])
        products = np.searchsorted(image_starts, found[query], side="right") - 1
        if (np.bincount(products, minlength=len(sizes)) == sizes).any():
            raise ValueError(f"hidden must leave each product a row, query {query} has one without")
    return found


def _row_starts(row_queries: NDArray[np.integer[Any]] | None, rows: int, queries: int) -> IntArray:
    """Find where the rows of each query start, and the end; every query must have one."""
    if row_queries is None:
        if rows != queries:
            raise ValueError(
                f"relevant must name the right products of each of the {rows} queries, "
                f"got {queries}"
            )
        return np.arange(rows + 1)
    if row_queries.shape != (rows,) or (np.diff(row_queries) < 0).any():
        raise ValueError(f"row_queries must be ascending with shape ({rows},)")
    if row_queries[0] < 0 or row_queries[-1] >= queries:
        raise ValueError(
            f"row_queries must be in [0, {queries}), got {row_queries[0]} to {row_queries[-1]}"
        )
    sizes = np.bincount(row_queries, minlength=queries)
    if not sizes.all():
        raise ValueError(f"query {int(np.argmin(sizes))} has no row in query_embeddings")
    return group_starts(sizes)


def _query_blocks(row_starts: IntArray, rows: int) -> Iterator[tuple[int, int]]:
    """Cut the queries into blocks of at most `rows` rows, or of one query that has more."""
    first, queries = 0, len(row_starts) - 1
    while first < queries:
        fitting = int(np.searchsorted(row_starts, row_starts[first] + rows, side="right")) - 1
        last = max(first + 1, fitting)
        yield first, last
        first = last


def _lengths(embeddings: FloatArray) -> FloatArray:
    """Give the length of each row, without an array of all squares."""
    squares: FloatArray = np.einsum("ij,ij->i", embeddings, embeddings)
    return np.sqrt(squares)


def _check_embeddings(name: str, embeddings: FloatArray) -> None:
    if embeddings.ndim != 2 or not embeddings.size or embeddings.dtype != np.float32:
        raise ValueError(
            f"{name} must be float32 of shape (rows, D) with at least one row, "
            f"got {embeddings.dtype} of shape {embeddings.shape}"
        )
    finite = np.isfinite(embeddings).all(axis=1)
    if not finite.all():
        raise ValueError(f"{name} must be finite, row {int(np.argmin(finite))} is not")
