"""``snapshelf search``: photos and clips in, products out."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypedDict

import typer

from snapshelf.cli.console import EXIT_SKIPPED, print_json, printable, printer, progress, tell
from snapshelf.cli.found_table import print_found
from snapshelf.cli.naming import named
from snapshelf.cli.output_file import PAGE, check_output

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.progress import Progress, TaskID

    from snapshelf.locating.region import Box, Point
    from snapshelf.shelf import SearchResult, Shelf

__all__ = ["search", "write_page"]

PER_CATEGORY = 5


class Chosen(TypedDict, total=False):
    """The item that the user chose: a box, a point, or neither."""

    box: "Box"
    point: "Point"


def search(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Photos and clips.")],
    shelf: Annotated[str, typer.Option(help="The shelf's folder, or milvus://HOST:PORT/NAME.")],
    top: Annotated[int, typer.Option(min=1, max=1000, help="Matches for each item.")] = 20,
    by_category: Annotated[
        bool, typer.Option("--by-category", help="Show the best of each category as well.")
    ] = False,
    per_category: Annotated[
        int | None,
        typer.Option(min=1, max=1000, help="The same with this many of each, instead of 5."),
    ] = None,
    filter: Annotated[  # noqa: A002 - the option's name
        str | None, typer.Option(help="Only such products: 'category=shoes,price<80'.")
    ] = None,
    box: Annotated[
        str | None,
        typer.Option(metavar="X0,Y0,X1,Y1", help="The one item's box in pixels of the photo."),
    ] = None,
    point: Annotated[
        str | None, typer.Option(metavar="X,Y", help="A point on the one item, in pixels.")
    ] = None,
    rate: Annotated[
        float | None,
        typer.Option(help="Clips: frames looked at each second, at most (default 10)."),
    ] = None,
    max_seconds: Annotated[
        float | None,
        typer.Option(help="Clips: search this much of each (default: refuse more than an hour)."),
    ] = None,
    locator: Annotated[
        str | None,
        typer.Option(
            help="Clips: what finds items in frames, 'still' for a camera that stands still, "
            "'proposals', 'whole' or a locator's folder (default: the system's)."
        ),
    ] = None,
    system: Annotated[
        str | None, typer.Option(help="Name or folder of the system (default: the shelf's)")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the results as JSON.")] = False,
    html: Annotated[
        Path | None, typer.Option(help="Write the results as a self-contained page.")
    ] = None,
    allow_private: Annotated[
        bool,
        typer.Option("--allow-private", help="Fetch the page's pictures from private addresses."),
    ] = False,
) -> None:
    """Find the products that photos and clips show.

    Ends with 0, with 3 if a file could not be read, or with 1 on an error.
    """
    from snapshelf.cli.clip_options import clip_settings
    from snapshelf.errors import PictureError, VideoError
    from snapshelf.shelf import Shelf
    from snapshelf.shelf.as_json import items_json
    from snapshelf.store import parse_filter
    from snapshelf.systems import System

    where = None if filter is None else parse_filter(filter)
    best = per_category or (PER_CATEGORY if by_category else None)
    chosen = _chosen(files, box, point)
    clip = clip_settings(rate, max_seconds, locator)
    if html is not None:
        check_output(html, "--html", begins=PAGE, inputs=files)
    printed: list[dict[str, Any]] = []
    results: list[tuple[Path, SearchResult]] = []
    with Shelf.open(shelf, None if system is None else System.load(system)) as opened:
        with progress(counted=True) as bar:
            task = bar.add_task("searching", total=len(files))
            for file in files:
                told = _told(bar, task, file)
                try:
                    result = opened.search(
                        file,
                        top=top,
                        by_category=best,
                        filter=where,
                        clip=clip,
                        on_progress=told,
                        **chosen,
                    )
                except (PictureError, VideoError) as error:
                    text = named(str(file), str(error))
                    printed.append({"file": str(file), "error": text, "items": []})
                    tell(f"skipped: {text}")
                    continue
                except ValueError as error:
                    # Whether it lies in the photo is known once the photo is read.
                    if not chosen:
                        raise
                    raise typer.BadParameter(str(error), param_hint="--box, --point") from error
                finally:
                    bar.update(task, advance=1, description="searching")
                printed.append({"file": str(file), "items": items_json(result)})
                if result.clip is not None and result.clip.warnings:
                    printed[-1]["warnings"] = list(result.clip.warnings)
                    for warning in result.clip.warnings:
                        tell(f"warning: {file}: {warning}")
                results.append((file, result))
        if html is not None:
            write_page(html, opened, results, where=shelf, allow_private=allow_private)
            tell(f"wrote {html}")
    if json:
        print_json(printed)
    else:
        nothing = "this shelf is empty" if where is None else "nothing here passes the filter"
        for file, result in results:
            if not result.items:
                printer().print(f"{printable(file.name)}: no item was found in it")
            print_found(file, result, nothing)
    if len(results) < len(files):
        raise typer.Exit(EXIT_SKIPPED)


def _told(bar: "Progress", task: "TaskID", file: Path) -> "Callable[[float, float | None], None]":
    """Give what shows how much of a clip has been searched."""

    def show(done: float, total: float | None) -> None:
        of = "" if total is None else f" of {total:.0f}"
        bar.update(task, description=f"searching {printable(file.name)}: {done:.0f}{of} s")

    return show


def _chosen(files: list[Path], box: str | None, point: str | None) -> "Chosen":
    """Read the item that the user chose, if any."""
    chosen: Chosen = {}
    if (box or point) is not None and len(files) != 1:
        raise typer.BadParameter(f"--box and --point are of one photo, got {len(files)} files")
    if box is not None and point is not None:
        raise typer.BadParameter("give --box or --point, not both")
    if box is not None:
        x0, y0, x1, y1 = _numbers("--box", box, 4)
        chosen["box"] = x0, y0, x1, y1
    if point is not None:
        x, y = _numbers("--point", point, 2)
        chosen["point"] = x, y
    return chosen


def _numbers(name: str, text: str, count: int) -> list[float]:
    try:
        values = [float(part) for part in text.split(",")]
    except ValueError:
        values = []
    if len(values) != count:
        raise typer.BadParameter(
            f"expected {count} numbers between commas, got {text!r}", param_hint=name
        )
    return values


def write_page(
    file: Path,
    shelf: "Shelf",
    results: "list[tuple[Path, SearchResult]]",
    *,
    where: str,
    allow_private: bool = False,
) -> None:
    """Write search results as a page that needs no other file.

    Args:
        file: Where to write it.
        shelf: The shelf that was searched.
        results: Each query's file and what was found for it.
        where: The shelf's place, to be named on the page.
        allow_private: Fetch the products' pictures from private addresses too.
    """
    from snapshelf.cli.fetching import open_fetcher
    from snapshelf.errors import PictureError
    from snapshelf.media import PictureSource
    from snapshelf.media.picture_file import read_picture_file
    from snapshelf.pages import search_page
    from snapshelf.shelf.thumbnails import Thumbnails

    def small(query: Path, result: "SearchResult") -> bytes | None:
        if result.clip is not None:
            return result.clip.poster or None
        try:
            return thumbnails.small(read_picture_file(query)).jpeg
        except PictureError:  # it has gone since it was searched for
            return None

    # A page shows a placeholder for a picture that cannot be had, so nothing is tried twice.
    with open_fetcher(allow_private=allow_private, retries=0) as fetcher:
        # Until the first run has begun, a shelf has no root and no product.
        root = Path(shelf.store.properties.get("root", ""))
        thumbnails = Thumbnails(PictureSource(root, fetcher=fetcher))
        page = search_page(
            [result for _, result in results],
            thumbnails,
            [small(query, result) for query, result in results],
            shelf=printable(where),
            system=shelf.system.name,
        )
    file.write_text(page, encoding="utf-8", errors="backslashreplace")
