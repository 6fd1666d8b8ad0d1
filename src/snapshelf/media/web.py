"""One bounded GET from the web, following redirects by hand."""

import ssl
import zlib
from collections.abc import Iterable
from dataclasses import dataclass

import httpcore
import httpx

from snapshelf import __version__
from snapshelf.errors import PictureError
from snapshelf.media.guarded_network import Deadline, GuardedNetwork, Resolve, resolve
from snapshelf.media.host_slots import HostSlots
from snapshelf.media.retry import TransientError, retry_after

__all__ = ["Answer", "WebClient"]

_MAX_REDIRECTS = 5
_SHORT_BYTES = 64 * 1024
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_WORTH_ANOTHER_TRY = frozenset({408, 425, 429})
_CONDITIONS = frozenset({"If-None-Match", "If-Modified-Since"})
_COMPRESSED = frozenset({"gzip", "x-gzip", "deflate"})
_ACCEPT = "image/jpeg, image/png, image/webp, image/gif, image/heic, */*;q=0.1"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server sent.

    Attributes:
        data: The body; None when it has not changed since the validators were given.
        etag: The ETag header, or "".
        last_modified: The Last-Modified header, or "".
    """

    data: bytes | None
    etag: str
    last_modified: str


class WebClient:
    """Gets one URL at a time for each of any number of threads.

    Connections are HTTP/1.1, kept alive and shared. Proxies and certificates that the
    environment names are not used: a proxy would connect where this client may not.

    Args:
        allow_private: Connect to addresses that are not public.
        timeout_s: Longest silence of a server, in seconds.
        total_s: Longest time for one request, in seconds. Looking up a name is bounded by the
            system's resolver instead.
        max_bytes: Largest body, before and after decompression.
        connections: Most requests at once.
        per_host: Most requests at once to one host.
        resolve: Gives a host's addresses.
    """

    def __init__(
        self,
        *,
        allow_private: bool,
        timeout_s: float,
        total_s: float,
        max_bytes: int,
        connections: int,
        per_host: int,
        resolve: Resolve = resolve,
    ) -> None:
        self._timeouts = dict.fromkeys(("connect", "read", "write"), timeout_s)
        self._total_s = total_s
        self._max_bytes = max_bytes
        self._slots = HostSlots(connections, per_host)
        self._deadline = Deadline()
        self._pool = httpcore.ConnectionPool(
            ssl_context=httpx.create_ssl_context(trust_env=False),
            max_connections=connections,
            max_keepalive_connections=connections,
            keepalive_expiry=30.0,
            network_backend=GuardedNetwork(
                allow_private=allow_private, deadline=self._deadline, resolve=resolve
            ),
        )

    def close(self) -> None:
        """Close every connection."""
        self._pool.close()

    def get(self, url: str, *, etag: str = "", last_modified: str = "") -> Answer:
        """Get what is behind a URL, over at most five redirects.

        Args:
            url: An http or https URL.
            etag: Validator of a copy at hand, or "".
            last_modified: Another one.

        Returns:
            The answer; without data if a validator was given and the copy is still right.

        Raises:
            PictureError: If it cannot be had, with the reason but not the URL.
            TransientError: If another try may succeed.
        """
        headers = {"Accept": _ACCEPT, "Accept-Encoding": "identity"}
        headers["User-Agent"] = f"snapshelf/{__version__}"
        if etag:
            headers["If-None-Match"] = etag
        if last_modified:
            headers["If-Modified-Since"] = last_modified
        target = parse_url(url)
        for _ in range(_MAX_REDIRECTS + 1):
            with self._slots.hold(target.host), self._deadline.within(self._total_s):
                answer = self._ask(target, headers)
            if isinstance(answer, Answer):
                return answer
            target = answer
        raise PictureError(f"more than {_MAX_REDIRECTS} redirects")

    def _ask(self, url: httpx.URL, headers: dict[str, str]) -> Answer | httpx.URL:
        """Make one request; gives the answer, or where it redirects to."""
        request = [("Host", url.netloc.decode("ascii")), *headers.items()]
        try:
            with self._pool.stream(
                "GET",
                httpcore.URL(
                    scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path
                ),
                headers=request,
                extensions={"timeout": self._timeouts},
            ) as response:
                conditional = not headers.keys().isdisjoint(_CONDITIONS)
                return self._read(url, response, conditional=conditional)
        except httpcore.TimeoutException as error:
            raise TransientError(f"timed out ({error or type(error).__name__})") from error
        except (httpcore.NetworkError, httpcore.ProtocolError) as error:
            # The library hands on what went wrong as the argument of its own error.
            cause = error.args[0] if error.args else None
            if isinstance(cause, ssl.SSLCertVerificationError):
                reason = cause.verify_message
                raise PictureError(f"the server's certificate is not valid: {reason}") from error
            raise TransientError(f"the connection failed: {error}") from error

    def _read(
        self, url: httpx.URL, response: httpcore.Response, *, conditional: bool
    ) -> Answer | httpx.URL:
        headers = httpx.Headers(response.headers)
        status = response.status
        etag, last_modified = headers.get("ETag", ""), headers.get("Last-Modified", "")
        length = headers.get("Content-Length", "")
        if status == 304 or (status != 200 and _is_short(length)):
            # A body that is read to its end leaves the connection open for the next request.
            response.read()
        if status == 304 and conditional:
            return Answer(None, etag, last_modified)
        if status in _REDIRECTS and "Location" in headers:
            return _redirect(url, headers["Location"])
        if status in _WORTH_ANOTHER_TRY or status >= 500:
            raise TransientError(f"HTTP {status}", retry_after(headers.get("Retry-After", "")))
        if status != 200:
            raise PictureError(f"HTTP {status}, expected a picture")
        if length.isdecimal() and int(length) > self._max_bytes:
            raise _too_large(self._max_bytes)
        encoding = headers.get("Content-Encoding", "identity").strip().lower()
        data = _collect(response.iter_stream(), encoding, self._max_bytes)
        return Answer(data, etag, last_modified)


def parse_url(url: str) -> httpx.URL:
    """Parse a URL that may be fetched.

    Args:
        url: As a feed or a Location header gives it.

    Returns:
        The URL, normalised and without its fragment.

    Raises:
        PictureError: If it is no http(s) URL, has no host or no possible port, or carries a user
            name or password.
    """
    try:
        parsed = httpx.URL(url.strip())
    except httpx.InvalidURL as error:
        raise PictureError(f"not a URL that can be understood: {error}") from error
    if parsed.scheme not in ("http", "https"):
        raise PictureError(f"only http and https URLs are fetched, got {parsed.scheme or 'none'}")
    if not parsed.host:
        raise PictureError("the URL names no host")
    if parsed.port is not None and not 0 < parsed.port < 65536:
        raise PictureError(f"a port is 1 to 65535, got {parsed.port}")
    if parsed.userinfo:
        raise PictureError("a URL with a user name or password is not fetched; leave them out")
    return parsed.copy_with(fragment=None)


def _redirect(url: httpx.URL, location: str) -> httpx.URL:
    try:
        return parse_url(str(url.join(location)))
    except httpx.InvalidURL as error:
        raise PictureError(f"redirects to what is no URL: {error}") from error
    except PictureError as error:
        raise PictureError(f"redirects to {location[:200]}: {error}") from error


def _is_short(length: str) -> bool:
    return length.isdecimal() and int(length) <= _SHORT_BYTES


def _collect(chunks: Iterable[bytes], encoding: str, max_bytes: int) -> bytes:
    """Join a body, decompressing it if need be, and stop as soon as it is too large."""
    body = bytearray()
    if encoding == "identity":
        for chunk in chunks:
            body += chunk
            if len(body) > max_bytes:
                raise _too_large(max_bytes)
        return bytes(body)
    if encoding not in _COMPRESSED:
        raise PictureError(
            f"the server sent the encoding {encoding[:40]!r}, which was not asked for"
        )
    inflate = zlib.decompressobj(zlib.MAX_WBITS | 32)
    try:
        for chunk in chunks:
            body += inflate.decompress(chunk, max_bytes + 1 - len(body))
            if len(body) > max_bytes:
                raise _too_large(max_bytes)
    except zlib.error as error:
        raise PictureError(f"the server's {encoding} body is damaged: {error}") from error
    if not inflate.eof:
        raise PictureError(f"the server's {encoding} body ends early")
    return bytes(body)


def _too_large(max_bytes: int) -> PictureError:
    return PictureError(f"larger than the {max_bytes:,} bytes that are accepted; make it smaller")
