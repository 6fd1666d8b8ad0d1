"""Writing a batch as rows, which no reader looks at before the head is replaced."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from snapshelf.errors import ShelfError
from snapshelf.store.milvus.batch import Batch
from snapshelf.store.milvus.connection import Connection
from snapshelf.store.milvus.description_files import HOW, INLINE, DescriptionFiles, inline
from snapshelf.store.milvus.embedding_rows import Located, Shown, embedding_row
from snapshelf.store.milvus.head import Head
from snapshelf.store.milvus.lease import Lease
from snapshelf.store.milvus.product_rows import product_rows
from snapshelf.store.milvus.schema import FILTER_FIELDS
from snapshelf.store.records import Counts, ProductRecord

__all__ = ["ROW_BYTES", "write_batch"]

ROW_BYTES = 1_500
"""About what a row takes beside its embedding or its text."""


def write_batch(
    connection: Connection,
    lease: Lease,
    files: Callable[[], DescriptionFiles | None],
    batch: Batch,
    *,
    version: int,
    run: int,
) -> Counts:
    """Write the rows of a batch.

    Args:
        connection: To the server.
        lease: The writer's hold on the shelf, which gives out numbers.
        files: Gives where large descriptions are, None where no place is named.
        batch: What to write.
        version: Of the batch.
        run: The indexing run that saw it.

    Returns:
        What was written.

    Raises:
        ShelfError: If the server or the place of the descriptions does not take them.
    """
    head = lease.head
    located = {**batch.located, **_described(batch, files, version)}
    products: list[dict[str, Any]] = []
    embeddings: list[dict[str, Any]] = []
    for record in batch.records:
        shown = [located[picture.content] for picture in record.pictures]
        regions = [len(each.regions) for each in shown]
        own = product_rows(record, regions, numbers=_numbers(lease), version=version, run=run)
        products += own
        embeddings += _embedding_rows(lease, record, shown, own[0], version)
    _insert(connection, head, products, embeddings)
    pictures = sum(len(record.pictures) for record in batch.records)
    return Counts(len(batch.records), pictures, len(embeddings))


def _insert(
    connection: Connection,
    head: Head,
    products: Sequence[dict[str, Any]],
    embeddings: Sequence[dict[str, Any]],
) -> None:
    connection.insert(head.embeddings, embeddings, 4 * head.dimension + ROW_BYTES)
    longest = max((len(row["body"]) for row in products), default=0)
    connection.insert(head.products, products, longest + ROW_BYTES)


def _embedding_rows(
    lease: Lease,
    record: ProductRecord,
    shown: Sequence[Located],
    product: Mapping[str, Any],
    version: int,
) -> list[dict[str, Any]]:
    """Write the pictures of a product as rows; `product` is its own first row."""
    fields = {name: product[name] for name in FILTER_FIELDS}
    count = sum(len(each.regions) for each in shown)
    region = lease.number(count) if count else 0
    rows = []
    for position, (picture, each) in enumerate(zip(record.pictures, shown, strict=True)):
        for part, found in enumerate(each.regions):
            rows.append(
                embedding_row(
                    fields,
                    Shown(record.product.id, picture.source, found),
                    picture.content,
                    region=region,
                    number=product["number"],
                    version=version,
                    position=position,
                    part=part,
                    vector=each.vectors[part],
                    described=each.described[part],
                    block=each.blocks[part],
                )
            )
            region += 1
    return rows


def _described(
    batch: Batch, files: Callable[[], DescriptionFiles | None], version: int
) -> dict[str, Located]:
    """Put the descriptions of a batch into its rows, or into a file if they are large."""
    written = _write_large(batch.bodies, files, version)
    placed = {}
    for content, each in batch.bodies.items():
        texts = tuple(written.get((content, row)) or inline(body) for row, body in enumerate(each))
        blocks = tuple(version if (content, row) in written else 0 for row in range(len(each)))
        placed[content] = replace(batch.located[content], described=texts, blocks=blocks)
    return placed


def _write_large(
    bodies: Mapping[str, tuple[bytes, ...]],
    files: Callable[[], DescriptionFiles | None],
    version: int,
) -> dict[tuple[str, int], str]:
    """Write large descriptions; gives what their rows say, by content and region of it."""
    large = {
        (content, row): body
        for content, each in bodies.items()
        for row, body in enumerate(each)
        if len(body) > INLINE
    }
    if not large:
        return {}
    if (found := files()) is None:
        size = len(next(iter(large.values())))
        raise ShelfError(
            f"a description for re-ranking takes {size:,} bytes, too many for Milvus: {HOW}"
        )
    places = found.write(version, list(large.values()))
    return dict(zip(large, places, strict=True))


def _numbers(lease: Lease) -> Iterator[int]:
    while True:
        yield lease.number()
