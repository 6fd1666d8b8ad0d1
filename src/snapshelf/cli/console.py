"""What all commands share: where output goes, how errors and progress look, exit codes."""

import json
import re
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
    "EXIT_USAGE",
    "fail",
    "print_json",
    "printable",
    "printer",
    "progress",
    "tell",
]

EXIT_ERROR = 1
"""The command could not do what it was asked."""

EXIT_USAGE = 2
"""The arguments make no sense; typer ends with it too."""

EXIT_SKIPPED = 3
"""The command did its work, but had to leave something out."""

UNBOUNDED = 100_000
"""Columns of output that is no terminal: a line is never broken there."""

CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
NOT_IN_JSON = re.compile("[\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def printable(text: str) -> str:
    r"""Write control characters and undecodable bytes as escapes: text may come from anywhere.

    Example:
        >>> print(printable("a title\x1b]0;with an order to the terminal\x07"))
        a title\x1b]0;with an order to the terminal\x07
    """
    return CONTROL.sub(lambda found: ascii(found[0])[1:-1], text)


def printer() -> "Console":
    """Give the console for results (standard output); text is shown as it is."""
    from rich.console import Console

    console = Console(markup=False, emoji=False, highlight=False)
    if not console.is_terminal:
        console.width = UNBOUNDED
    return console


def tell(text: str) -> None:
    """Print a line for people to standard error, so that results can be piped."""
    print(printable(text), file=sys.stderr, flush=True)  # noqa: T201


def fail(text: str, code: int = EXIT_ERROR) -> NoReturn:
    """Print an error and end.

    Args:
        text: What was wrong, what was expected and what to do.
        code: What to end with.

    Raises:
        typer.Exit: Always.
    """
    tell(f"error: {text}")
    raise typer.Exit(code)


def print_json(value: Any) -> None:
    """Print one JSON document to standard output, in ASCII where that can show no more."""
    text = json.dumps(value, ensure_ascii=False, indent=2)
    text = NOT_IN_JSON.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        text = json.dumps(value, indent=2)
    print(text, flush=True)  # noqa: T201


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
