"""A paper's tables on the terminal."""

from collections import Counter
from typing import get_args

from snapshelf.cli.console import printer
from snapshelf.evaluation.evaluation import ProductChoice
from snapshelf.evaluation.table_report import LABELS, percent
from snapshelf.evaluation.tables import Cell, Reproduction, Row, Table, Verdict

__all__ = ["print_tables"]


def print_tables(reproduction: Reproduction) -> None:
    """Print every table, for each choice of products, with what is left of the paper's order.

    Args:
        reproduction: What to show.
    """
    console = printer()
    for table in reproduction.tables:
        console.print(table.title, style="bold")
        if table.note:
            console.print(table.note)
        for choice, queries in reproduction.queries.items():
            _print_part(table, choice, queries, reproduction.metrics)
        if not any(row.cells for row in table.rows):
            console.print("  not run yet")
        for row in table.rows:
            if row.note:
                console.print(f"  {row.title}: {row.note}")
        console.print()
    seeds = ", ".join(map(str, reproduction.seeds))
    console.print(
        f"{reproduction.data[0]}, {reproduction.split}, gallery of {reproduction.gallery} "
        f"products. Percent: mean ± standard deviation (lowest-highest) over the seeds {seeds}; "
        "beside it the paper's figure, of its own data."
    )


def _print_part(
    table: Table, choice: ProductChoice, queries: int, metrics: tuple[str, ...]
) -> None:
    from rich.table import Table as Grid

    console = printer()
    grid = Grid(box=None, pad_edge=False)
    grid.add_column(f"{choice} products, {queries} queries")
    for metric in metrics:
        grid.add_column(LABELS[metric], justify="right")
        grid.add_column("paper", justify="right")
    for row in table.rows:
        grid.add_row(row.title, *_figures(row, choice, metrics))
    console.print(grid)
    for metric in metrics:
        if verdict := table.verdict(choice, metric):
            console.print(
                f"  {LABELS[metric]}, the paper's order: {verdict}{_pairs(table, choice, metric)}"
            )


def _figures(row: Row, choice: ProductChoice, metrics: tuple[str, ...]) -> list[str]:
    cells = row.cells.get(choice)
    texts: list[str] = []
    for metric in metrics:
        texts.append("not run" if cells is None else _figure(cells[metric]))
        texts.append(percent(row.published[metric]))
    return texts


def _figure(cell: Cell) -> str:
    if cell.deviation is None:
        return percent(cell.mean)
    span = f"({percent(cell.lowest)}-{percent(cell.highest)})"
    return f"{percent(cell.mean)} ± {percent(cell.deviation)} {span}"


def _pairs(table: Table, choice: ProductChoice, metric: str) -> str:
    """Count the pairs of rows by their verdicts, and name those that are reversed."""
    titles = {row.name: row.title for row in table.rows}
    pairs = [pair for pair in table.differences if (pair.products, pair.metric) == (choice, metric)]
    if len(pairs) < 2:
        (pair,) = pairs
        return f" ({100 * pair.mean:+.1f} points, {100 * pair.low:+.1f} to {100 * pair.high:+.1f})"
    counts = Counter(pair.verdict for pair in pairs)
    told = ", ".join(f"{counts[each]} {each}" for each in get_args(Verdict) if counts[each])
    turned = [
        f"{titles[pair.worse]} over {titles[pair.better]} by {-100 * pair.mean:.1f}"
        for pair in pairs
        if pair.verdict == "reversed"
    ]
    named = f"; reversed: {', '.join(turned)}" if turned else ""
    return f" (of {len(pairs)} pairs {told}{named})"
