"""Indexing feeds as jobs: what was sent, or the shelf's own."""

import io
import tempfile
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Protocol

from snapshelf.catalog.catalog import Catalog
from snapshelf.catalog.entry import Entry
from snapshelf.catalog.report import IngestionReport
from snapshelf.media.fetcher import Fetcher
from snapshelf.service.feed_errors import FeedErrors
from snapshelf.service.job_work import Cancelled, JobWork
from snapshelf.service.json_answer import write_json
from snapshelf.service.parts import Parts
from snapshelf.service.problems import ProblemError
from snapshelf.shelf.feeding import feed_shelf, own_feed, own_feed_path
from snapshelf.shelf.update_report import UpdateReport

__all__ = ["PROBLEMS", "FeedOptions", "Reindexing"]

PROBLEMS = "problems"
SHOWN_PROBLEMS = 100
PROBLEM_BYTES = 16 * 1024 * 1024
"""Most bytes of problems kept for download; later ones are counted only."""

READING = 0.05
"""Share of the progress that looking through the feed is, before anything is stored."""

HALF = 0.5
"""Share of the shelf that a feed may remove without being sure."""

SURE_OWN = 'if that is right, send the JSON `{"sure": true}`'
SURE_SENT = (
    "if that is right, send it again with the form field `sure=true`, or with the form field "
    "`whole=false` to remove nothing"
)


class FeedOptions(Protocol):
    """How a feed that was sent is read; see `snapshelf.service.index_routes.IndexOptions`."""

    @property
    def recheck(self) -> bool:
        """Read every picture again."""
        ...

    @property
    def sure(self) -> bool:
        """Remove more than half of the shelf, if that is what the feed says."""
        ...

    @property
    def whole(self) -> bool:
        """Whether the feed has all that is sold."""
        ...

    @property
    def format(self) -> str | None:
        """None to recognise it."""
        ...

    @property
    def encoding(self) -> str | None:
        """None for UTF-8, or what the feed itself says."""
        ...

    @property
    def currency(self) -> str:
        """Of prices that name none."""
        ...


class Reindexing:
    """Indexes feeds into the shelf of a service; in the thread of its jobs.

    Args:
        parts: Of the service.
    """

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def own(self, recheck: bool, sure: bool, job: JobWork) -> bytes:
        """Index the feed that the shelf was made from.

        Raises:
            ProblemError: If it cannot be read, or the shelf not be written.
        """
        path = own_feed_path(self._parts.shelf.store)
        with FeedErrors(path, "" if path is None else path.name, own=True) as errors:
            catalog = own_feed(self._parts.shelf.store)
            return self._index(
                catalog,
                str(catalog.path),
                errors,
                job,
                whole=True,
                recheck=recheck,
                sure=sure,
                most=None,
            )

    def sent(
        self,
        folder: "tempfile.TemporaryDirectory[str]",
        name: str,
        options: FeedOptions,
        job: JobWork,
    ) -> bytes:
        """Index a feed that was sent; raises as `own` does."""
        (file,) = Path(folder.name).iterdir()
        with FeedErrors(file, name, own=False) as errors:
            try:
                catalog = Catalog.open(
                    file,
                    format=options.format,
                    encoding=options.encoding,
                    currency=options.currency,
                )
            except ValueError as error:
                raise ProblemError("invalid", str(error)) from None
            return self._index(
                catalog,
                name or "feed",
                errors,
                job,
                whole=options.whole,
                recheck=options.recheck,
                sure=options.sure,
                most=self._parts.settings.feed_rows,
            )

    def _index(
        self,
        catalog: Catalog,
        name: str,
        errors: FeedErrors,
        job: JobWork,
        *,
        whole: bool,
        recheck: bool,
        sure: bool,
        most: int | None,
    ) -> bytes:
        parts = self._parts
        assert parts.shelf.place is not None
        total = _count(catalog, job, most)
        held = parts.shelf.count().products
        if whole and not sure and held - total > HALF * held:
            raise ProblemError(
                "conflict",
                f"the feed has {total:,} products and the shelf {held:,}: more than half would be "
                f"removed; {SURE_OWN if most is None else SURE_SENT}",
            )
        log = _BoundedLines(PROBLEM_BYTES)
        report = IngestionReport(log)

        def show(counts: UpdateReport) -> None:
            share = READING + (1 - READING) * min(1.0, counts.read / max(1, total))
            job.note(share, **asdict(counts), of=total, problems=_sum(report))

        show(UpdateReport())
        limits = parts.settings.limits
        # More patient than that of single pictures: nobody waits for an answer.
        fetcher = Fetcher(
            None,
            allow_private=parts.settings.allow_private,
            timeout_s=10.0,
            total_s=30.0,
            retries=2,
            max_bytes=limits.max_bytes,
        )
        with closing(fetcher):
            updated = feed_shelf(
                parts.shelf.place,
                parts.shelf.system,
                catalog,
                feed=name,
                whole=whole,
                recheck=recheck,
                fetcher=fetcher,
                limits=limits,
                on_problem=report.add,
                on_progress=show,
                is_given_up=lambda: job.is_given_up,
            )
        job.files[PROBLEMS] = log.getvalue().encode("utf-8", "backslashreplace")
        show(updated)
        if job.is_given_up and updated.stopped:
            raise Cancelled
        told = report.to_json()
        address = f"/v1/index/{job.id}/problems"
        return write_json(
            {
                "feed": name.replace("\\", "/").rpartition("/")[2],
                "format": catalog.format,
                "report": {**asdict(updated), "stopped": errors.shown(updated.stopped)},
                "reasons": told["reasons"],
                "problems": told["problems"][:SHOWN_PROBLEMS],
                "problem_count": _sum(report),
                "problem_files": {"csv": f"{address}.csv", "jsonl": f"{address}.jsonl"},
            }
        )


class _BoundedLines(io.StringIO):
    """Keeps lines until there are too many bytes of them."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most

    def write(self, line: str) -> int:
        if self.tell() + len(line) > self._most:
            return 0
        return super().write(line)


def _count(catalog: Catalog, job: JobWork, most: int | None) -> int:
    """Count the products of a feed, which tells early whether it is one.

    Raises:
        ProblemError: If there are too many.
        FeedError: If it cannot be read on.
    """
    total = 0
    for rows, each in enumerate(catalog, 1):
        total += isinstance(each, Entry)
        if most is not None and rows > most:
            raise ProblemError(
                "too-large",
                f"the feed has more than {most:,} rows; index it with `snapshelf index`",
            )
        if rows % 256 == 1:
            job.tell(0.0, looked_through=rows)
    return total


def _sum(report: IngestionReport) -> int:
    return report.skipped_products + report.skipped_parts
