"""``snapshelf annotate``: the products and attributes that pictures and clips show."""

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
from snapshelf.cli.console import EXIT_SKIPPED, EXIT_USAGE, fail, printable, progress, tell
from snapshelf.cli.count_text import count_text
from snapshelf.cli.naming import named
from snapshelf.cli.output_file import JSON, check_output

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from snapshelf.annotation import AttributeFinder, PictureToAnnotate
    from snapshelf.catalog import Catalog
    from snapshelf.catalog.entry import Problem
    from snapshelf.media import Fetcher
    from snapshelf.shelf import Shelf

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
        typer.Argument(metavar="SOURCE...", help="Pictures, clips, folders, or product feeds."),
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
    rate: Annotated[
        float | None,
        typer.Option(help="Clips: frames looked at each second, at most (default 10)."),
    ] = None,
    max_seconds: Annotated[
        float | None,
        typer.Option(help="Clips: annotate this much of each (default: refuse above an hour)."),
    ] = None,
    locator: Annotated[
        str | None,
        typer.Option(
            help="Clips: what finds items in frames, 'still' for a camera that stands still, "
            "'proposals', 'whole' or a locator's folder (default: the system's)."
        ),
    ] = None,
    allow_private: Annotated[
        bool, typer.Option("--allow-private", help="Fetch pictures from private addresses too.")
    ] = False,
) -> None:
    """Write the products of a shelf that pictures and clips show, and their attributes.

    Give --shelf, or --system for the attributes alone; clips need --shelf and a .jsonl file. Ends
    with 0, with 3 if something could not be read, or with 1 on an error.
    """
    from snapshelf.annotation import (
        PRODUCT_WRITERS,
        WRITERS,
        annotate_clips,
        annotate_pictures,
        clip_json_line,
    )
    from snapshelf.cli.clip_options import clip_settings
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
    settings = clip_settings(rate, max_seconds, locator)
    done = clips = skipped = 0

    def problem(found: "Problem") -> None:
        nonlocal skipped
        skipped += 1
        tell(f"skipped: line {found.line}, {found.field}: {found.reason}")

    with ExitStack() as stack:
        if shelf is None:
            opened = None
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
                if one.error:
                    skipped += 1
                    tell(f"skipped: {named(one.picture.name, one.error)}")
                else:
                    done += 1
                bar.update(task, description=f"annotating: {count_text(done, 'picture')}")
            if catalog is not None:
                continue
            to_annotate, reason = _clips(source, opened, suffix)
            if reason:
                skipped += 1
                tell(f"skipped: {reason}")
            if opened is None or products is None:
                continue
            for each in annotate_clips(
                to_annotate,
                opened,
                top=products.top,
                where=products.where,
                attributes=finder,
                settings=settings,
                on_progress=lambda clip, seconds, total: bar.update(
                    task, description=_working_on(clip, seconds, total)
                ),
            ):
                file.write(clip_json_line(each))
                for warning in each.warnings:
                    tell(f"warning: {each.name}: {warning}")
                if each.error:
                    skipped += 1
                    tell(f"skipped: {named(each.name, each.error)}")
                else:
                    clips += 1
    also = f", {count_text(clips, 'clip')}" if clips else ""
    left_out = f"; {skipped:,} skipped" if skipped else ""
    tell(f"wrote {out}: {count_text(done, 'picture')}{also}{left_out}")
    if not (done or clips or skipped):
        tell("there was no picture to annotate")
    if skipped or not (done or clips):
        raise typer.Exit(EXIT_SKIPPED)


def _clips(source: Path, shelf: "Shelf | None", suffix: str) -> "tuple[list[Path], str]":
    """Name the clips of a source, and why they cannot be annotated, "" where they can."""
    from snapshelf.annotation import file_clips

    clips = list(file_clips([source]))
    if not clips or (shelf is not None and suffix == ".jsonl"):
        return clips, ""
    what = str(clips[0]) if len(clips) == 1 else f"{source}: {count_text(len(clips), 'clip')}"
    needed = "--shelf" if shelf is None else "a .jsonl file, which has room for their times"
    return [], f"{what}: annotating a clip needs {needed}"


def _working_on(clip: Path, seconds: float, total: float | None) -> str:
    of = "" if total is None else f" of {total:.0f}"
    return f"annotating {printable(clip.name)}: {seconds:.0f}{of} s"


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
    from snapshelf.media.clip_or_picture import is_clip

    for source in sources:
        if not source.exists():
            fail(f"there is no file or folder {source}")
    return {
        source: Catalog.open(source)
        for source in sources
        if source.is_file() and not is_picture(source) and not is_clip(source)
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
