"""``snapshelf key``: an API key for the service."""

from pathlib import Path
from typing import Annotated

import typer

from snapshelf.cli.console import EXIT_USAGE, fail, tell

__all__ = ["key"]


def key(
    name: Annotated[str, typer.Argument(help="The key's name, for the logs.")],
    keys: Annotated[Path, typer.Option(help="The file of keys; made if missing.")],
    scope: Annotated[
        str, typer.Option(help="read: search and send events. write: change products too.")
    ] = "read",
    per_minute: Annotated[
        int | None, typer.Option(min=1, help="Requests a minute (default: the service's).")
    ] = None,
    origin: Annotated[
        list[str] | None,
        typer.Option(
            help="Only for pages of this origin, such as https://shop.example, where anybody may "
            "read the key; may come several times."
        ),
    ] = None,
) -> None:
    """Make an API key for `snapshelf serve --keys FILE`, and print it: only its hash is kept.

    A running service takes it at once. To withdraw a key, delete its entry in the file.
    """
    from snapshelf.service.api_keys import add_key

    try:
        secret = add_key(keys, name, scope, per_minute, origin or ())
    except ValueError as error:
        fail(str(error), EXIT_USAGE)
    tell(f"added {name!r} to {keys}; the key, which is shown only now:")
    typer.echo(secret)
