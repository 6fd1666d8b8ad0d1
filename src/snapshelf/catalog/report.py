"""The `IngestionReport`: what became of a feed's products, counted while it streams by."""

import json
import re
from collections import Counter
from dataclasses import asdict
from typing import Any, TextIO

from snapshelf.catalog.entry import Entry, Problem

__all__ = ["IngestionReport"]

KEPT_PROBLEMS = 1_000
MAX_KINDS = 500
PICTURE = "image"
OTHER = ("", "of another kind")
DETAIL = re.compile(r"'[^']*'|\"[^\"]*\"|\d+")


class IngestionReport:
    """Counts what was read and skipped, in bounded memory however long the feed is.

    Args:
        log: Open for text; every problem is written to it as one line of JSON.

    Attributes:
        products: Products read so far.
        skipped_products: Products skipped so far.
        skipped_parts: Single pictures and fields left out so far, of products that were read.
        problems: The first 1,000 problems.

    Example:
        >>> report = IngestionReport()
        >>> report.add(Problem(7, "price", "is no price: 'free'"))
        >>> report.to_json()["reasons"]
        [{'field': 'price', 'reason': 'is no price', 'count': 1}]
    """

    def __init__(self, log: TextIO | None = None) -> None:
        self.products = 0
        self.skipped_products = 0
        self.skipped_parts = 0
        self.problems: list[Problem] = []
        self._kinds: Counter[tuple[str, str]] = Counter()
        self._log = log

    @property
    def skipped(self) -> bool:
        """Whether anything was skipped."""
        return bool(self.skipped_products or self.skipped_parts)

    @property
    def reasons(self) -> dict[tuple[str, str], int]:
        """How often each (field, kind of reason) came, the most frequent first.

        At most 500 kinds are told apart; the rest is counted together.
        """
        return dict(self._kinds.most_common())

    def add(self, found: Entry | Problem) -> None:
        """Count a product that was read, or a problem.

        Args:
            found: What a `Catalog` yields, or a problem found later, such as a dead link.
        """
        if isinstance(found, Entry):
            self.products += 1
            return
        if found.fatal:
            self.skipped_products += 1
        else:
            self.skipped_parts += 1
        kind = (found.field, _kind(found.reason, found.field))
        self._kinds[kind if kind in self._kinds or len(self._kinds) < MAX_KINDS else OTHER] += 1
        if len(self.problems) < KEPT_PROBLEMS:
            self.problems.append(found)
        if self._log is not None:
            self._log.write(json.dumps(asdict(found)) + "\n")

    def to_json(self) -> dict[str, Any]:
        """The report as values that JSON can hold.

        Returns:
            ``products``, ``skipped_products``, ``skipped_parts``, ``reasons`` (a list of
            ``field``, ``reason`` and ``count``) and ``problems`` (the first 1,000, each with
            ``line``, ``field``, ``reason``, ``product_id`` and ``fatal``).
        """
        return {
            "products": self.products,
            "skipped_products": self.skipped_products,
            "skipped_parts": self.skipped_parts,
            "reasons": [
                {"field": field, "reason": reason, "count": count}
                for (field, reason), count in self.reasons.items()
            ],
            "problems": [asdict(problem) for problem in self.problems],
        }


def _kind(reason: str, field: str) -> str:
    """What is the same in all reasons of one kind: what stands before a detail.

    What is said of a picture begins with its name, which is a detail too.
    """
    if field == PICTURE:
        reason = reason.partition(": ")[2] or reason
    return DETAIL.sub("\u2026", reason.partition(": ")[0])[:100]
