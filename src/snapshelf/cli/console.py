"""What all commands share: where output goes, how errors and progress look, exit codes."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn

import typer

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

__all__ = [
    "EXIT_ERROR",
    "EXIT_SKIPPED",
    "fail",
    "print_json",
    "printer",
    "progress",
    "tell",
]

EXIT_ERROR = 1
"""The command could not do what it was asked."""

EXIT_SKIPPED = 3
"""The command did its work, but had to leave something out."""


def printer() -> "Console":
    """Give the console for results (standard output); text is shown as it is."""
    from rich.console import Console

    return Console(markup=False, emoji=False, highlight=False)


def tell(text: str) -> None:
    """Print a line for people to standard error, so that results can be piped."""
    print(text, file=sys.stderr, flush=True)  # noqa: T201


def fail(text: str) -> NoReturn:
    """Print an error and end with `EXIT_ERROR`."""
    tell(f"error: {text}")
    raise typer.Exit(EXIT_ERROR)


def print_json(value: Any) -> None:
    """Print one JSON document to standard output."""
    print(json.dumps(value, ensure_ascii=False, indent=2))  # noqa: T201


@contextmanager
def progress(*, counted: bool) -> Iterator["Progress"]:
    """Show progress on standard error while a command works; nothing where that is no terminal.

    Args:
        counted: Whether the number of things to do is known.
    """
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        SpinnerColumn,
        TextColumn,
        TimeElapsedColumn,
    )

    console = Console(stderr=True, markup=False, emoji=False, highlight=False)
    columns = [SpinnerColumn(), TextColumn("{task.description}", markup=False)]
    bar = [BarColumn(), MofNCompleteColumn()] if counted else []
    with Progress(
        *columns,
        *bar,
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    ) as shown:
        yield shown
