"""A paper's tables on the terminal."""

from collections.abc import Collection, Mapping, Sequence

from snapshelf.cli.console import printer
from snapshelf.evaluation.evaluation import ProductChoice
from snapshelf.evaluation.query_values import LABELS, RANKS
from snapshelf.evaluation.table_report import NOT_RUN, figure_text, left_out, sum_up
from snapshelf.evaluation.tables import Cell, Reproduction, Row, Table

__all__ = ["print_tables"]


def print_tables(reproduction: Reproduction, asked: Collection[str] | None = None) -> None:
    """Print tables, for each choice of products, with what is left of the paper's order.

    Args:
        reproduction: What to show, with those of other data.
        asked: Names of the tables that are shown in any case; others are where they have a figure,
            and are named where they have none. None for all.
    """
    console = printer()
    first = True
    for each in (reproduction, *reproduction.transfers):
        shown = [
            table for table in each.tables if asked is None or table.has_run or table.name in asked
        ]
        if shown:
            if not first:
                console.print()
            _print_all(each, shown)
            first = False


def _print_all(reproduction: Reproduction, shown: Sequence[Table]) -> None:
    """Print those tables of one data set that are to be shown, and how to read them."""
    console = printer()
    for table in shown:
        _print_table(table, reproduction.queries)
    names = {table.name for table in shown}
    if others := ", ".join(each.name for each in reproduction.tables if each.name not in names):
        console.print(f"{NOT_RUN}: {others}")
    seeds = ", ".join(map(str, reproduction.seeds))
    spread = f": mean ± standard deviation (lowest-highest) over the seeds {seeds}" if seeds else ""
    metrics = dict.fromkeys(metric for table in shown for metric in table.metrics)
    ranks = [LABELS[metric] for metric in metrics if metric in RANKS]
    places = f", {' and '.join(ranks)}: ranks, from 1" if ranks else ""
    console.print(
        f"{reproduction.data[0]}, {reproduction.split}, gallery of {reproduction.gallery} "
        f"products. Percent{places}{spread}; beside it the paper's figure, of its own data."
    )
    if reproduction.note:
        console.print(reproduction.note)


def _print_table(table: Table, queries: Mapping[ProductChoice, int]) -> None:
    """Print a table and what is to be known of it; the queries are those of all tables."""
    console = printer()
    console.print(table.title, style="bold")
    if table.note:
        console.print(table.note)
    if table.has_run:
        among = "" if table.gallery is None else f" among {table.gallery}"
        for choice, many in (table.queries or queries).items():
            _print_part(table, choice, f"{choice} products, {many} queries{among}")
    else:
        _print_part(table, None, NOT_RUN)
    for sentence in table.missing:
        console.print(f"  left out: {sentence}")
    for row in table.rows:
        if row.note:
            console.print(f"  {row.title}: {row.note}")
    console.print()


def _print_part(table: Table, choice: ProductChoice | None, heading: str) -> None:
    """Print the figures for one choice of products; None where there are only the paper's."""
    if all(row.place for row in table.rows):
        for metric in table.metrics:
            _print_grid(table, choice, metric, f"{heading}, {LABELS[metric]}")
    else:
        _print_lines(table, choice, heading)
    if choice is None:
        return
    console = printer()
    for claim in table.claims:
        for metric in table.metrics:
            if verdict := table.verdict(claim, choice, metric):
                told = sum_up(table, claim, choice, metric)
                console.print(f"  {LABELS[metric]}, {claim}: {verdict} ({told})")


def _print_lines(table: Table, choice: ProductChoice | None, heading: str) -> None:
    """Print a line for each row, with its metrics side by side."""
    from rich.table import Table as Lines

    lines = Lines(box=None, pad_edge=False)
    lines.add_column(heading)
    for metric in table.metrics:
        lines.add_column(LABELS[metric], justify="right")
        lines.add_column("paper", justify="right")
    for row in table.rows:
        texts = [text for metric in table.metrics for text in _figures(row, choice, metric)]
        lines.add_row(row.title, *texts)
    printer().print(lines)


def _print_grid(table: Table, choice: ProductChoice | None, metric: str, heading: str) -> None:
    """Print one metric of all rows, each in its place."""
    from rich.table import Table as Lines

    places = {row.place: row for row in table.rows if row.place}
    columns = dict.fromkeys(column for _, column in places)
    lines = Lines(box=None, pad_edge=False)
    lines.add_column(heading)
    for column in columns:
        lines.add_column(column, justify="right")
        lines.add_column("paper", justify="right")
    for line in dict.fromkeys(line for line, _ in places):
        texts: list[str] = []
        for column in columns:
            row = places.get((line, column))
            texts += ("", "") if row is None else _figures(row, choice, metric)
        lines.add_row(line, *texts)
    printer().print(lines)


def _figures(row: Row, choice: ProductChoice | None, metric: str) -> tuple[str, str]:
    """Give what was measured, and what the paper has."""
    cells = None if choice is None else row.cells.get(choice)
    published = row.published.get(metric)
    return (
        left_out(row) if cells is None else _figure(cells[metric], metric),
        "-" if published is None else figure_text(metric, published),
    )


def _figure(cell: Cell, metric: str) -> str:
    mean = figure_text(metric, cell.mean)
    if cell.deviation is None:
        return mean
    span = f"({figure_text(metric, cell.lowest)}-{figure_text(metric, cell.highest)})"
    return f"{mean} ± {figure_text(metric, cell.deviation)} {span}"
