"""Changing a shelf in Milvus: new rows, then the head, then the old rows' deletion."""

from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import replace

from snapshelf.errors import ShelfError
from snapshelf.store.milvus.batch import gather_batch
from snapshelf.store.milvus.batch_writing import write_batch
from snapshelf.store.milvus.connection import Connection
from snapshelf.store.milvus.description_files import DescriptionFiles
from snapshelf.store.milvus.hashes import numbers_text
from snapshelf.store.milvus.lease import Lease
from snapshelf.store.milvus.paging import NUMBERS_A_QUERY, chunks
from snapshelf.store.milvus.removals import note_removals, still_there
from snapshelf.store.milvus.removed_contents import RemovedContents
from snapshelf.store.milvus.replaced import Replaced, replaced_by_id, replaced_by_number
from snapshelf.store.milvus.runs import unseen_products
from snapshelf.store.records import Counts, ProductRecord

__all__ = ["MOST_REMOVED", "Writer"]

MOST_REMOVED = 20_000
"""Products removed in one commit, or replaced, and named by the head."""

MOST_NAMED = 1_000
"""Replaced and removed products that a head goes on to name; each search has to leave them out."""


class Writer:
    """Writes to a shelf under a lease; for one thread at a time.

    Args:
        connection: To the server.
        lease: The writer's hold on the shelf.
        files: Gives where large descriptions are, None where no place is named.

    Attributes:
        removed: What pictures gave that were removed lately.
        blocks_left: Numbers of the files of descriptions that removed rows have named.
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
        self.removed = RemovedContents()
        self.blocks_left: set[int] = set()

    def put(self, records: Sequence[ProductRecord], *, run: int) -> None:
        """Insert products or replace them whole.

        Args:
            records: At most one for each product, as `check_records` lets them pass.
            run: The indexing run that saw them.
        """
        head = self._lease.head
        ids = [record.product.id for record in records]
        old = replaced_by_id(self._connection, head, ids)
        batch = gather_batch(self._connection, head, records, old, self.removed)
        version = self._lease.number()
        try:
            new = write_batch(
                self._connection, self._lease, self._files, batch, version=version, run=run
            )
            self._make_room(old)
            timestamp = self._connection.now()
        except BaseException:
            self._lease.abandon(version)
            with suppress(ShelfError):
                if (files := self._files()) is not None:
                    files.remove([version])
            raise
        self._commit(version, old, new, timestamp)
        self._delete(old)

    def remove(self, product_ids: Sequence[str]) -> int:
        """Remove products; gives how many there were."""
        count = 0
        for ids in chunks(list(dict.fromkeys(product_ids)), MOST_REMOVED):
            count += self._remove(replaced_by_id(self._connection, self._lease.head, ids))
        return count

    def remove_unseen(self, run: int) -> int:
        """Remove the products that an indexing run has not seen; gives how many."""
        count = 0
        unseen: list[int] = []
        for numbers in unseen_products(self._connection, self._lease.head, run):
            unseen += numbers
            while len(unseen) >= MOST_REMOVED:
                count += self._remove_numbered(unseen[:MOST_REMOVED])
                del unseen[:MOST_REMOVED]
        return count + self._remove_numbered(unseen)

    def leave_out(self, dead: tuple[int, ...]) -> None:
        """Let the head name removed products whose rows have come back; `tidy` deletes them again.

        Args:
            dead: What it names then.
        """
        if dead != self._lease.head.dead:
            self._lease.commit(replace(self._lease.head, dead=dead))

    def tidy(self) -> None:
        """Delete the rows of replaced and removed products that are there still."""
        dead = self._lease.head.dead
        if not dead:
            return
        self._delete_left(dead)
        if len(dead) > MOST_NAMED:
            self._settle(dead)

    def _remove_numbered(self, numbers: Sequence[int]) -> int:
        return self._remove(replaced_by_number(self._connection, self._lease.head, numbers))

    def _remove(self, old: Replaced) -> int:
        if old.regions:
            self._make_room(old)
            version, timestamp = self._lease.number(), self._connection.now()
            self._commit(version, old, Counts(0, 0, 0), timestamp)
            self._delete(old)
        return len(old.regions)

    def _make_room(self, old: Replaced) -> None:
        """Have the head forget what it names, where it would come to name too many."""
        if len(self._lease.head.dead) + len(old.regions) > MOST_REMOVED:
            self._settle(self._lease.head.dead)

    def _commit(self, version: int, old: Replaced, new: Counts, timestamp: int) -> None:
        """Replace the head: from here on the batch is there, and what it replaces is not."""
        head, counts = self._lease.head, self._lease.head.counts
        self._lease.commit(
            replace(
                head,
                version=version,
                timestamp=timestamp,
                counts=Counts(
                    counts.products + new.products - old.counts.products,
                    counts.pictures + new.pictures - old.counts.pictures,
                    counts.embeddings + new.embeddings - old.counts.embeddings,
                ),
                unflushed=head.unflushed + new.embeddings,
                dead=tuple(sorted({*head.dead, *old.regions})),
            )
        )

    def _delete(self, old: Replaced) -> None:
        """Delete what a commit has replaced; it has succeeded, whatever comes of this."""
        if not old.regions:
            return
        self.removed.keep(old.embeddings)
        self.blocks_left.update(int(row["block"]) for row in old.embeddings if row["block"])
        try:
            head = self._lease.head
            regions = [int(row["region"]) for row in old.embeddings]
            self._connection.delete(head.embeddings, "region", regions)
            self._connection.delete(head.products, "number", old.rows)
        except ShelfError:
            return  # the head goes on to name them, and the next `tidy` tries again

    def _delete_left(self, numbers: Collection[int]) -> set[int]:
        """Delete the rows of replaced or removed products; gives those that had any left."""
        head = self._lease.head
        left = still_there(self._connection, head, numbers, self._connection.now())
        for part in chunks(sorted(left), NUMBERS_A_QUERY):
            text = numbers_text(part)
            self._connection.delete_where(head.embeddings, f"product in {text}")
            self._connection.delete_where(head.products, f"owner in {text} and part >= 0")
        return left

    def _settle(self, numbers: Collection[int]) -> None:
        """Have deletions written away, after which the head need not name their products.

        A server that is killed was seen to forget deletions that it had acknowledged and shown, and
        such as it had not written away: so far the head has to say that their rows are dead. In the
        moments after, it may still, which is what the removals are noted for.
        """
        self._delete_left(numbers)
        note_removals(self._connection, self._lease, numbers)
        head = self._lease.head
        self._connection.flush(head.embeddings, head.products)
        left = still_there(self._connection, head, numbers, self._connection.now())
        self._lease.commit(
            replace(head, dead=tuple(sorted(left)), timestamp=self._connection.now())
        )
