"""A paper's tables on other data, as value objects: `Reproduction`, its tables, rows and cells."""

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from snapshelf.evaluation.evaluation import ProductChoice

__all__ = ["Cell", "Difference", "Reproduction", "Row", "Table", "Verdict", "join_verdicts"]

Verdict = Literal["holds", "not distinguishable", "reversed", "too few seeds"]
"""What became of an order that a paper found: ``holds`` or ``reversed`` where the difference is
told from chance, ``too few seeds`` where only one seed has been run of something random."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A figure and its spread.

    Attributes:
        values: One for each seed, in the order of the seeds; one in all where nothing is random.
    """

    values: tuple[float, ...]

    def __post_init__(self) -> None:
        """Refuse a figure without a value.

        Raises:
            ValueError: If there is no value, or one is not finite.
        """
        if not self.values or not all(math.isfinite(value) for value in self.values):
            raise ValueError(f"values must hold at least one finite number, got {self.values}")

    @property
    def mean(self) -> float:
        """Mean over the seeds."""
        return statistics.fmean(self.values)

    @property
    def deviation(self) -> float | None:
        """Standard deviation over the seeds, with n - 1; None of a single value."""
        return statistics.stdev(self.values) if len(self.values) > 1 else None

    @property
    def lowest(self) -> float:
        """Smallest value."""
        return min(self.values)

    @property
    def highest(self) -> float:
        """Largest value."""
        return max(self.values)

    def to_json(self) -> dict[str, Any]:
        """Give ``mean``, ``deviation``, ``lowest``, ``highest`` and ``values``."""
        return {
            "mean": self.mean,
            "deviation": self.deviation,
            "lowest": self.lowest,
            "highest": self.highest,
            "values": list(self.values),
        }


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a table.

    Attributes:
        name: Unique in its table, for ``--rows``.
        title: As the paper calls it.
        training: What was trained for it; rows with the same one share it.
        seeded: Whether anything about it is random.
        seeds: The seeds that have been run, ascending; empty if none, or if nothing is random.
        published: The paper's figures by metric, in [0, 1], on the paper's data; empty if it has
            none.
        cells: The figures by choice of products and metric; empty if it has not been run.
        note: What is to be known of it; may be empty.
        place: The line and the column of its figure in a grid; None where it is a line itself.
        missing: Which weights it was left out for, in a sentence; empty if it was not.
    """

    name: str
    title: str
    training: str
    seeded: bool
    seeds: tuple[int, ...]
    published: Mapping[str, float]
    cells: Mapping[ProductChoice, Mapping[str, Cell]]
    note: str = ""
    place: tuple[str, str] | None = None
    missing: str = ""

    def to_json(self) -> dict[str, Any]:
        """Give the row as plain values."""
        return {
            "row": self.name,
            "title": self.title,
            "training": self.training,
            "seeded": self.seeded,
            "seeds": list(self.seeds),
            "note": self.note,
            "place": None if self.place is None else list(self.place),
            "missing": self.missing or None,
            "paper": dict(self.published),
            "products": {
                choice: {metric: cell.to_json() for metric, cell in cells.items()}
                for choice, cells in self.cells.items()
            },
        }


@dataclass(frozen=True, slots=True)
class Difference:
    """Whether one row is better than another, as is claimed.

    Attributes:
        claim: What is claimed.
        better: Name of the row that is said to be better.
        worse: Name of the other row.
        products: Which queries took part.
        metric: Which figure.
        published: The difference in the paper's figures; None where it has no two.
        values: The difference for each seed, `better` less `worse`.
        low: Lower end of the 95 % interval of their mean (see `snapshelf.evaluation.order`).
        high: Upper end.
        verdict: Whether it was found to be so.
    """

    claim: str
    better: str
    worse: str
    products: ProductChoice
    metric: str
    published: float | None
    values: tuple[float, ...]
    low: float
    high: float
    verdict: Verdict

    @property
    def mean(self) -> float:
        """Mean over the seeds."""
        return statistics.fmean(self.values)

    def to_json(self) -> dict[str, Any]:
        """Give the difference as plain values."""
        return {
            "claim": self.claim,
            "better": self.better,
            "worse": self.worse,
            "products": self.products,
            "metric": self.metric,
            "paper": self.published,
            "mean": self.mean,
            "values": list(self.values),
            "low": self.low,
            "high": self.high,
            "verdict": self.verdict,
        }


@dataclass(frozen=True, slots=True)
class Table:
    """A table of a paper.

    Attributes:
        name: Unique, for ``--rows``.
        title: As the paper calls it.
        note: What is to be known of it; may be empty.
        metrics: Its figures, names of `LABELS`.
        rows: In the paper's order.
        claims: What has been looked for in it, by title.
        differences: Of the rows that are compared and have been run, by claim, choice of products
            and metric.
        queries: Number of queries by choice of products, where they are other than those of the
            other tables; empty where they are not.
        gallery: Number of products that it looks at, where they are not the whole gallery; None
            where they are.
    """

    name: str
    title: str
    note: str
    metrics: tuple[str, ...]
    rows: tuple[Row, ...]
    claims: tuple[str, ...]
    differences: tuple[Difference, ...]
    queries: Mapping[ProductChoice, int] = field(default_factory=dict)
    gallery: int | None = None

    @property
    def has_run(self) -> bool:
        """Whether any row has figures."""
        return any(row.cells for row in self.rows)

    @property
    def missing(self) -> tuple[str, ...]:
        """What rows were left out for, each sentence once."""
        return tuple(dict.fromkeys(row.missing for row in self.rows if row.missing))

    def compared(self, claim: str, products: ProductChoice, metric: str) -> tuple[Difference, ...]:
        """Give the differences that say whether a claim was found."""
        return tuple(
            difference
            for difference in self.differences
            if (difference.claim, difference.products, difference.metric)
            == (claim, products, metric)
        )

    def verdict(self, claim: str, products: ProductChoice, metric: str) -> Verdict | None:
        """Say whether a claim was found of all its rows.

        Args:
            claim: Its title.
            products: Which queries took part.
            metric: Which figure.

        Returns:
            As `join_verdicts`; None if there are not two rows to compare.
        """
        return join_verdicts(
            [difference.verdict for difference in self.compared(claim, products, metric)]
        )

    def to_json(self, choices: Iterable[ProductChoice]) -> dict[str, Any]:
        """Give the table as plain values, with the verdicts for each choice of products."""
        own: dict[str, Any] = {"queries": dict(self.queries)} if self.queries else {}
        if self.gallery is not None:
            own["gallery"] = self.gallery
        return own | {
            "table": self.name,
            "title": self.title,
            "note": self.note,
            "metrics": list(self.metrics),
            "rows": [row.to_json() for row in self.rows],
            "order": [
                {
                    "claim": claim,
                    "products": choice,
                    "metric": metric,
                    "verdict": self.verdict(claim, choice, metric),
                }
                for choice in choices
                for claim in self.claims
                for metric in self.metrics
            ],
            "differences": [difference.to_json() for difference in self.differences],
        }


@dataclass(frozen=True, slots=True)
class Reproduction:
    """A paper's tables on other data.

    Attributes:
        system: Whose paper.
        data: Names of the data sets; the first is the one searched in.
        split: The split that the queries come from.
        queries: Number of queries by choice of products; those that have one.
        gallery: Number of products in the gallery.
        seeds: The seeds asked for; empty if nothing is random.
        settings: What all trainings have in common, as JSON can hold it.
        tables: In the paper's order.
        note: What is to be known of all of them; may be empty.
        transfers: Tables of other data that nothing was trained on, each with its own queries and
            gallery.
    """

    system: str
    data: tuple[str, ...]
    split: str
    queries: Mapping[ProductChoice, int]
    gallery: int
    seeds: tuple[int, ...]
    settings: Mapping[str, Any]
    tables: tuple[Table, ...]
    note: str = ""
    transfers: tuple["Reproduction", ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Give everything as plain values, as ``snapshelf reproduce --json`` writes them.

        Figures are in [0, 1], but for ranks; an order's ``verdict`` is of a claim's rows all
        together. ``transfers``, where there are any, holds the same of other data.
        """
        transfers = [each.to_json() for each in self.transfers]
        return ({"transfers": transfers} if transfers else {}) | {
            "system": self.system,
            "data": list(self.data),
            "split": self.split,
            "queries": dict(self.queries),
            "gallery": self.gallery,
            "seeds": list(self.seeds),
            "settings": dict(self.settings),
            "note": self.note,
            "tables": [table.to_json(table.queries or self.queries) for table in self.tables],
        }


def join_verdicts(verdicts: Sequence[Verdict]) -> Verdict | None:
    """Say of an order as a whole what is said of its pairs.

    Args:
        verdicts: Of each pair.

    Returns:
        ``holds`` if every pair does, ``reversed`` if any pair is, else the weaker of the rest;
        None without a pair.

    Example:
        >>> join_verdicts(["holds", "not distinguishable", "holds"])
        'not distinguishable'
    """
    if not verdicts:
        return None
    worst_first: tuple[Verdict, ...] = ("reversed", "too few seeds", "not distinguishable", "holds")
    return min(verdicts, key=worst_first.index)
