"""A batch of products to be stored, with all that its pictures gave, new or taken over."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from snapshelf.errors import ShelfError
from snapshelf.store.milvus.connection import Connection
from snapshelf.store.milvus.contents import read_located
from snapshelf.store.milvus.embedding_rows import Located, located_in
from snapshelf.store.milvus.head import Head
from snapshelf.store.milvus.removed_contents import RemovedContents
from snapshelf.store.milvus.replaced import Replaced
from snapshelf.store.records import PictureRecord, ProductRecord

__all__ = ["Batch", "gather_batch"]


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Products to be stored.

    Attributes:
        records: One for each product, each picture in it once.
        located: What the pictures gave, by their contents.
        bodies: The descriptions that come with the batch, one for each region of a content; those
            of other contents are where `located` says.
    """

    records: Sequence[ProductRecord]
    located: Mapping[str, Located]
    bodies: Mapping[str, tuple[bytes, ...]]


def gather_batch(
    connection: Connection,
    head: Head,
    records: Sequence[ProductRecord],
    replaced: Replaced,
    removed: RemovedContents,
) -> Batch:
    """Put together what is to be stored.

    Args:
        connection: To the server.
        head: The state before.
        records: As `check_records` lets them pass; of two of one product the last counts.
        replaced: What there is of the same products.
        removed: Contents that were removed lately.

    Raises:
        ShelfError: If a picture comes without embeddings, and nothing is known of its content.
    """
    records = [_without_doubles(record) for record in records]
    located, bodies = _given(records)
    wanted = {
        picture.content: picture
        for record in records
        for picture in record.pictures
        if picture.content not in located
    }
    located |= _taken_over(connection, head, wanted, replaced, removed)
    latest = {record.product.id: record for record in records}
    return Batch(list(latest.values()), located, bodies)


def _without_doubles(record: ProductRecord) -> ProductRecord:
    """Keep one record of each picture: the first is enough, and has the embeddings."""
    wanted: dict[tuple[str, str], PictureRecord] = {}
    for picture in record.pictures:
        wanted.setdefault((picture.source, picture.content), picture)
    return replace(record, pictures=tuple(wanted.values()))


def _given(
    records: Sequence[ProductRecord],
) -> tuple[dict[str, Located], dict[str, tuple[bytes, ...]]]:
    """Gather what comes with a batch: for each content its embeddings, and its descriptions."""
    located: dict[str, Located] = {}
    bodies: dict[str, tuple[bytes, ...]] = {}
    for record in records:
        for picture in record.pictures:
            if picture.regions is None or picture.content in located:
                continue
            assert picture.embeddings is not None
            count = len(picture.regions)
            located[picture.content] = Located(
                picture.regions,
                np.ascontiguousarray(picture.embeddings, np.float32),
                ("",) * count,
                (0,) * count,
            )
            if picture.descriptions is not None:
                bodies[picture.content] = picture.descriptions
    return located, bodies


def _taken_over(
    connection: Connection,
    head: Head,
    wanted: Mapping[str, PictureRecord],
    replaced: Replaced,
    removed: RemovedContents,
) -> dict[str, Located]:
    """Find what the contents gave that come without embeddings.

    Looked for in what the batch replaces, in what was removed lately, then in the whole shelf.

    Raises:
        ShelfError: If nothing is known of one.
    """
    found = _of_replaced(replaced, wanted)
    nothing = Located((), np.empty((0, head.dimension), np.float32), (), ())
    found |= {content: nothing for content in replaced.empty if content in wanted}
    found |= removed.among([content for content in wanted if content not in found])
    found |= read_located(connection, head, [each for each in wanted if each not in found])
    for content, picture in wanted.items():
        if content not in found:
            raise ShelfError(
                f"no embedding of {picture.source!r} (content {content}) is known; "
                "run the same command again"
            )
    return found


def _of_replaced(replaced: Replaced, wanted: Mapping[str, PictureRecord]) -> dict[str, Located]:
    pictures: dict[str, dict[tuple[int, int], list[Mapping[str, Any]]]] = {}
    for row in replaced.embeddings:
        if row["content"] in wanted:
            place = (int(row["product"]), int(row["position"]))
            pictures.setdefault(row["content"], {}).setdefault(place, []).append(row)
    return {content: located_in(each[min(each)]) for content, each in pictures.items()}
