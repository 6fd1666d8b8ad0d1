"""The command ``snapshelf``: one subcommand a file; heavy parts are imported by what needs them."""

import io
import re
import sys

import typer

from snapshelf import __version__
from snapshelf.cli.annotate import annotate
from snapshelf.cli.console import EXIT_ERROR, EXIT_USAGE, tell
from snapshelf.cli.contact_sheet import contact_sheet
from snapshelf.cli.copy import copy
from snapshelf.cli.demo import demo
from snapshelf.cli.duplicates import duplicates
from snapshelf.cli.evaluate import evaluate
from snapshelf.cli.export import export
from snapshelf.cli.index import index
from snapshelf.cli.interruption import Interrupted, end_now, watch_signals
from snapshelf.cli.key import key
from snapshelf.cli.reproduce import reproduce
from snapshelf.cli.search import search
from snapshelf.cli.serve import serve
from snapshelf.cli.train import train
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


EMPTY = re.compile(r"(--[a-z-]+=)?")


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
app.command("copy")(copy)
app.command("search")(search)
app.command("serve")(serve)
app.command("key")(key)
app.command("annotate")(annotate)
app.command("duplicates")(duplicates)
app.command("train")(train)
app.command("evaluate")(evaluate)
app.command("reproduce")(reproduce)
app.command("export")(export)
app.command("contact-sheet")(contact_sheet)
app.command("demo")(demo)


def main() -> None:
    """Run the command line; errors that a user can mend are one line, not a traceback.

    Ends with 0, 1 on an error, 2 if the arguments make no sense, 3 if something had to be left
    out, 130 on Ctrl-C and 143 on SIGTERM.
    """
    watch_signals()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A title that the terminal's encoding lacks is no reason to fail.
            stream.reconfigure(errors="backslashreplace")
    if any(EMPTY.fullmatch(argument) for argument in sys.argv[1:]):
        # An empty path would be the current folder, and a shelf would take over what is there.
        tell("error: an argument is empty; is a variable of the shell not set?")
        sys.exit(EXIT_USAGE)
    try:
        app()
    except Interrupted as interruption:
        end_now(interruption)
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
