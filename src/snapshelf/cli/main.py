"""The command ``snapshelf``: one subcommand a file; heavy parts are imported by what needs them."""

import sys

import typer

from snapshelf import __version__
from snapshelf.cli.console import EXIT_ERROR, tell
from snapshelf.cli.demo import demo
from snapshelf.cli.evaluate import evaluate
from snapshelf.cli.index import index
from snapshelf.cli.search import search
from snapshelf.errors import SnapshelfError

__all__ = ["app", "main"]

app = typer.Typer(
    name="snapshelf",
    help="Find the exact product in a shop's catalogue from a street photo.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"snapshelf {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: bool = typer.Option(
        False, "--version", callback=_version, is_eager=True, help="Show the version and exit."
    ),
) -> None:
    """Find the exact product in a shop's catalogue from a street photo."""


app.command("index")(index)
app.command("search")(search)
app.command("evaluate")(evaluate)
app.command("demo")(demo)


def main() -> None:
    """Run the command line; errors that a user can mend are one line, not a traceback."""
    try:
        app()
    except SnapshelfError as error:
        tell(f"error: {error}")
    except BrokenPipeError:
        # The reader of our output has gone (`snapshelf search ... | head`): nothing to say.
        sys.stderr.close()
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        tell(f"error: {where}{error.strerror or error}")
    else:
        return
    sys.exit(EXIT_ERROR)
