"""Finding the products of one state of a shelf that are most similar to queries."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from snapshelf.store.filters import Filter
from snapshelf.store.milvus.attributes import check_attributes
from snapshelf.store.milvus.connection import MOST_ROWS, Connection
from snapshelf.store.milvus.embedding_rows import read_shown
from snapshelf.store.milvus.expression import all_of
from snapshelf.store.milvus.hashes import numbers_text
from snapshelf.store.milvus.head import Head
from snapshelf.store.milvus.index_kind import index_plan
from snapshelf.store.milvus.visibility import embeddings_of
from snapshelf.store.records import Hit

__all__ = ["nearest_products"]

QUERY_BLOCK = 64
"""Queries asked at a time; bounds the size of an answer."""

BLOCK_ROWS = 200_000
"""Rows in one answer, for all queries together."""


def nearest_products(
    connection: Connection,
    head: Head,
    queries: NDArray[np.float32],
    top: int,
    where: Filter | None,
) -> list[list[Hit]]:
    """Find the products most similar to each query, a product's best embedding counting.

    Args:
        connection: To the server.
        head: The state to search.
        queries: (Q, D) float32, L2-normalised.
        top: Largest number of products, at least 1.
        where: Only products that pass this filter.

    Returns:
        For each query at most `top` hits, most similar first.

    Raises:
        FilterError: If the filter names an attribute that no product has.
    """
    check_attributes(connection, head, where)
    counts = head.counts
    if not counts.embeddings:
        return [[] for _ in queries]
    expression, passing = embeddings_of(head, where), counts.embeddings
    if where is not None and head.index != "flat":
        passing = connection.count(head.embeddings, expression, head.timestamp)
        if not passing:
            return [[] for _ in queries]
    share = passing / counts.embeddings
    crowding = -(-counts.embeddings // max(1, counts.products))
    fetch = min(passing, top * crowding, MOST_ROWS)
    block = max(1, min(QUERY_BLOCK, BLOCK_ROWS // fetch))
    found: list[list[Hit]] = []
    for start in range(0, len(queries), block):
        asked = queries[start : start + block]
        found += _search(connection, head, asked, top, expression, fetch, share)
    return found


def _search(
    connection: Connection,
    head: Head,
    queries: NDArray[np.float32],
    top: int,
    expression: str,
    fetch: int,
    share: float,
) -> list[list[Hit]]:
    """Search for a block of queries; those that got too few products look again, wider."""
    most = min(head.counts.embeddings, MOST_ROWS)
    found: list[list[Hit]] = []
    for number, rows in enumerate(_ask(connection, head, queries, expression, fetch, share)):
        query, limit = queries[number : number + 1], fetch
        hits, seen = _grouped(rows, top)
        # A product with many pictures may have crowded out others.
        while len(hits) < top and len(rows) >= limit and limit < most:
            limit = min(4 * limit, most)
            (rows,) = _ask(connection, head, query, expression, limit, share)
            hits, seen = _grouped(rows, top)
        # Where Milvus gives no more rows at once: go on with the other products.
        while len(hits) < top and len(rows) >= limit and limit < head.counts.embeddings:
            others = all_of([expression, f"product not in {numbers_text(sorted(seen))}"])
            (rows,) = _ask(connection, head, query, others, limit, share)
            more, new = _grouped(rows, top - len(hits))
            hits, seen = hits + more, seen | new
        found.append(hits)
    return found


def _ask(
    connection: Connection,
    head: Head,
    queries: NDArray[np.float32],
    expression: str,
    limit: int,
    share: float,
) -> list[list[dict[str, Any]]]:
    return connection.search(
        head.embeddings,
        queries,
        limit,
        expression,
        ("product", "shows"),
        index_plan(head.index).search(limit, share),
        head.timestamp,
    )


def _grouped(rows: list[dict[str, Any]], top: int) -> tuple[list[Hit], set[int]]:
    """Keep the best row of each product; gives the hits, and the numbers of all products seen."""
    best: dict[int, dict[str, Any]] = {}
    for row in rows:
        best.setdefault(int(row["entity"]["product"]), row)
    hits = []
    for row in list(best.values())[:top]:
        shown = read_shown(row["entity"]["shows"])
        # Rounding takes the similarity of two unit vectors a little beyond 1.
        similarity = max(-1.0, min(1.0, float(row["distance"])))
        hits.append(Hit(shown.product_id, shown.source, shown.box, similarity, int(row["id"])))
    return hits, set(best)
