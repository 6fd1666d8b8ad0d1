"""A paper's tables as a page: figures with their spread, the paper's beside, and the order."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from snapshelf.evaluation.evaluation import ProductChoice
from snapshelf.evaluation.query_values import LABELS, RANKS
from snapshelf.evaluation.tables import Cell, Difference, Reproduction, Row, Table, Verdict
from snapshelf.pages.render import data_uri, render

__all__ = ["NOT_RUN", "figure_text", "left_out", "percent", "sum_up", "write_tables"]

NOT_RUN = "not run"

TAGS: dict[Verdict, str] = {
    "holds": "good",
    "reversed": "bad",
    "not distinguishable": "plain",
    "too few seeds": "plain",
}
"""How a verdict looks."""


@dataclass(frozen=True, slots=True)
class _Figure:
    """A cell as it is shown: its texts, and the marks of its chart from 0 to 100."""

    mean: str
    deviation: str
    lowest: str
    highest: str
    bar: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class _Shown:
    """What was measured, or why it was not, and the paper's figure, empty if it has none.

    The mark is where that lies in the chart; None for a rank, which is one of another gallery.
    """

    figure: _Figure | None
    left_out: str
    published: str
    mark: float | None


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of figures; None where the table has no row for a column."""

    title: str
    cells: tuple[_Shown | None, ...]
    seeds: str


@dataclass(frozen=True, slots=True)
class _Found:
    """What became of a claim in one metric, and how many columns that is said of."""

    verdict: Verdict | None
    told: str
    columns: int


@dataclass(frozen=True, slots=True)
class _Part:
    """Figures for one choice of products: of all metrics, or of one of them as a grid."""

    name: str
    title: str
    columns: tuple[str, ...]
    lines: tuple[_Line, ...]
    claims: tuple[tuple[str, tuple[_Found, ...]], ...]


@dataclass(frozen=True, slots=True)
class _Pair:
    """A comparison of two rows, in points."""

    claim: str
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
class _Section:
    """A table with everything about it."""

    table: Table
    parts: tuple[_Part, ...]
    pairs: tuple[_Pair, ...]


def write_tables(
    reproduction: Reproduction, path: Path, plots: Mapping[str, bytes] | None = None
) -> None:
    """Write the tables as one HTML file that needs no other.

    Args:
        reproduction: What to show.
        path: Where to write; an existing file is replaced.
        plots: PNG files of tables that are drawn as well, by their names; None for none.

    Raises:
        OSError: If the file cannot be written.
    """
    metrics = dict.fromkeys(metric for table in reproduction.tables for metric in table.metrics)
    context = {
        "reproduction": reproduction,
        "labels": [LABELS[metric] for metric in metrics if metric not in RANKS],
        "ranks": [LABELS[metric] for metric in metrics if metric in RANKS],
        "sections": [_section(table, reproduction) for table in reproduction.tables],
        "shared": _shared(reproduction),
        "tags": TAGS,
        "plots": {name: data_uri(data, "png") for name, data in (plots or {}).items()},
    }
    path.write_text(render("tables.html.jinja", context), encoding="utf-8")


def percent(share: float) -> str:
    """Write a share in percent with one decimal, or a difference of shares in points.

    Example:
        >>> percent(0.7326)
        '73.3'
    """
    return f"{100 * share:.1f}"


def figure_text(metric: str, value: float) -> str:
    """Write a figure of a table: a share in percent, a rank as it is, with one decimal.

    Example:
        >>> figure_text("top10", 0.7326), figure_text("median_rank", 5.0)
        ('73.3', '5.0')
    """
    return f"{value:.1f}" if metric in RANKS else percent(value)


def left_out(row: Row) -> str:
    """Say why a row has no figures."""
    return "no weights" if row.missing else NOT_RUN


def sum_up(table: Table, claim: str, choice: ProductChoice, metric: str) -> str:
    """Tell the difference of a claim's only two rows, or count its pairs by their verdicts.

    Args:
        table: Where the claim has been looked for.
        claim: Its title.
        choice: Which queries took part.
        metric: Which figure.

    Returns:
        One line; empty if there are not two rows to compare.
    """
    pairs = table.compared(claim, choice, metric)
    if not pairs:
        return ""
    if len(pairs) == 1:
        (pair,) = pairs
        return f"{_signed(pair.mean)} points, {_signed(pair.low)} to {_signed(pair.high)}"
    titles = {row.name: row.title for row in table.rows}
    counts = Counter(pair.verdict for pair in pairs)
    told = ", ".join(f"{counts[each]} {each}" for each in get_args(Verdict) if counts[each])
    published = [pair.published for pair in pairs if pair.published is not None]
    papers = f", in the paper {_span(published)}" if published else ""
    turned = [
        f"{titles[pair.worse]} over {titles[pair.better]} by {percent(-pair.mean)}"
        for pair in pairs
        if pair.verdict == "reversed"
    ]
    named = f"; reversed: {', '.join(turned)}" if turned else ""
    span = _span([pair.mean for pair in pairs])
    return f"of {len(pairs)} pairs {told}; {span} points{papers}{named}"


def _section(table: Table, reproduction: Reproduction) -> _Section:
    titles = {row.name: row.title for row in table.rows}
    queries = (table.queries or reproduction.queries) if table.has_run else {}
    gallery = reproduction.gallery if table.gallery is None else table.gallery
    among = "" if table.gallery is None else f" among {gallery:,} products"
    parts = [
        part
        for choice, count in queries.items()
        for part in _parts(
            table, choice, f"{choice.capitalize()} products, {count:,} queries{among}", gallery
        )
    ]
    return _Section(
        table=table,
        parts=tuple(parts or _parts(table, None, NOT_RUN.capitalize(), gallery)),
        pairs=tuple(_pair(difference, titles) for difference in table.differences),
    )


def _parts(table: Table, choice: ProductChoice | None, title: str, gallery: int) -> list[_Part]:
    """Lay out the figures for one choice of products; None where there are only the paper's."""
    name = choice or "none"
    if not all(row.place for row in table.rows):
        labels = tuple(LABELS[metric] for metric in table.metrics)
        lines = [
            _Line(
                row.title,
                tuple(_shown(row, choice, metric, gallery) for metric in table.metrics),
                ", ".join(map(str, row.seeds)) if row.seeded else "any",
            )
            for row in table.rows
        ]
        return [_Part(name, title, labels, tuple(lines), _claims(table, choice, table.metrics, 1))]
    places = {row.place: row for row in table.rows if row.place}
    columns = tuple(dict.fromkeys(column for _, column in places))
    parts = []
    for metric in table.metrics:
        lines = []
        for line in dict.fromkeys(line for line, _ in places):
            rows = [places.get((line, column)) for column in columns]
            cells = tuple(
                None if row is None else _shown(row, choice, metric, gallery) for row in rows
            )
            lines.append(_Line(line, cells, ""))
        claims = _claims(table, choice, [metric], len(columns))
        heading = f"{title}, {LABELS[metric]}"
        parts.append(_Part(f"{name}-{metric}", heading, columns, tuple(lines), claims))
    return parts


def _claims(
    table: Table, choice: ProductChoice | None, metrics: Sequence[str], columns: int
) -> tuple[tuple[str, tuple[_Found, ...]], ...]:
    if choice is None:
        return ()
    return tuple(
        (
            claim,
            tuple(
                _Found(
                    table.verdict(claim, choice, metric),
                    # In a table of lines there is no room, and the pairs stand below.
                    sum_up(table, claim, choice, metric) if columns > 1 else "",
                    columns,
                )
                for metric in metrics
            ),
        )
        for claim in table.claims
    )


def _shown(row: Row, choice: ProductChoice | None, metric: str, gallery: int) -> _Shown:
    cells = None if choice is None else row.cells.get(choice)
    published = row.published.get(metric)
    return _Shown(
        figure=None if cells is None else _figure(cells[metric], metric, gallery),
        left_out=left_out(row),
        published="" if published is None else figure_text(metric, published),
        mark=None if published is None or metric in RANKS else 100 * published,
    )


def _figure(cell: Cell, metric: str, gallery: int) -> _Figure:
    scale = 100 / gallery if metric in RANKS else 100
    return _Figure(
        mean=figure_text(metric, cell.mean),
        deviation="" if cell.deviation is None else figure_text(metric, cell.deviation),
        lowest=figure_text(metric, cell.lowest),
        highest=figure_text(metric, cell.highest),
        bar=scale * cell.mean,
        low=scale * cell.lowest,
        high=scale * cell.highest,
    )


def _pair(difference: Difference, titles: dict[str, str]) -> _Pair:
    return _Pair(
        claim=difference.claim,
        better=titles[difference.better],
        worse=titles[difference.worse],
        where=f"{difference.products}, {LABELS[difference.metric]}",
        published="" if difference.published is None else _signed(difference.published),
        mean=_signed(difference.mean),
        low=_signed(difference.low),
        high=_signed(difference.high),
        values=", ".join(_signed(value) for value in difference.values),
        verdict=difference.verdict,
    )


def _span(shares: Sequence[float]) -> str:
    return f"{_signed(min(shares))} to {_signed(max(shares))}"


def _signed(share: float) -> str:
    return f"{100 * share:+.1f}"


def _shared(reproduction: Reproduction) -> list[tuple[str, str]]:
    """Name the trainings that several rows share, and those rows; a grid's note tells its own."""
    rows: dict[str, list[str]] = {}
    for table in reproduction.tables:
        for row in table.rows:
            if row.place:
                continue
            rows.setdefault(row.training, []).append(f"{row.title} ({table.title})")
    return [(name, " and ".join(titles)) for name, titles in rows.items() if len(titles) > 1]
