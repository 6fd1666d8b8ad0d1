"""``snapshelf annotate``: the attributes that pictures show, into a file."""

from contextlib import ExitStack
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from snapshelf.cli.console import EXIT_SKIPPED, EXIT_USAGE, fail, progress, tell
from snapshelf.cli.output_file import JSON, check_output

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from snapshelf.annotation import PictureToAnnotate
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
    system: Annotated[str, typer.Option(help="Folder of a system that knows attributes.")],
    out: Annotated[Path, typer.Option(help="The file to write: .jsonl or .csv.")],
    side: Annotated[
        Side | None,
        typer.Option(help="The side the pictures come from (default: feeds shop, else street)."),
    ] = None,
    attributes: Annotated[
        str | None, typer.Option(help="NAME,NAME,...: only these attributes.")
    ] = None,
    top: Annotated[int, typer.Option(min=1, help="Likeliest values of each attribute.")] = 1,
    least: Annotated[
        float, typer.Option(min=0, max=1, help="Leave values out that are less probable.")
    ] = 0.0,
    allow_private: Annotated[
        bool, typer.Option("--allow-private", help="Fetch pictures from private addresses too.")
    ] = False,
) -> None:
    """Write the attributes that pictures show, each value with its probability.

    Ends with 0, with 3 if something could not be read, or with 1 on an error.
    """
    from snapshelf.annotation import WRITERS, annotate_pictures
    from snapshelf.annotation.annotate import choose_attributes
    from snapshelf.cli.fetching import open_fetcher
    from snapshelf.features.encoder import Domain
    from snapshelf.systems import System

    if out.suffix.lower() not in WRITERS:
        fail(f"--out: {out} must end in {' or '.join(WRITERS)}", EXIT_USAGE)
    check_output(out, "--out", begins=BEGINS[out.suffix.lower()], inputs=sources)
    feeds = _feeds(sources)
    loaded = System.load(system)
    if loaded.predictor is None:
        fail(
            f"the system {system} knows no attributes; `snapshelf train three-level` and "
            "`snapshelf train mtv` make systems that do, of data that has some"
        )
    wanted = [name.strip() for name in attributes.split(",")] if attributes else []
    try:
        choose_attributes(loaded.predictor, wanted)
    except ValueError as error:
        fail(f"--attributes: {error}", EXIT_USAGE)
    first_line, write = WRITERS[out.suffix.lower()]
    done = skipped = 0

    def problem(found: "Problem") -> None:
        nonlocal skipped
        skipped += 1
        tell(f"skipped: line {found.line}, {found.field}: {found.reason}")

    with ExitStack() as stack:
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
                loaded.predictor,
                locator=loaded.locator,
                domain=Domain(domain),
                attributes=wanted,
                top=top,
                least=least,
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
