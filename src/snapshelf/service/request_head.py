"""The head of a request: refused where it can be read in two ways, or is too large."""

from starlette.types import ASGIApp, Receive, Scope, Send

from snapshelf.service.problems import ProblemError

__all__ = ["RequestHead"]

VERSIONS = ("1.0", "1.1")
MOST_HEADERS = 100
MOST_BYTES = 32 * 1024
LONGEST_ADDRESS = 64
"""Of a client, as a proxy tells it; the longest IPv6 address has 45 characters, and a zone."""


class RequestHead:
    """Middleware: raises `ProblemError` for a head that is ambiguous or too large.

    A body that tells its length in two ways ends in two places: a proxy that believes the one
    would take for a body what the service, which believes the other, takes for the next request.
    RFC 9112, section 6.3, lets a server refuse it. The server's own bound counts only heads
    that have not come whole.

    Args:
        app: What answers.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] == "http":
            _check(scope)
            if scope.get("client"):
                host, port = scope["client"]
                scope["client"] = (host[:LONGEST_ADDRESS], port)
        await self._app(scope, receive, send)


def _check(scope: Scope) -> None:
    headers = scope["headers"]
    names = {name for name, _ in headers}
    if {b"content-length", b"transfer-encoding"} <= names:
        raise _refused(
            "not-understood",
            "the body tells its length in two ways; send Content-Length or chunks, not both",
        )
    if scope["http_version"] not in VERSIONS:
        raise _refused("not-understood", "this service speaks HTTP/1.1; ask with that")
    size = len(scope.get("raw_path") or b"") + len(scope["query_string"])
    size += sum(len(name) + len(value) for name, value in headers)
    if len(headers) > MOST_HEADERS or size > MOST_BYTES:
        raise _refused(
            "head-too-large",
            f"a request may have {MOST_HEADERS} headers, and with its address {MOST_BYTES:,} "
            "bytes of them; send fewer",
        )


def _refused(kind: str, detail: str) -> ProblemError:
    return ProblemError(kind, detail, headers={"Connection": "close"})
