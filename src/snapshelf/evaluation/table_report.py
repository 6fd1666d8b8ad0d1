"""A paper's tables as a page: figures with their spread, the paper's beside, and the order."""

from dataclasses import dataclass
from pathlib import Path

from snapshelf.evaluation.evaluation import ProductChoice
from snapshelf.evaluation.tables import Cell, Difference, Reproduction, Row, Table, Verdict
from snapshelf.pages.render import render

__all__ = ["LABELS", "percent", "write_tables"]

LABELS = {"top1": "Top-1", "top10": "Top-10", "top20": "Top-20"}

TAGS: dict[Verdict, str] = {
    "holds": "good",
    "reversed": "bad",
    "not distinguishable": "plain",
    "too few seeds": "plain",
}
"""How a verdict looks."""


@dataclass(frozen=True, slots=True)
class _Figure:
    """A cell as it is shown: texts in percent, and the marks of its chart from 0 to 100."""

    mean: str
    deviation: str
    lowest: str
    highest: str
    published: str
    bar: float
    low: float
    high: float
    mark: float


@dataclass(frozen=True, slots=True)
class _Line:
    """A row of a table for one choice of products; no figures if it has not been run."""

    row: Row
    figures: tuple[_Figure, ...]


@dataclass(frozen=True, slots=True)
class _Part:
    """A table for one choice of products."""

    products: ProductChoice
    queries: int
    lines: tuple[_Line, ...]
    verdicts: tuple[Verdict | None, ...]


@dataclass(frozen=True, slots=True)
class _Pair:
    """A comparison of two rows, in points."""

    better: str
    worse: str
    where: str
    published: str
    mean: str
    low: str
    high: str
    values: str
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class _Shown:
    """A table with everything about it."""

    table: Table
    parts: tuple[_Part, ...]
    pairs: tuple[_Pair, ...]


def write_tables(reproduction: Reproduction, path: Path) -> None:
    """Write the tables as one HTML file that needs no other.

    Args:
        reproduction: What to show.
        path: Where to write; an existing file is replaced.

    Raises:
        OSError: If the file cannot be written.
    """
    context = {
        "reproduction": reproduction,
        "labels": [LABELS[metric] for metric in reproduction.metrics],
        "shown": [_show(table, reproduction) for table in reproduction.tables],
        "shared": _shared(reproduction),
        "tags": TAGS,
    }
    path.write_text(render("tables.html.jinja", context), encoding="utf-8")


def percent(share: float) -> str:
    """Write a share in percent with one decimal, or a difference of shares in points.

    Example:
        >>> percent(0.7326)
        '73.3'
    """
    return f"{100 * share:.1f}"


def _show(table: Table, reproduction: Reproduction) -> _Shown:
    titles = {row.name: row.title for row in table.rows}
    return _Shown(
        table=table,
        parts=tuple(
            _Part(
                products=choice,
                queries=queries,
                lines=tuple(
                    _Line(
                        row,
                        tuple(
                            _figure(cell, row.published[metric])
                            for metric, cell in row.cells.get(choice, {}).items()
                        ),
                    )
                    for row in table.rows
                ),
                verdicts=tuple(table.verdict(choice, metric) for metric in reproduction.metrics),
            )
            for choice, queries in reproduction.queries.items()
        ),
        pairs=tuple(_pair(difference, titles) for difference in table.differences),
    )


def _figure(cell: Cell, published: float) -> _Figure:
    return _Figure(
        mean=percent(cell.mean),
        deviation="" if cell.deviation is None else percent(cell.deviation),
        lowest=percent(cell.lowest),
        highest=percent(cell.highest),
        published=percent(published),
        bar=100 * cell.mean,
        low=100 * cell.lowest,
        high=100 * cell.highest,
        mark=100 * published,
    )


def _pair(difference: Difference, titles: dict[str, str]) -> _Pair:
    return _Pair(
        better=titles[difference.better],
        worse=titles[difference.worse],
        where=f"{difference.products}, {LABELS[difference.metric]}",
        published=f"+{percent(difference.published)}",
        mean=_signed(difference.mean),
        low=_signed(difference.low),
        high=_signed(difference.high),
        values=", ".join(_signed(value) for value in difference.values),
        verdict=difference.verdict,
    )


def _signed(share: float) -> str:
    return f"{100 * share:+.1f}"


def _shared(reproduction: Reproduction) -> list[tuple[str, str]]:
    """Name the trainings that several rows share, and those rows."""
    rows: dict[str, list[str]] = {}
    for table in reproduction.tables:
        for row in table.rows:
            rows.setdefault(row.training, []).append(f"{row.title} ({table.title})")
    return [(name, " and ".join(titles)) for name, titles in rows.items() if len(titles) > 1]
