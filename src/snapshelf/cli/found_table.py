"""What a search found, as tables on the terminal."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from snapshelf.cli.console import printable, printer
from snapshelf.clock_text import spans_text

if TYPE_CHECKING:
    from rich.table import Table

    from snapshelf.shelf import Match, SearchResult

__all__ = ["print_found"]


def print_found(file: Path, result: "SearchResult", nothing: str) -> None:
    """Print the matches of each item, and those of each category where they were asked for.

    An item of a clip has the times at which it is seen, and one line if it is not sold here.

    Args:
        file: The query.
        result: What was found for it.
        nothing: What is told where an item has no match.
    """
    console = printer()
    for number, found in enumerate(result.items, start=1):
        title = file.name if len(result.items) == 1 else f"{file.name}, item {number}"
        title = printable(title)
        if found.item.spans:
            title += f", {spans_text(found.item.spans)}"
        if not found.matches:
            console.print(f"{title}: {nothing}")
            continue
        if found.item.spans and not found.in_catalogue:
            console.print(f"{title}: not in this shop{_nearest(found.matches[0])}")
            continue
        if not found.in_catalogue:
            title += " (probably not in this catalogue)"
        console.print(title, style="bold")
        console.print(_table(found.matches, ("id", "title", "brand", "category")))
        for group in found.by_category or ():
            console.print(
                printable(" > ".join(group.category)) or "without a category", style="bold"
            )
            console.print(_table(group.matches, ("id", "title", "brand")))


def _nearest(match: "Match") -> str:
    """Name the match of an item that is not sold: a clip may have many, too many for tables."""
    product = match.product
    names = dict.fromkeys(name for name in (product.id, product.title) if name)
    named = printable(", ".join(names))
    return f" (nearest: {named}, similarity {match.similarity:.3f})"


def _table(matches: "Sequence[Match]", names: Sequence[str]) -> "Table":
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    table.add_column("", justify="right")
    table.add_column("similarity", justify="right")
    table.add_column("confidence", justify="right")
    for name in names:
        table.add_column(name, overflow="fold")
    table.add_column("price", justify="right")
    for match in matches:
        product = match.product
        texts = {
            "id": product.id,
            "title": product.title,
            "brand": product.brand,
            "category": " > ".join(product.category),
        }
        table.add_row(
            str(match.rank),
            f"{match.similarity:.3f}",
            f"{match.confidence:.2f}",
            *(Text(printable(texts[name])) for name in names),
            "" if product.price is None else str(product.price),
        )
    return table
