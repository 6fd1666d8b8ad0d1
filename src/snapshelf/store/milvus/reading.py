"""What is read of one state of a shelf in Milvus."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np

from snapshelf.errors import FilterError
from snapshelf.store.filters import Filter
from snapshelf.store.milvus.connection import MOST_ROWS, Connection
from snapshelf.store.milvus.expression import OWN_FIELDS, all_of, filter_expression
from snapshelf.store.milvus.hashes import (
    attribute_number,
    numbers_text,
    own_number,
    text_number,
)
from snapshelf.store.milvus.head import Head, visible
from snapshelf.store.milvus.rows import (
    EMBEDDING_FIELDS,
    PRODUCT_FIELDS,
    Located,
    StoredProduct,
    located_in,
    read_shown,
    read_stored,
)
from snapshelf.store.records import Counts, StoredEmbeddings

__all__ = [
    "check_attributes",
    "chunks",
    "count_seen",
    "embedding_expression",
    "every_row",
    "first_pictures",
    "known_contents",
    "product_expression",
    "product_rows_of",
    "read_counts",
    "read_embeddings",
    "read_located",
    "read_products",
    "read_whole",
    "rows_of_products",
    "seen_products",
]

V = TypeVar("V")

NUMBERS_A_QUERY = 500
REGIONS_A_QUERY = 4_000

NAMES_SHOWN = 30
NAMES_FROM = 1_000
"""Attributes are told by name, in an error, as found in so many products."""

ANSWER_BYTES = 16 << 20
"""Read in one answer, about; Milvus sends no more than 64 MiB."""


def embedding_expression(head: Head, where: Filter | None = None, *extra: str) -> str:
    """Give the expression of the embeddings of a state that pass a filter."""
    filtered = "" if where is None else filter_expression(where, partitioned=head.partitioned)
    return all_of([visible(head, product="product"), filtered, *extra])


def product_expression(head: Head, where: Filter | None = None, *extra: str) -> str:
    """Give the expression of the rows of products of a state that pass a filter.

    A product has more than one if its text is long; their ``part`` rises from 0.
    """
    filtered = "" if where is None else filter_expression(where)
    return all_of([visible(head, product="owner"), "part >= 0", filtered, *extra])


def product_rows_of(
    connection: Connection, head: Head, product_ids: Sequence[str]
) -> list[dict[str, Any]]:
    """Read the rows of products; those not there are left out."""
    rows = []
    for chunk in chunks(list(dict.fromkeys(product_ids)), NUMBERS_A_QUERY):
        numbers = numbers_text([own_number("id", name) for name in chunk])
        expression = product_expression(head, None, f"identity in {numbers}")
        rows += connection.query(head.products, expression, PRODUCT_FIELDS, head.timestamp)
    return rows


def read_products(
    connection: Connection, head: Head, product_ids: Sequence[str]
) -> dict[str, StoredProduct]:
    """Read products; those not there are left out."""
    stored = read_stored(product_rows_of(connection, head, product_ids))
    # Another product may have the same number in place of its ID, if hardly ever.
    return {name: stored[name] for name in dict.fromkeys(product_ids) if name in stored}


def known_contents(connection: Connection, head: Head, contents: Sequence[str]) -> set[str]:
    """Read which content digests have embeddings."""
    return set(first_pictures(connection, head, contents))


def first_pictures(
    connection: Connection, head: Head, contents: Sequence[str]
) -> dict[str, tuple[int, int]]:
    """Find a picture of each content: its product's number and its position there.

    Of several it is that of the lowest number, but where a content has very many pictures.
    """
    found: dict[str, tuple[int, int]] = {}
    for chunk in chunks(list(dict.fromkeys(contents)), NUMBERS_A_QUERY):
        left = {text_number("content", content) for content in chunk}
        wanted = set(chunk)
        while left:
            numbers = numbers_text(sorted(left))
            rows = connection.query(
                head.embeddings,
                embedding_expression(head, None, f"content_number in {numbers}"),
                ("content", "product", "position"),
                head.timestamp,
            )
            for row in rows:
                if row["content"] in wanted:
                    place = (int(row["product"]), int(row["position"]))
                    found[row["content"]] = min(found.get(row["content"], place), place)
            if len(rows) < MOST_ROWS:
                break
            # One content with very many pictures has taken up the answer: ask for the others.
            left -= {text_number("content", row["content"]) for row in rows}
    return found


def read_located(connection: Connection, head: Head, contents: Sequence[str]) -> dict[str, Located]:
    """Read what contents gave: regions, embeddings and where their descriptions are."""
    places = first_pictures(connection, head, contents)
    located: dict[str, Located] = {}
    for chunk in chunks(list(places.items()), NUMBERS_A_QUERY):
        products = numbers_text(sorted({product for _, (product, _) in chunk}))
        numbers = numbers_text(sorted({text_number("content", content) for content, _ in chunk}))
        rows = connection.query(
            head.embeddings,
            embedding_expression(
                head, None, f"product in {products}", f"content_number in {numbers}"
            ),
            EMBEDDING_FIELDS,
            head.timestamp,
        )
        for content, place in chunk:
            own = [r for r in rows if (r["product"], r["position"]) == place]
            own = [r for r in own if r["content"] == content]
            if own:
                located[content] = located_in(own)
    return located


def rows_of_products(
    connection: Connection, head: Head, regions: Mapping[int, int]
) -> list[dict[str, Any]]:
    """Read the rows of embeddings of products, given by number with how many each has."""
    rows: list[dict[str, Any]] = []
    for numbers in _lots(regions, REGIONS_A_QUERY):
        expression = f"product in {numbers_text(numbers)}"
        name, fields = head.embeddings, EMBEDDING_FIELDS
        if sum(regions[number] for number in numbers) <= REGIONS_A_QUERY:
            rows += connection.query(name, expression, fields, head.timestamp)
            continue
        for block in every_row(connection, head, name, "region", expression, fields):
            rows += block
    return rows


def read_whole(
    connection: Connection, head: Head, after: int, most: int
) -> tuple[list[tuple[StoredProduct, dict[str, Located]]], int]:
    """Read products, by rising number, with what their pictures' contents gave.

    Args:
        connection: To the server.
        head: The state.
        after: Those of larger numbers than this.
        most: At most so many.

    Returns:
        Each product with what was located in its pictures, by content; and the largest number, 0
        if there are no more.
    """
    expression = product_expression(head, None, "part == 0")
    blocks = every_row(
        connection, head, head.products, "number", expression, (), after=after, most=most
    )
    numbers = [int(row["number"]) for row in next(blocks, [])]
    if not numbers:
        return [], 0
    rows: list[dict[str, Any]] = []
    for chunk in chunks(numbers, NUMBERS_A_QUERY):
        owned = product_expression(head, None, f"owner in {numbers_text(chunk)}")
        rows += connection.query(head.products, owned, PRODUCT_FIELDS, head.timestamp)
    stored = sorted(read_stored(rows).values(), key=lambda one: one.number)
    places: dict[tuple[int, str], list[dict[str, Any]]] = {}
    for row in rows_of_products(connection, head, {s.number: sum(s.regions) for s in stored}):
        places.setdefault((int(row["product"]), row["content"]), []).append(row)
    nothing = Located((), np.empty((0, head.dimension), np.float32), (), ())
    whole = []
    for one in stored:
        located = {}
        for content in {picture.content for picture in one.known.pictures}:
            own = places.get((one.number, content), [])
            first = min((row["position"] for row in own), default=0)
            found = located_in([row for row in own if row["position"] == first])
            located[content] = found if own else nothing
        whole.append((one, located))
    return whole, numbers[-1]


def read_counts(connection: Connection, head: Head, where: Filter | None) -> Counts:
    """Count products that pass a filter, their pictures and embeddings.

    Raises:
        FilterError: If the filter names an attribute that no product has.
    """
    if where is None:
        return head.counts
    check_attributes(connection, head, where)
    first = product_expression(head, where, "part == 0")
    products = connection.count(head.products, first, head.timestamp)
    pictures, least, more = 0, 1, products
    while more:  # those with at least one picture, and those with at least two, and so on
        more = connection.count(head.products, f"{first} and pictures >= {least}", head.timestamp)
        pictures, least = pictures + more, least + 1
    embeddings = (
        connection.count(head.embeddings, embedding_expression(head, where), head.timestamp)
        if products
        else 0
    )
    return Counts(products, pictures, embeddings)


def read_embeddings(
    connection: Connection, head: Head, where: Filter | None, *, main: bool
) -> StoredEmbeddings:
    """Read the embeddings of the products that pass a filter, by rising region number.

    Raises:
        FilterError: If the filter names an attribute that no product has.
    """
    if where is not None:
        check_attributes(connection, head, where)
    expression = embedding_expression(head, where, "position == 0" if main else "")
    vectors = [np.empty((0, head.dimension), np.float32)]
    products, images, contents = [], [], []
    for rows in every_row(
        connection, head, head.embeddings, "region", expression, ("shows", "content", "vector")
    ):
        vectors.append(np.array([row["vector"] for row in rows], np.float32))
        for row in rows:
            shown = read_shown(row["shows"])
            products.append(shown.product_id)
            images.append(shown.source)
            contents.append(row["content"])
    return StoredEmbeddings(
        np.concatenate(vectors), tuple(products), tuple(images), tuple(contents)
    )


def seen_products(connection: Connection, head: Head, run: int) -> tuple[list[int], list[int]]:
    """Tell which products an indexing run has seen, and which it has not, by number."""
    marked: set[int] = set()
    for rows in every_row(
        connection, head, head.products, "number", f"part == -1 and run == {run}", ("owner",)
    ):
        marked.update(int(row["owner"]) for row in rows)
    seen: list[int] = []
    unseen: list[int] = []
    expression = product_expression(head, None, "part == 0")
    for rows in every_row(connection, head, head.products, "number", expression, ("number", "run")):
        for row in rows:
            here = row["run"] == run or row["number"] in marked
            (seen if here else unseen).append(int(row["number"]))
    return seen, unseen


def count_seen(connection: Connection, head: Head, run: int) -> int:
    """Count the products that an indexing run has seen."""
    return len(seen_products(connection, head, run)[0])


def every_row(
    connection: Connection,
    head: Head,
    name: str,
    key: str,
    expression: str,
    fields: Sequence[str],
    *,
    after: int = -1,
    most: int = MOST_ROWS - 1,
) -> Iterator[list[dict[str, Any]]]:
    """Read all rows that an expression is true of, in blocks, by their rising keys.

    Args:
        connection: To the server.
        head: The state.
        name: The collection.
        key: Its primary key, a number.
        expression: True of the rows.
        fields: What to read of them.
        after: Those of larger keys than this.
        most: At most so many in a block.

    Yields:
        Blocks of rows, none empty.
    """
    row_bytes = 1_000 + (4 * head.dimension if "vector" in fields else 0)
    most = max(1, min(most, ANSWER_BYTES // row_bytes))
    first, width = after + 1, most
    while first < head.reserved:
        rows = connection.query(
            name,
            all_of([f"{key} >= {first} and {key} < {first + width}", expression]),
            [key, *(field for field in fields if field != key)],
            head.timestamp,
            limit=most + 1,
        )
        if len(rows) > most:
            width = max(1, width // 2)
            continue
        if rows:
            yield sorted(rows, key=lambda row: int(row[key]))
        first += width
        if len(rows) <= most // 2:
            width *= 2


def check_attributes(connection: Connection, head: Head, where: Filter) -> None:
    """Refuse a filter that names an attribute that no product has.

    Raises:
        FilterError: Which tells what attributes there are.
    """
    for name in dict.fromkeys(condition.field for condition in where.conditions):
        if name in OWN_FIELDS or name in ("category", "price"):
            continue
        expression = product_expression(
            head, None, f"array_contains(tokens, {attribute_number(name)})"
        )
        if connection.query(head.products, expression, ("number",), head.timestamp, limit=1):
            continue
        rows = connection.query(
            head.products,
            product_expression(head),
            PRODUCT_FIELDS,
            head.timestamp,
            limit=NAMES_FROM,
        )
        whole = {row["owner"] for row in rows if row["part"] == 0}
        stored = read_stored(row for row in rows if row["owner"] in whole)
        names = sorted({n.casefold() for one in stored.values() for n in one.product.attributes})
        own = sorted((*OWN_FIELDS, "category", "price"))
        raise FilterError(
            f"filter: no product has an attribute {name!r}; this shelf has: "
            f"{', '.join((*own, *names[:NAMES_SHOWN]))}"
        )


def chunks(values: Sequence[V], size: int) -> Iterator[Sequence[V]]:
    """Cut a list into parts of at most a size."""
    for start in range(0, len(values), size):
        yield values[start : start + size]


def _lots(sizes: Mapping[int, int], most: int) -> Iterator[list[int]]:
    """Cut numbers into lots whose sizes add up to at most a bound, or of one number alone."""
    lot: list[int] = []
    filled = 0
    for number, size in sizes.items():
        if lot and (filled + size > most or len(lot) == NUMBERS_A_QUERY):
            yield lot
            lot, filled = [], 0
        lot.append(number)
        filled += size
    if lot:
        yield lot
