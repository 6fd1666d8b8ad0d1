"""Changing a shelf in Milvus: new rows, then the head, then the old rows' deletion."""

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from snapshelf.errors import ShelfError
from snapshelf.store.milvus.connection import Connection
from snapshelf.store.milvus.descriptions import HOW, INLINE, DescriptionFiles, inline
from snapshelf.store.milvus.hashes import numbers_text
from snapshelf.store.milvus.head import Head
from snapshelf.store.milvus.lease import Lease
from snapshelf.store.milvus.reading import (
    chunks,
    product_rows_of,
    read_located,
    rows_of_products,
    seen_products,
)
from snapshelf.store.milvus.rows import (
    Located,
    Shown,
    embedding_row,
    filter_row,
    located_in,
    product_rows,
    read_stored,
)
from snapshelf.store.records import Counts, PictureRecord, ProductRecord

__all__ = ["MOST_REMOVED", "Writer", "check_picture"]

MOST_REMOVED = 20_000
"""Products removed in one commit, or replaced: the head names them until their rows are deleted."""

CONTENTS_KEPT = 4_096
"""Contents whose pictures were removed lately, and which a product to come may have: an update
asks for contents a little before it stores them."""

NUMBERS_A_QUERY = 500


@dataclass(frozen=True, slots=True)
class _Old:
    """Stored products that a batch replaces or removes.

    Attributes:
        regions: How many each has, by its number.
        rows: Keys of all their rows of products.
        counts: What they are and hold.
        empty: Contents of their pictures that have no region.
    """

    regions: Mapping[int, int]
    rows: tuple[int, ...]
    counts: Counts
    empty: frozenset[str]


class Writer:
    """Writes to a shelf under a lease; for one thread at a time.

    Args:
        connection: To the server.
        lease: The writer's hold on the shelf.
        files: Gives where large descriptions are, None where no place is named.
    """

    def __init__(
        self,
        connection: Connection,
        lease: Lease,
        files: Callable[[], DescriptionFiles | None],
    ) -> None:
        self._connection = connection
        self._lease = lease
        self._files = files
        self._removed: OrderedDict[str, Located] = OrderedDict()
        self._deleted: set[int] = set()
        self.blocks_left: set[int] = set()

    def put(self, records: Sequence[ProductRecord], *, run: int) -> None:
        """Insert products or replace them whole.

        Args:
            records: At most one for each product; each picture checked by `check_picture`.
            run: The indexing run that saw them.
        """
        head = self._lease.head
        records = [_without_doubles(record) for record in records]
        wanted = {record.product.id: record for record in records}  # the last one, if two
        old, old_rows = self._old(head, list(wanted))
        located, bodies = _given(records)
        located |= self._taken_over(head, records, located, old, old_rows)
        version = self._lease.number()
        try:
            regions = self._write(head, list(wanted.values()), located, bodies, version, run)
        except BaseException:
            self._lease.abandon(version)
            with suppress(ShelfError):
                if (files := self._files()) is not None:
                    files.remove([version])
            raise
        new = Counts(
            len(wanted),
            sum(len(record.pictures) for record in wanted.values()),
            regions,
        )
        self._commit(version, old, new)
        self._delete_old(old, old_rows)

    def remove(self, product_ids: Sequence[str]) -> int:
        """Remove products; gives how many there were."""
        count = 0
        for chunk in chunks(list(dict.fromkeys(product_ids)), MOST_REMOVED):
            old, old_rows = self._old(self._lease.head, chunk)
            count += self._remove(old, old_rows)
        return count

    def remove_unseen(self, run: int) -> int:
        """Remove the products that an indexing run has not seen; gives how many."""
        head, count = self._lease.head, 0
        _, unseen = seen_products(self._connection, head, run)
        for numbers in chunks(unseen, MOST_REMOVED):
            old = self._old_numbered(self._lease.head, numbers)
            count += self._remove(
                old, rows_of_products(self._connection, self._lease.head, old.regions)
            )
        return count

    def mark(self, product_ids: Sequence[str], *, run: int) -> None:
        """Note that a run has seen products; unknown ones are ignored."""
        head = self._lease.head
        stored = read_stored(product_rows_of(self._connection, head, product_ids))
        seen = [stored[name].number for name in dict.fromkeys(product_ids) if name in stored]
        if not seen:
            return
        first = self._lease.number(len(seen))
        empty = {"identity": 0, "brand": 0, "currency": 0, "availability": 0, "department": 0}
        rows = [
            {
                "number": first + place,
                "vector": [0.0, 0.0],
                "added": 0,
                "run": run,
                "part": -1,
                "owner": number,
                "pictures": 0,
                "body": "",
                **empty,
                "priced": False,
                "price": 0.0,
                "tokens": [],
            }
            for place, number in enumerate(seen)
        ]
        self._connection.insert(head.products, rows, row_bytes=200)
        # Whoever counts what was seen sees these.
        self._lease.commit(replace(self._lease.head, timestamp=self._connection.now()))

    def forget_marks(self, run: int) -> None:
        """Delete what earlier runs have noted as seen."""
        self._connection.delete_where(self._lease.head.products, f"part == -1 and run < {run}")

    def tidy(self) -> None:
        """Delete the rows of replaced and removed products that are there still."""
        head = self._lease.head
        if not head.dead:
            return
        if left := set(head.dead) - self._deleted:
            self._delete_rows(head, sorted(left))
        self._deleted.clear()
        self._lease.commit(replace(head, dead=(), timestamp=self._connection.now()))

    def known_contents(self) -> set[str]:
        """Give the contents that were removed lately and can be taken over still."""
        return set(self._removed)

    # --- the steps of a commit --------------------------------------------------------------

    def _write(
        self,
        head: Head,
        records: Sequence[ProductRecord],
        located: dict[str, Located],
        bodies: dict[str, tuple[bytes, ...]],
        version: int,
        run: int,
    ) -> int:
        """Write the rows of a batch; gives the number of embeddings."""
        located |= self._described(located, bodies, version)
        products: list[dict[str, Any]] = []
        embeddings: list[dict[str, Any]] = []
        for record in records:
            shown = [located[picture.content] for picture in record.pictures]
            own = product_rows(
                record,
                [len(each.regions) for each in shown],
                numbers=self._numbers(),
                version=version,
                run=run,
            )
            products += own
            embeddings += self._embedding_rows(record, shown, own[0]["number"], version)
        row_bytes = 4 * head.dimension + 1_500
        self._connection.insert(head.embeddings, embeddings, row_bytes)
        longest = max((len(row["body"]) for row in products), default=0)
        self._connection.insert(head.products, products, longest + 1_500)
        return len(embeddings)

    def _embedding_rows(
        self, record: ProductRecord, shown: Sequence[Located], number: int, version: int
    ) -> list[dict[str, Any]]:
        fields = filter_row(record.product)
        count = sum(len(each.regions) for each in shown)
        region = self._lease.number(count) if count else 0
        rows = []
        for position, (picture, each) in enumerate(zip(record.pictures, shown, strict=True)):
            for part, found in enumerate(each.regions):
                rows.append(
                    embedding_row(
                        fields,
                        Shown(record.product.id, picture.source, found),
                        picture.content,
                        region=region,
                        number=number,
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
        self, located: dict[str, Located], bodies: dict[str, tuple[bytes, ...]], version: int
    ) -> dict[str, Located]:
        """Put the descriptions of a batch into its rows, or into a file if they are large."""
        large = [
            (c, n) for c, each in bodies.items() for n, b in enumerate(each) if len(b) > INLINE
        ]
        written: dict[tuple[str, int], str] = {}
        if large:
            files = self._files()
            if files is None:
                size = len(bodies[large[0][0]][large[0][1]])
                raise ShelfError(
                    f"a description for re-ranking takes {size:,} bytes, too many for Milvus: {HOW}"
                )
            places = files.write(version, [bodies[content][row] for content, row in large])
            written = dict(zip(large, places, strict=True))
        placed = {}
        for content, each in bodies.items():
            texts = tuple(
                written.get((content, row)) or inline(body) for row, body in enumerate(each)
            )
            blocks = tuple(version if (content, row) in written else 0 for row in range(len(each)))
            placed[content] = replace(located[content], described=texts, blocks=blocks)
        return placed

    def _commit(self, version: int, old: _Old, new: Counts) -> None:
        """Replace the head: from here on the batch is there, and what it replaces is not."""
        head, counts = self._lease.head, self._lease.head.counts
        left = set(head.dead) - self._deleted
        self._lease.commit(
            replace(
                head,
                version=version,
                timestamp=self._connection.now(),
                counts=Counts(
                    counts.products + new.products - old.counts.products,
                    counts.pictures + new.pictures - old.counts.pictures,
                    counts.embeddings + new.embeddings - old.counts.embeddings,
                ),
                unflushed=head.unflushed + new.embeddings,
                dead=tuple(sorted({*left, *old.regions})),
            )
        )
        self._deleted &= left

    def _remove(self, old: _Old, rows: Sequence[dict[str, Any]]) -> int:
        if old.regions:
            self._commit(self._lease.number(), old, Counts(0, 0, 0))
            self._delete_old(old, rows)
        return len(old.regions)

    def _delete_old(self, old: _Old, rows: Sequence[dict[str, Any]]) -> None:
        """Delete what a commit has replaced; it has succeeded, whatever comes of this."""
        if not old.regions:
            return
        self._keep(rows)
        self.blocks_left.update(int(row["block"]) for row in rows if row["block"])
        try:
            head = self._lease.head
            self._connection.delete(head.embeddings, "region", [int(r["region"]) for r in rows])
            self._connection.delete(head.products, "number", old.rows)
        except ShelfError:
            return  # the head goes on to name them, and the next commit, or writer, tries again
        self._deleted.update(old.regions)

    def _delete_rows(self, head: Head, numbers: Sequence[int]) -> None:
        """Delete all rows of products, given by number."""
        for chunk in chunks(numbers, NUMBERS_A_QUERY):
            text = numbers_text(chunk)
            self._connection.delete_where(head.embeddings, f"product in {text}")
            self._connection.delete_where(head.products, f"owner in {text} and part >= 0")

    # --- what there was ---------------------------------------------------------------------

    def _old(self, head: Head, product_ids: Sequence[str]) -> tuple[_Old, list[dict[str, Any]]]:
        """Read of stored products what goes with them; those not there are left out."""
        rows = product_rows_of(self._connection, head, product_ids)
        old = _old_of(rows, set(product_ids))
        return old, rows_of_products(self._connection, head, old.regions)

    def _old_numbered(self, head: Head, numbers: Sequence[int]) -> _Old:
        rows: list[dict[str, Any]] = []
        for chunk in chunks(numbers, NUMBERS_A_QUERY):
            rows += self._connection.query(
                head.products,
                f"owner in {numbers_text(chunk)} and part >= 0",
                ("number", "run", "part", "owner", "body"),
                head.timestamp,
            )
        return _old_of(rows, None)

    def _taken_over(
        self,
        head: Head,
        records: Sequence[ProductRecord],
        given: dict[str, Located],
        old: _Old,
        old_rows: Sequence[dict[str, Any]],
    ) -> dict[str, Located]:
        """Find what the contents gave that come without embeddings.

        Raises:
            ShelfError: If nothing is known of one.
        """
        pictures = [picture for record in records for picture in record.pictures]
        wanted = {p.content: p for p in pictures if p.content not in given}
        grouped: dict[str, dict[tuple[int, int], list[dict[str, Any]]]] = {}
        for row in old_rows:
            if row["content"] in wanted:
                place = (int(row["product"]), int(row["position"]))
                grouped.setdefault(row["content"], {}).setdefault(place, []).append(row)
        found = {content: located_in(each[min(each)]) for content, each in grouped.items()}
        nothing = Located((), np.empty((0, head.dimension), np.float32), (), ())
        found |= {content: nothing for content in old.empty if content in wanted}
        left = [content for content in wanted if content not in found]
        found |= {content: self._removed[content] for content in left if content in self._removed}
        left = [content for content in left if content not in found]
        found |= read_located(self._connection, head, left)
        for content, picture in wanted.items():
            if content not in found:
                raise ShelfError(
                    f"no embedding of {picture.source!r} (content {content}) is known; "
                    "run the same command again"
                )
        return found

    def _keep(self, rows: Sequence[dict[str, Any]]) -> None:
        """Remember what removed pictures gave, for a product to come that shows them."""
        grouped: dict[tuple[str, int, int], list[dict[str, Any]]] = {}
        for row in rows:
            key = (row["content"], int(row["product"]), int(row["position"]))
            grouped.setdefault(key, []).append(row)
        for (content, _, _), each in list(grouped.items())[-CONTENTS_KEPT:]:
            self._removed[content] = located_in(each)
            self._removed.move_to_end(content)
        while len(self._removed) > CONTENTS_KEPT:
            self._removed.popitem(last=False)

    def _numbers(self) -> Iterator[int]:
        while True:
            yield self._lease.number()


def check_picture(picture: PictureRecord) -> None:
    """Refuse a picture that does not hold one finite embedding for each of its regions.

    Raises:
        ValueError: Which tells what was expected.
    """
    if picture.regions is None or picture.embeddings is None:
        return
    vectors, count = picture.embeddings, len(picture.regions)
    if len(vectors) != count or not np.isfinite(vectors).all():
        raise ValueError(
            f"embeddings of {picture.source!r}: expected one finite row for each of "
            f"{count} regions, got an array of shape {vectors.shape}"
        )
    if picture.descriptions is not None and len(picture.descriptions) != count:
        raise ValueError(
            f"descriptions of {picture.source!r}: expected one for each of "
            f"{count} regions, got {len(picture.descriptions)}"
        )


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


def _old_of(rows: Sequence[dict[str, Any]], wanted: set[str] | None) -> _Old:
    stored = [one for name, one in read_stored(rows).items() if wanted is None or name in wanted]
    regions = {one.number: sum(one.regions) for one in stored}
    return _Old(
        regions,
        tuple(int(row["number"]) for row in rows if row["owner"] in regions),
        Counts(len(stored), sum(len(one.regions) for one in stored), sum(regions.values())),
        frozenset(
            picture.content
            for one in stored
            for picture, count in zip(one.known.pictures, one.regions, strict=True)
            if not count
        ),
    )
