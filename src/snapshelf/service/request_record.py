"""What is noted of every request: its ID, how it ended and how long it took."""

import re
import time
import uuid
from collections.abc import MutableMapping
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from snapshelf.service.logs import log
from snapshelf.service.measures import Measures

__all__ = ["RequestRecord", "request_id_of"]

GIVEN = re.compile(r"[A-Za-z0-9._-]{1,64}")
"""A request ID that a proxy may give; another one is replaced."""


def request_id_of(scope: MutableMapping[str, Any]) -> str:
    """Give the ID of a request."""
    return str(scope.get("state", {}).get("request_id", ""))


class RequestRecord:
    """Middleware: gives each request an ID, which its answer names, and notes how it ended.

    Args:
        app: What answers.
        measures: Counts.
    """

    def __init__(self, app: ASGIApp, measures: Measures) -> None:
        self._app = app
        self._measures = measures

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get("x-request-id", "")
        request_id = given if GIVEN.fullmatch(given) else uuid.uuid4().hex
        state = scope.setdefault("state", {})
        state["request_id"] = request_id
        status = 0
        start = time.perf_counter()

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["X-Request-ID"] = request_id
            await send(message)

        try:
            await self._app(scope, receive, noted)
        finally:
            seconds = time.perf_counter() - start
            route = getattr(scope.get("route"), "path", "none").replace(":path}", "}")
            self._measures.requests.labels(route, _method(scope), str(status)).observe(seconds)
            log(
                "request",
                request_id=request_id,
                method=_method(scope),
                route=route,
                status=status,
                milliseconds=round(1000 * seconds, 1),
                received=state.get("received", 0),
                key=state.get("key"),
                client=(scope.get("client") or ("",))[0],
            )


def _method(scope: Scope) -> str:
    """Give the method; a made-up one would be a label of its own."""
    known = ("GET", "PUT", "POST", "DELETE", "HEAD", "OPTIONS")
    return scope["method"] if scope["method"] in known else "other"
