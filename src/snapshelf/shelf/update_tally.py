"""The counts of an update while it runs, and what they say of the feed."""

import time
from collections import Counter

from snapshelf.shelf.update_report import UpdateReport

__all__ = ["UpdateTally"]

NAMELESS_SHARE = 0.05
"""Above this share of rows without a readable ID a feed is taken for damaged: what it does not
show may still be sold."""


class UpdateTally:
    """Counts what an update does.

    Attributes:
        counts: By the names of `UpdateReport`.
        nameless: Bad rows that do not tell which product they are about.
        stopped: Why the feed could not be read to its end, "" if it was.
        not_removed: Why nothing was removed, "" if what is gone could be told.
    """

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.nameless = 0
        self.stopped = ""
        self.not_removed = ""
        self._started = time.monotonic()

    def why_not_remove(self) -> str:
        """Tell why the feed does not show which products are gone, "" if it does."""
        if self.stopped:
            return "the feed could not be read to its end"
        if not self.counts["read"]:
            return "the feed has no usable product"
        rows = self.counts["read"] + self.nameless
        if self.nameless > NAMELESS_SHARE * rows:
            return f"{self.nameless:,} of the feed's {rows:,} rows do not tell their product's ID"
        return ""

    def report(self) -> UpdateReport:
        """Give the counts so far."""
        return UpdateReport(
            **self.counts,
            stopped=self.stopped,
            not_removed=self.not_removed,
            seconds=time.monotonic() - self._started,
        )
