"""The network as the fetcher may use it: checked addresses only, and never for too long."""

import socket
import ssl
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from threading import local
from typing import Any

import httpcore

from snapshelf.errors import PictureError
from snapshelf.media.addresses import is_public

__all__ = ["Deadline", "GuardedNetwork", "Resolve", "resolve"]

_MAX_ADDRESSES = 4
_NO_SUCH_NAME = {
    getattr(socket, name) for name in ("EAI_NONAME", "EAI_NODATA") if hasattr(socket, name)
}

Resolve = Callable[[str, int], list[str]]
"""Gives the addresses of a host name; called as ``resolve(host, port)``."""


def resolve(host: str, port: int) -> list[str]:
    """Ask the system's resolver for a host's addresses, IPv4 and IPv6, in its order.

    Raises:
        OSError: If the name cannot be resolved (`socket.gaierror`).
        UnicodeError: If it is no host name.
    """
    answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in answers))


class Deadline(local):
    """When the request of the current thread must be done; each thread has its own."""

    def __init__(self) -> None:
        self._at = float("inf")

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """Bound everything that this thread reads and writes inside the block."""
        self._at = time.monotonic() + seconds
        try:
            yield
        finally:
            self._at = float("inf")

    def bound(self, timeout: float | None, late: type[Exception]) -> float | None:
        """Give the shorter of a time-out and what is left.

        Raises:
            Exception: `late`, if nothing is left.
        """
        left = self._at - time.monotonic()
        if left <= 0:
            raise late("the whole request took too long")
        return left if timeout is None else min(timeout, left)


class _GuardedStream(httpcore.NetworkStream):
    """A connection whose every read and write ends at the thread's deadline.

    Time-outs alone bound only the silence between two packets, and so let a server that sends
    a byte now and then hold a thread for ever.
    """

    def __init__(self, stream: httpcore.NetworkStream, deadline: Deadline) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._deadline.bound(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._deadline.bound(timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        left = self._deadline.bound(timeout, httpcore.ConnectTimeout)
        stream = self._stream.start_tls(ssl_context, server_hostname, left)
        return _GuardedStream(stream, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class GuardedNetwork(httpcore.NetworkBackend):
    """Connects to public addresses only.

    The name is resolved here, every address it has is checked, and the connection goes to one
    of the very addresses that were checked: a name that answers differently the second time
    (DNS rebinding) gains nothing. The TLS server name stays the host's name.

    Args:
        allow_private: Connect to any address.
        deadline: Bounds each thread's request.
        resolve: Gives a host's addresses.
    """

    def __init__(
        self, *, allow_private: bool, deadline: Deadline, resolve: Resolve = resolve
    ) -> None:
        self._allow_private = allow_private
        self._deadline = deadline
        self._resolve = resolve
        self._network = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to the first of a host's addresses that answers.

        Raises:
            PictureError: If the name does not exist or has an address that is not public.
            httpcore.ConnectError, httpcore.ConnectTimeout: If none of the addresses answers.
        """
        failure: Exception = httpcore.ConnectError(f"{host} has no address")
        for address in self._addresses(host, port)[:_MAX_ADDRESSES]:
            left = self._deadline.bound(timeout, httpcore.ConnectTimeout)
            try:
                stream = self._network.connect_tcp(
                    address, port, left, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
            else:
                return _GuardedStream(stream, self._deadline)
        raise failure

    def _addresses(self, host: str, port: int) -> list[str]:
        try:
            addresses = self._resolve(host, port)
        except socket.gaierror as error:
            if error.errno in _NO_SUCH_NAME:
                raise PictureError(f"there is no host {host}") from error
            raise httpcore.ConnectError(f"{host} cannot be resolved: {error.strerror}") from error
        except UnicodeError as error:
            raise PictureError(f"{host!r} is no host name") from error
        private = [address for address in addresses if not is_public(address)]
        if private and not self._allow_private:
            raise PictureError(
                f"{host} has the address {private[0]}, which is not public; "
                f"private addresses are fetched from only where that is allowed"
            )
        return addresses
