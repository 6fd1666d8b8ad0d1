"""What a shelf in Milvus has to sell, page by page in the order of IDs.

Milvus gives rows in no order, but compares texts: each product's row has its ID as text of the
same order, see `id_key`. So a page is found by its upper end: of the IDs behind the page before,
some are read, of which the last of the page's number is an upper end of the page, or lies behind
it; of those up to there, again; until what is left fits one answer.
"""

import heapq
from collections.abc import Iterator, Sequence
from itertools import repeat
from typing import Any

from snapshelf.catalog.product import Product
from snapshelf.store.filters import Filter
from snapshelf.store.milvus.attributes import check_attributes
from snapshelf.store.milvus.connection import Connection
from snapshelf.store.milvus.expression import all_of
from snapshelf.store.milvus.head import Head
from snapshelf.store.milvus.paging import every_row
from snapshelf.store.milvus.product_rows import PRODUCT_FIELDS, id_key, read_stored
from snapshelf.store.milvus.reading import read_numbered
from snapshelf.store.milvus.visibility import products_of
from snapshelf.store.words import holds_words

__all__ = ["list_products"]

PAGE = 1_000
"""Products read in one step, at most."""

PAGES_WALKED = 4
"""Pages that are looked through for words one by one; behind them every product is read."""

ANSWER_ROWS = 8_192
"""IDs read in one answer, at most."""


def list_products(
    connection: Connection,
    head: Head,
    after: str,
    limit: int,
    where: Filter | None,
    words: Sequence[str],
) -> list[Product]:
    """Read products in the order of their IDs; see `VectorStore.listed`.

    Raises:
        FilterError: If the filter names an attribute that no product has.
    """
    check_attributes(connection, head, where)
    found: list[Product] = []
    for _ in range(PAGES_WALKED) if words else repeat(None):
        most = PAGE if words else min(PAGE, limit - len(found))
        page = _next_page(connection, head, after, most, where)
        found += [product for product in page if holds_words(product, words)]
        if len(found) >= limit or len(page) < most:
            return found[:limit]
        after = page[-1].id
    # Words that stand in few products: in the order in which these lie, once through them all.
    rest = (
        product
        for product in _every_product(connection, head, _behind(head, after, where))
        if holds_words(product, words)
    )
    return found + heapq.nsmallest(limit - len(found), rest, key=lambda product: product.id)


def _next_page(
    connection: Connection, head: Head, after: str, most: int, where: Filter | None
) -> list[Product]:
    """Read the products whose IDs come next, at most so many, in their order."""
    numbers = _next_numbers(connection, head, after, most, where)
    stored = read_numbered(connection, head, numbers)
    return sorted((one.product for one in stored), key=lambda product: product.id)


def _next_numbers(
    connection: Connection, head: Head, after: str, most: int, where: Filter | None
) -> list[int]:
    """Find the numbers of the products whose IDs come next.

    Where there are more than fit an answer, one product in `stride` is read, told by the number
    that stands for its ID, which has nothing to do with the order of the IDs or of the storing.
    """
    behind = all_of([_behind(head, after, where), "part == 0"])
    stride = max(1, 2 * connection.count(head.products, behind, head.timestamp) // ANSWER_ROWS)
    end = ""
    while True:
        chosen = f"identity % {stride} == 0" if stride > 1 else ""
        rows = connection.query(
            head.products,
            all_of([behind, end, chosen]),
            ("id_key", "number"),
            head.timestamp,
            limit=ANSWER_ROWS,
        )
        rows.sort(key=lambda row: str(row["id_key"]))
        if stride == 1 and len(rows) < ANSWER_ROWS:
            return [int(row["number"]) for row in rows[:most]]
        if len(rows) >= most:
            end = f'id_key <= "{rows[most - 1]["id_key"]}"'
            stride = max(1, 2 * most * stride // ANSWER_ROWS)
        else:
            stride //= 2


def _behind(head: Head, after: str, where: Filter | None) -> str:
    return products_of(head, where, f'id_key > "{id_key(after)}"')


def _every_product(connection: Connection, head: Head, expression: str) -> Iterator[Product]:
    """Read the products that an expression is true of, in the order of their numbers."""
    # The rows of a product follow one another; a block may end among them.
    begun = list[dict[str, Any]]()
    for block in every_row(connection, head, head.products, "number", expression, PRODUCT_FIELDS):
        rows = [*begun, *block]
        begun = [row for row in rows if row["owner"] == rows[-1]["owner"]]
        for one in read_stored(rows[: len(rows) - len(begun)]).values():
            yield one.product
    for one in read_stored(begun).values():
        yield one.product
