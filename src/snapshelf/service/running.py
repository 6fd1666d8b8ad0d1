"""Running the service until it is told to stop."""

import signal
import socket
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager

import uvicorn
from fastapi import FastAPI

from snapshelf.errors import SnapshelfError
from snapshelf.service.app import create_app
from snapshelf.service.prompt_protocol import prompt_protocol
from snapshelf.service.settings import Settings
from snapshelf.shelf.shelf import Shelf

__all__ = ["run_service", "server_config"]

MOST_CONNECTIONS = 1_000
MOST_HEADER_BYTES = 32 * 1024
BACKLOG = 512


class _Server(uvicorn.Server):
    """A server whom a signal ends in order, and that is all: the signal is not raised again."""

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        numbers = (signal.SIGINT, signal.SIGTERM)
        before = {number: signal.signal(number, self.handle_exit) for number in numbers}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def run_service(
    shelf: Shelf,
    settings: Settings,
    *,
    host: str,
    port: int,
    proxies: str = "127.0.0.1",
    on_start: Callable[[str], None] = lambda _: None,
) -> None:
    """Serve a shelf until SIGINT or SIGTERM, and let what is under way come to its end.

    Args:
        shelf: Is served.
        settings: Bounds.
        host: Address to listen on.
        port: 0 for any free one.
        proxies: Addresses of proxies, between commas, whose word on the client's address is
            believed.
        on_start: Called with the service's address once it is listening.

    Raises:
        SnapshelfError: If the address cannot be listened on.
        KeysError: If the file of API keys cannot be read.
        ThemeError: If the theme cannot be read.
    """
    app = create_app(shelf, settings)
    listening = _listen(host, port)
    config = server_config(app, settings, proxies=proxies)
    shown = f"[{host}]" if ":" in host else host
    on_start(f"http://{shown}:{listening.getsockname()[1]}")
    try:
        _Server(config).run(sockets=[listening])
    finally:
        listening.close()


def server_config(app: FastAPI, settings: Settings, *, proxies: str) -> uvicorn.Config:
    """Tell how the server runs.

    Args:
        app: As `create_app` makes it.
        settings: Bounds.
        proxies: Addresses of proxies, between commas, that are believed.
    """
    return uvicorn.Config(
        app,
        # The same on every machine, and it bounds what headers take.
        http=prompt_protocol(settings.headers_s),
        h11_max_incomplete_event_size=MOST_HEADER_BYTES,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=True,
        forwarded_allow_ips=proxies,
        ws="none",
        lifespan="on",
        limit_concurrency=MOST_CONNECTIONS,
        timeout_keep_alive=15,
        timeout_graceful_shutdown=max(1, round(settings.stop_s)),
    )


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listening = socket.socket(family, kind, protocol)
        try:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(address)
            listening.listen(BACKLOG)
        except BaseException:
            listening.close()
            raise
    except (OSError, OverflowError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise SnapshelfError(
            f"cannot listen on {host}, port {port}: {reason}; give another --host or --port"
        ) from error
    return listening
