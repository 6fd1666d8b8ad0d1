"""``snapshelf copy``: a shelf from one store to another."""

from dataclasses import asdict
from typing import Annotated

import typer

from snapshelf.cli.console import print_json, progress, tell

__all__ = ["copy"]


def copy(
    source: Annotated[str, typer.Argument(metavar="SHELF", help="The shelf to copy.")],
    target: Annotated[
        str, typer.Argument(metavar="SHELF", help="Where to; a folder or milvus://HOST:PORT/NAME.")
    ],
    json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Copy a shelf from one store to another, and check the copy.

    What is there already is passed by: the same command goes on where a broken-off one stopped.
    Ends with 0 if the copy is the same, with 1 on an error.
    """
    from snapshelf.store.copying import copy_shelf

    with progress(counted=True) as bar:
        task = bar.add_task("copying", total=None)
        report = copy_shelf(
            source,
            target,
            on_progress=lambda done, total: bar.update(task, completed=done, total=total),
        )
    if json:
        print_json(asdict(report))
        return
    tell(
        f"{target}: {report.copied:,} products copied, {report.unchanged:,} were there, "
        f"{report.removed:,} removed; checked: counts, {report.compared:,} products bit by bit, "
        f"{report.queries} searches ({report.equal_matches:.1%} of their matches equal)"
    )
