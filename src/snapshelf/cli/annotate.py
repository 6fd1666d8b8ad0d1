"""``snapshelf annotate``: the products and attributes that pictures show, into a file."""

from contextlib import ExitStack
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from snapshelf.cli.annotation_finders import (
    AskedAttributes,
    attribute_finder,
    product_finder,
    shelf_attribute_finder,
)
from snapshelf.cli.console import EXIT_SKIPPED, EXIT_USAGE, fail, progress, tell
from snapshelf.cli.output_file import JSON, check_output

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from snapshelf.annotation import AttributeFinder, PictureToAnnotate
    from snapshelf.catalog import Catalog
    from snapshelf.catalog.entry import Problem
    from snapshelf.media import Fetcher

__all__ = ["annotate"]

BEGINS = {".jsonl": JSON, ".csv": b"product,picture,"}
"""How files that can be written begin, by their suffix."""


class Side(StrEnum):
    """Which side pictures come from; the values are those of `Domain`, which is slow to import."""

    SHOP = "shop"
    STREET = "street"


def annotate(
    sources: Annotated[
        list[Path],
        typer.Argument(metavar="SOURCE...", help="Pictures, folders of them, or product feeds."),
    ],
    out: Annotated[Path, typer.Option(help="The file to write: .jsonl or .csv.")],
    shelf: Annotated[
        str | None, typer.Option(help="Folder or address of the shelf to find the products in.")
    ] = None,
    system: Annotated[
        str | None, typer.Option(help="Attributes only: folder of a system that knows some.")
    ] = None,
    top: Annotated[
        int | None,
        typer.Option(min=1, max=1000, help="With --shelf: products for each item (default 5)."),
    ] = None,
    filter: Annotated[  # noqa: A002 - the option's name
        str | None,
        typer.Option(help="With --shelf: only such products: 'category=shoes,price<80'."),
    ] = None,
    side: Annotated[
        Side | None,
        typer.Option(help="The side the pictures come from (default: feeds shop, else street)."),
    ] = None,
    attributes: Annotated[
        str | None, typer.Option(help="NAME,NAME,...: only these attributes.")
    ] = None,
    values: Annotated[
        int | None, typer.Option(min=1, help="Likeliest values of each attribute (default 1).")
    ] = None,
    least: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="Leave values out that are less probable."),
    ] = None,
    allow_private: Annotated[
        bool, typer.Option("--allow-private", help="Fetch pictures from private addresses too.")
    ] = False,
) -> None:
    """Write the products of a shelf that pictures show, and their attributes.

    Give --shelf, or --system for the attributes alone. Ends with 0, with 3 if something could not
    be read, or with 1 on an error.
    """
    from snapshelf.annotation import PRODUCT_WRITERS, WRITERS, annotate_pictures
    from snapshelf.cli.fetching import open_fetcher
    from snapshelf.features.encoder import Domain
    from snapshelf.shelf import Shelf
    from snapshelf.systems import System

    _check_options(shelf, system, top, filter)
    suffix = out.suffix.lower()
    if suffix not in WRITERS:
        fail(f"--out: {out} must end in {' or '.join(WRITERS)}", EXIT_USAGE)
    check_output(out, "--out", begins=BEGINS[suffix], inputs=sources)
    feeds = _feeds(sources)
    asked = AskedAttributes(attributes, values, least)
    done = skipped = 0

    def problem(found: "Problem") -> None:
        nonlocal skipped
        skipped += 1
        tell(f"skipped: line {found.line}, {found.field}: {found.reason}")

    with ExitStack() as stack:
        if shelf is None:
            used, products = System.load(system or ""), None
            finder: AttributeFinder | None = attribute_finder(used, asked)
            first_line, write = WRITERS[suffix]
        else:
            opened = stack.enter_context(Shelf.open(shelf))
            used, products = opened.system, product_finder(opened, top, filter)
            finder = shelf_attribute_finder(used, asked, suffix)
            first_line, write = PRODUCT_WRITERS[suffix]
        fetcher = stack.enter_context(open_fetcher(allow_private=allow_private))
        bar = stack.enter_context(progress(counted=False))
        task = bar.add_task("annotating", total=None)
        file = stack.enter_context(out.open("w", encoding="utf-8", errors="backslashreplace"))
        file.write(first_line)
        for source in sources:
            catalog = feeds.get(source)
            domain = side.value if side is not None else ("shop" if catalog else "street")
            annotated = annotate_pictures(
                _pictures(source, catalog, fetcher, problem),
                locator=used.locator,
                domain=Domain(domain),
                attributes=finder,
                products=products,
            )
            for one in annotated:
                file.write(write(one))
                done += 1
                if one.error:
                    skipped += 1
                    text = one.error
                    named = text if one.picture.name in text else f"{one.picture.name}: {text}"
                    tell(f"skipped: {named}")
                bar.update(task, description=f"annotating: {done:,} pictures")
    tell(f"wrote {out}: {done:,} pictures")
    if not done:
        tell("there was no picture to annotate")
    if skipped or not done:
        raise typer.Exit(EXIT_SKIPPED)


def _check_options(
    shelf: str | None,
    system: str | None,
    top: int | None,
    filter: str | None,  # noqa: A002
) -> None:
    """Refuse options that do not go together."""
    if shelf is None and system is None:
        fail("give --shelf to find products, or --system for attributes alone", EXIT_USAGE)
    if shelf is not None and system is not None:
        fail(
            "give --shelf or --system, not both: a shelf is searched with its own system",
            EXIT_USAGE,
        )
    if shelf is None and (top, filter) != (None, None):
        option = "--filter" if top is None else "--top"
        fail(
            f"{option} is about products, and needs --shelf; --values tells how many values of "
            "each attribute to write",
            EXIT_USAGE,
        )


def _feeds(sources: list[Path]) -> "dict[Path, Catalog]":
    """Open what is a feed; refuse what is not there, before anything is loaded."""
    from snapshelf.annotation.pictures import is_picture
    from snapshelf.catalog import Catalog

    for source in sources:
        if not source.exists():
            fail(f"there is no file or folder {source}")
    return {
        source: Catalog.open(source)
        for source in sources
        if source.is_file() and not is_picture(source)
    }


def _pictures(
    source: Path,
    catalog: "Catalog | None",
    fetcher: "Fetcher",
    problem: "Callable[[Problem], None]",
) -> "Iterator[PictureToAnnotate]":
    """Name the pictures of a source."""
    from snapshelf.annotation import feed_pictures, file_pictures
    from snapshelf.media import PictureSource

    if catalog is None:
        return file_pictures([source])
    return feed_pictures(catalog, PictureSource(catalog.root, fetcher=fetcher), problem)
