"""Bringing a shelf up to date with a catalogue.

Entries flow through in the feed's order: an unchanged product is only marked as seen; the
pictures of the others are read, many at a time; those of known content are passed by and the
rest embedded; finished products are committed a batch at a time. Only what is under way is in
memory, so a kill loses at most a batch of work, and the same command goes on from there.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from typing import TypeVar

from snapshelf.catalog.entry import Entry, Problem
from snapshelf.catalog.product import Product
from snapshelf.errors import FeaturesError, FeedError, PictureError
from snapshelf.features.pipeline import EmbeddedPicture
from snapshelf.media.limits import Limits
from snapshelf.media.source import PictureSource
from snapshelf.shelf.embedder import Embedder, LocalEmbedder
from snapshelf.shelf.picture_task import (
    UNREADABLE,
    PictureTask,
    costs_nothing,
    is_unchanged,
    plan_pictures,
)
from snapshelf.shelf.picture_work import PictureWork
from snapshelf.shelf.update_report import UpdateReport
from snapshelf.shelf.update_tally import UpdateTally
from snapshelf.store.records import PictureRecord, ProductRecord
from snapshelf.store.vector_store import VectorStore
from snapshelf.systems.system import System

__all__ = ["update_shelf"]

T = TypeVar("T")

LOOK_UP = 64
"""Products looked up in the store at a time."""

COMMIT_PICTURES = 256
COMMIT_SECONDS = 5.0
COMMIT_UNCHANGED = 1_000


def update_shelf(
    entries: Iterable[Entry | Problem],
    store: VectorStore,
    system: System,
    source: PictureSource,
    *,
    feed: str,
    on_problem: Callable[[Problem], None],
    on_progress: Callable[[UpdateReport], None] | None = None,
    limits: Limits = Limits(),  # noqa: B008
    batch_size: int = 32,
    recheck: bool = False,
    whole: bool = True,
    embedder: Embedder | None = None,
) -> UpdateReport:
    """Store what is new or changed in a catalogue, remove what is no longer in it.

    Args:
        entries: The catalogue; may raise a `FeedError` where it cannot be read on.
        store: Opened for writing.
        system: The system that the store was made for.
        source: Tells which pictures have changed, and reads them.
        feed: Names the catalogue in the store's list of runs.
        on_problem: Called for everything that is skipped, in the feed's order as far as known.
        on_progress: Called after each commit with the counts so far.
        limits: Bounds of a picture.
        batch_size: Regions embedded at once, without an `embedder`.
        recheck: Read every picture again, also where nothing tells that it has changed.
        whole: Whether the entries are all that is sold. If not, nothing is removed.
        embedder: Reads and embeds the pictures; None for threads of this process.

    Returns:
        What was done.
    """
    if embedder is None:
        embedder = LocalEmbedder(PictureWork(system, source, limits), batch_size=batch_size)
    update = _Update(
        store,
        embedder,
        source,
        on_problem,
        on_progress,
        describes=system.reranker is not None,
        recheck=recheck,
        whole=whole,
    )
    return update.run(entries, feed)


class _Update:
    """One run: the steps share what is under way and the counts."""

    def __init__(
        self,
        store: VectorStore,
        embedder: Embedder,
        source: PictureSource,
        on_problem: Callable[[Problem], None],
        on_progress: Callable[[UpdateReport], None] | None,
        *,
        describes: bool,
        recheck: bool,
        whole: bool,
    ) -> None:
        self._store = store
        self._embedder = embedder
        self._source = source
        self._on_problem = on_problem
        self._on_progress = on_progress
        self._describes = describes
        self._recheck = recheck
        self._whole = whole
        self._tally = UpdateTally()
        self._run = 0
        # Contents embedded by this run but not committed yet, and those that failed.
        self._under_way: set[str] = set()
        self._failed: dict[str, PictureError] = {}
        self._records: list[ProductRecord] = []
        self._seen: list[str] = []
        self._pictures_waiting = 0
        self._committed_at = time.monotonic()

    def run(self, entries: Iterable[Entry | Problem], feed: str) -> UpdateReport:
        self._run = self._store.begin_run(feed)
        tasks = self._tasks(self._good(entries))
        with closing(self._embedder.embed(tasks, self._decide)) as embedded:
            for record in self._assembled(embedded):
                self._records.append(record)
                self._pictures_waiting += len(record.pictures)
                waited = time.monotonic() - self._committed_at
                if self._pictures_waiting >= COMMIT_PICTURES or waited >= COMMIT_SECONDS:
                    self._commit()
        self._commit()
        self._tally.not_removed = self._tally.why_not_remove() if self._whole else ""
        if self._whole and not self._tally.not_removed:
            self._tally.counts["removed"] = self._store.sweep(run=self._run)
        self._store.end_run(run=self._run)
        return self._tally.report()

    def _good(self, entries: Iterable[Entry | Problem]) -> Iterator[Entry]:
        """Pass the good entries on; a product whose row is bad now stays as it was."""
        try:
            for entry in entries:
                if isinstance(entry, Entry):
                    self._tally.counts["read"] += 1
                    yield entry
                    continue
                self._on_problem(entry)
                if not entry.fatal:
                    self._tally.counts["parts_skipped"] += 1
                    continue
                self._tally.counts["skipped"] += 1
                if entry.product_id:
                    self._see(entry.product_id)
                else:
                    self._tally.nameless += 1
        except FeedError as error:
            self._tally.stopped = str(error)

    def _tasks(self, entries: Iterator[Entry]) -> Iterator[PictureTask]:
        """Tell what is unchanged; name the pictures of the rest."""
        for block in _blocks(entries, LOOK_UP):
            known = self._store.known([entry.product.id for entry in block])
            for entry in block:
                before = known.get(entry.product.id)
                tasks = plan_pictures(entry, before, self._source, recheck=self._recheck)
                if before is not None and costs_nothing(entry.product, before, tasks):
                    self._unchanged(entry.product)
                elif not tasks:
                    self._without_picture(entry)
                else:
                    yield from tasks

    def _decide(self, tasks: Sequence[PictureTask]) -> None:
        """Decide which pictures must be embedded; called in the feed's order."""
        read = [task for task in tasks if task.read and task.error is None]
        known = self._store.known_contents(list({task.content for task in read}))
        for task in read:
            content = task.content
            at_hand = content in known or content in self._under_way or content in self._failed
            task.embed = not at_hand
            if task.embed:
                self._under_way.add(content)
            else:
                task.data = b""

    def _assembled(
        self, embedded: Iterator[EmbeddedPicture[PictureTask]]
    ) -> Iterator[ProductRecord]:
        """Put the pictures of each product together again."""
        pictures: list[PictureRecord] = []
        for result in embedded:
            picture = self._picture(result)
            if picture is not None:
                pictures.append(picture)
            task = result.key
            if not task.last:
                continue
            product = task.entry.product
            if not pictures:
                self._without_picture(task.entry)
            elif is_unchanged(product, task.before, pictures):
                self._unchanged(product)
            else:
                self._tally.counts["changed"] += 1
                yield ProductRecord(product, tuple(pictures))
            pictures = []

    def _picture(self, result: EmbeddedPicture[PictureTask]) -> PictureRecord | None:
        """Make the record of a picture; None, and a problem told, where it is unusable."""
        task = result.key
        error = task.error or result.error or self._failed.get(task.content)
        if error is not None:
            if task.content:
                self._failed[task.content] = error
                self._under_way.discard(task.content)
            self._tell(task, error)
            # The picture as it was is better than none.
            if task.known is None:
                return None
            return PictureRecord(task.image, UNREADABLE, task.known.content, None, None)
        if not task.embed:
            self._tally.counts["pictures_reused"] += 1
            return PictureRecord(task.image, task.signature, task.content, None, None)
        self._tally.counts["pictures_embedded"] += 1
        return PictureRecord(
            task.image,
            task.signature,
            task.content,
            result.regions,
            result.embeddings,
            result.descriptions if self._describes else None,
        )

    def _tell(self, task: PictureTask, error: PictureError) -> None:
        self._tally.counts["parts_skipped"] += 1
        product = task.entry.product.id
        field = "features" if isinstance(error, FeaturesError) else "image"
        self._on_problem(Problem(task.entry.line, field, str(error), product, fatal=False))

    def _without_picture(self, entry: Entry) -> None:
        self._tally.counts["skipped"] += 1
        reason = "none of the product's pictures can be used"
        self._on_problem(Problem(entry.line, "image", reason, entry.product.id))
        self._see(entry.product.id)

    def _unchanged(self, product: Product) -> None:
        self._tally.counts["unchanged"] += 1
        self._see(product.id)

    def _see(self, product_id: str) -> None:
        """Note that the feed has a product, which then stays as it is."""
        self._seen.append(product_id)
        if len(self._seen) >= COMMIT_UNCHANGED:
            self._commit()

    def _commit(self) -> None:
        self._store.upsert(self._records, run=self._run)
        self._store.touch(self._seen, run=self._run)
        for record in self._records:
            self._under_way.difference_update(picture.content for picture in record.pictures)
        self._records, self._seen = [], []
        self._pictures_waiting = 0
        self._committed_at = time.monotonic()
        if self._on_progress is not None:
            self._on_progress(self._tally.report())


def _blocks(items: Iterable[T], size: int) -> Iterator[list[T]]:
    block: list[T] = []
    for item in items:
        block.append(item)
        if len(block) == size:
            yield block
            block = []
    if block:
        yield block
