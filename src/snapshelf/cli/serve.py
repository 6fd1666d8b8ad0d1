"""``snapshelf serve``: a shelf over HTTP."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from snapshelf.cli.console import tell

__all__ = ["serve"]

LOOPBACK = ("127.0.0.1", "::1", "localhost")


def serve(
    shelf: Annotated[Path, typer.Option(help="The shelf's folder.")],
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 for any free one.")] = 8000,
    system: Annotated[
        str | None, typer.Option(help="Name or folder of the system (default: the shelf's)")
    ] = None,
    keys: Annotated[
        Path | None, typer.Option(help="File of API keys, as `snapshelf key` makes it.")
    ] = None,
    allow_origin: Annotated[
        list[str] | None,
        typer.Option(help="A page's origin, such as https://shop.example; may come several times."),
    ] = None,
    per_minute: Annotated[
        int, typer.Option(min=1, help="Requests a minute of a key, or of an address without keys.")
    ] = 600,
    fetch_urls: Annotated[
        bool, typer.Option("--fetch-urls", help="Let searches name their picture by a URL.")
    ] = False,
    allow_private: Annotated[
        bool, typer.Option("--allow-private", help="Fetch pictures from private addresses too.")
    ] = False,
    events: Annotated[
        Path | None, typer.Option(help="File of events (default: in the shelf's folder).")
    ] = None,
    page: Annotated[
        str | None,
        typer.Option(
            help="Who may have the page: open, key or off (default: open without keys, else key)."
        ),
    ] = None,
    theme: Annotated[
        Path | None, typer.Option(help="TOML file with the shop's name, words and colours.")
    ] = None,
    keep_links: Annotated[
        Path | None,
        typer.Option(
            help="Folder of pictures that customers ask to be kept for a link, for 30 days "
            "(default: none are kept)."
        ),
    ] = None,
    proxies: Annotated[
        str, typer.Option(help="Proxies, between commas, that tell the client's address.")
    ] = "127.0.0.1",
) -> None:
    """Serve a shelf and its page over HTTP, until Ctrl-C or SIGTERM.

    Without --keys anybody who reaches the address may search, and nobody may change products.
    The log goes to standard error, one JSON object a line.
    """
    from snapshelf.service.logs import log_to
    from snapshelf.service.running import run_service
    from snapshelf.service.settings import LEAST_SECRET, PAGES, Settings
    from snapshelf.shelf import Shelf
    from snapshelf.systems import System

    if page is not None and page not in PAGES:
        raise typer.BadParameter(
            f"must be one of {', '.join(PAGES)}, got {page!r}", param_hint="--page"
        )
    if page == "key" and keys is None:
        raise typer.BadParameter("key needs --keys FILE", param_hint="--page")
    secret = os.environ.get("SNAPSHELF_SESSION_SECRET", "")
    if 0 < len(secret) < LEAST_SECRET:
        raise typer.BadParameter(
            f"must have at least {LEAST_SECRET} letters", param_hint="SNAPSHELF_SESSION_SECRET"
        )
    settings = Settings(
        keys=keys,
        allowed_origins=tuple(allow_origin or ()),
        requests_per_minute=per_minute,
        fetch_urls=fetch_urls,
        allow_private=allow_private,
        events=events,
        page=page or "",
        theme=theme,
        links=keep_links,
        session_secret=secret,
    )
    if host not in LOOPBACK and keys is None:
        tell(f"warning: anybody who reaches {host} may search; --keys FILE asks for a key")
    log_to(sys.stderr)
    with Shelf.open(shelf, None if system is None else System.load(system)) as opened:
        run_service(
            opened,
            settings,
            host=host,
            port=port,
            proxies=proxies,
            on_start=lambda address: tell(f"serving {shelf} on {address}"),
        )
