"""``snapshelf duplicates``: the products of a shelf that look the same."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from snapshelf.cli.console import (
    EXIT_SKIPPED,
    print_json,
    printable,
    printer,
    progress,
    tell,
)
from snapshelf.cli.output_file import PAGE, check_output

if TYPE_CHECKING:
    from rich.progress import Progress

    from snapshelf.media import PictureSource
    from snapshelf.shelf.duplicates import DuplicateGroup

__all__ = ["duplicates"]

COLUMNS = (
    *("group", "similarity", "id", "title", "category", "brand", "price", "url", "image"),
    *("like", "like_image", "same_picture"),
)

VERDICTS = {True: "same picture", False: "looks alike", None: ""}


def duplicates(
    shelf: Annotated[str, typer.Option(help="The shelf's folder, or milvus://HOST:PORT/NAME.")],
    least: Annotated[
        float, typer.Option(min=-1, max=1, help="Similarity from which two look the same.")
    ] = 0.95,
    filter: Annotated[  # noqa: A002 - the option's name
        str | None, typer.Option(help="Only such products: 'category=shoes,price<80'.")
    ] = None,
    all_pictures: Annotated[
        bool,
        typer.Option("--all-pictures", help="Compare all pictures, not each product's first."),
    ] = False,
    variants: Annotated[
        bool,
        typer.Option("--variants", help="Compare products of one item_group_id too."),
    ] = False,
    check: Annotated[
        bool,
        typer.Option("--check", help="Look at the pictures: copies, or products that look alike?"),
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the groups as JSON.")] = False,
    html: Annotated[
        Path | None, typer.Option(help="Write the groups as a self-contained page.")
    ] = None,
    csv: Annotated[Path | None, typer.Option(help="Write the products as a table.")] = None,
    allow_private: Annotated[
        bool, typer.Option("--allow-private", help="Fetch pictures from private addresses too.")
    ] = False,
) -> None:
    """Find the products that look the same.

    Ends with 0, also if there are none, with 3 if a picture to --check could not be read, or with
    1 on an error.
    """
    from snapshelf.cli.fetching import open_fetcher
    from snapshelf.media import PictureSource
    from snapshelf.shelf.as_json import group_json
    from snapshelf.shelf.duplicates import check_pictures, find_duplicates
    from snapshelf.store import open_store, parse_filter

    where = None if filter is None else parse_filter(filter)
    if html is not None:
        check_output(html, "--html", begins=PAGE)
    if csv is not None:
        check_output(csv, "--csv", begins=b"group,similarity,")
    problems: list[str] = []
    store = open_store(shelf)
    try:
        with progress(counted=True) as bar:
            groups = find_duplicates(
                store,
                least=least,
                where=where,
                main=not all_pictures,
                variants=variants,
                on_progress=_shown(bar, "comparing"),
            )
            compared = store.count(where).products
            # Until the first run has begun, a shelf has no root and no product.
            root = Path(store.properties.get("root", ""))
            # A page shows a placeholder for a picture that cannot be had.
            retries = 3 if check else 0
            with open_fetcher(allow_private=allow_private, retries=retries) as fetcher:
                source = PictureSource(root, fetcher=fetcher)
                if check:
                    groups = check_pictures(
                        groups,
                        source.read,
                        on_problem=problems.append,
                        on_progress=_shown(bar, "looking at pictures"),
                    )
                if html is not None:
                    _write_page(html, groups, source, shelf, least, compared)
    finally:
        store.close()
    for problem in problems:
        tell(f"not looked at: {problem}")
    if csv is not None:
        _write_table(csv, groups)
    for written in (html, csv):
        if written is not None:
            tell(f"wrote {written}")
    if json:
        found = [group_json(group) for group in groups]
        print_json({"least": least, "compared": compared, "groups": found})
    else:
        _print(groups, least, compared)
    if problems:
        raise typer.Exit(EXIT_SKIPPED)


def _shown(bar: "Progress", description: str) -> Callable[[int, int], None]:
    task = bar.add_task(description, total=None)
    return lambda done, total: bar.update(task, completed=done, total=total)


def _write_page(
    file: Path,
    groups: "list[DuplicateGroup]",
    source: "PictureSource",
    shelf: str,
    least: float,
    compared: int,
) -> None:
    from snapshelf.pages import duplicates_page
    from snapshelf.shelf.thumbnails import Thumbnails

    page = duplicates_page(
        groups,
        Thumbnails(source),
        shelf=printable(shelf),
        least=least,
        compared=compared,
    )
    file.write_text(page, encoding="utf-8", errors="backslashreplace")


def _write_table(file: Path, groups: "list[DuplicateGroup]") -> None:
    from snapshelf.shelf.as_json import product_json
    from snapshelf.spreadsheet import csv_text

    rows: list[tuple[object, ...]] = [COLUMNS]
    for number, group in enumerate(groups, start=1):
        for one in group.duplicates:
            shown = product_json(one.product, one.image)
            rows.append(
                (
                    *(number, round(one.similarity, 6), *(shown[name] for name in COLUMNS[2:9])),
                    *(one.other_id, one.other_image),
                    {True: "yes", False: "no", None: ""}[one.same_picture],
                )
            )
    file.write_text(csv_text(rows), encoding="utf-8", errors="backslashreplace")


def _print(groups: "list[DuplicateGroup]", least: float, compared: int) -> None:
    from rich.table import Table
    from rich.text import Text

    console = printer()
    if not groups:
        console.print(
            f"no two products look the same: {compared:,} compared, similarity from {least:g}"
        )
        return
    table = Table(box=None, pad_edge=False)
    for name in ("group", "similarity"):
        table.add_column(name, justify="right")
    for name in ("id", "title", "picture", "like"):
        table.add_column(name, overflow="fold")
    checked = any(one.same_picture is not None for group in groups for one in group.duplicates)
    table.add_column("verdict" if checked else "")
    for number, group in enumerate(groups, start=1):
        for one in group.duplicates:
            table.add_row(
                str(number),
                f"{one.similarity:.3f}",
                Text(printable(one.product.id)),
                Text(printable(one.product.title)),
                Text(printable(one.image)),
                Text(printable(one.other_id)),
                VERDICTS[one.same_picture],
            )
    console.print(table)
    found = sum(len(group.duplicates) for group in groups)
    named = "1 group" if len(groups) == 1 else f"{len(groups):,} groups"
    console.print(
        f"{named}: {found:,} of {compared:,} products look the same, similarity from {least:g}"
    )
