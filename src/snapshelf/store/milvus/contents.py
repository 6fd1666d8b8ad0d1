"""What is known of pictures by the digest of their bytes, whichever product shows them."""

from collections.abc import Sequence
from typing import Any

from snapshelf.store.milvus.connection import MOST_ROWS, Connection
from snapshelf.store.milvus.embedding_rows import EMBEDDING_FIELDS, Located, located_in
from snapshelf.store.milvus.hashes import numbers_text, text_number
from snapshelf.store.milvus.head import Head
from snapshelf.store.milvus.paging import NUMBERS_A_QUERY, chunks
from snapshelf.store.milvus.visibility import embeddings_of

__all__ = ["known_contents", "read_located"]


def known_contents(connection: Connection, head: Head, contents: Sequence[str]) -> set[str]:
    """Read which content digests have embeddings."""
    return set(_first_pictures(connection, head, contents))


def read_located(connection: Connection, head: Head, contents: Sequence[str]) -> dict[str, Located]:
    """Read what contents gave: regions, embeddings and where their descriptions are."""
    places = _first_pictures(connection, head, contents)
    located: dict[str, Located] = {}
    for chunk in chunks(list(places.items()), NUMBERS_A_QUERY):
        products = numbers_text(sorted({product for _, (product, _) in chunk}))
        numbers = numbers_text(sorted({_number(content) for content, _ in chunk}))
        rows = connection.query(
            head.embeddings,
            embeddings_of(head, None, f"product in {products}", f"content_number in {numbers}"),
            EMBEDDING_FIELDS,
            head.timestamp,
        )
        for content, place in chunk:
            if own := [row for row in rows if _place(row) == place and row["content"] == content]:
                located[content] = located_in(own)
    return located


def _first_pictures(
    connection: Connection, head: Head, contents: Sequence[str]
) -> dict[str, tuple[int, int]]:
    """Find a picture of each content: its product's number and its position there.

    Of several it is that of the lowest number, but where a content has very many pictures.
    """
    found: dict[str, tuple[int, int]] = {}
    for chunk in chunks(list(dict.fromkeys(contents)), NUMBERS_A_QUERY):
        left = {_number(content) for content in chunk}
        wanted = set(chunk)
        while left:
            numbers = numbers_text(sorted(left))
            rows = connection.query(
                head.embeddings,
                embeddings_of(head, None, f"content_number in {numbers}"),
                ("content", "product", "position"),
                head.timestamp,
            )
            for row in rows:
                if row["content"] in wanted:
                    place = _place(row)
                    found[row["content"]] = min(found.get(row["content"], place), place)
            if len(rows) < MOST_ROWS:
                break
            # One content with very many pictures has taken up the answer: ask for the others.
            left -= {_number(row["content"]) for row in rows}
    return found


def _number(content: str) -> int:
    return text_number("content", content)


def _place(row: dict[str, Any]) -> tuple[int, int]:
    return int(row["product"]), int(row["position"])
