"""What Ray Serve's proxies answer by themselves, told as the service tells its problems.

A replica that ends takes the requests with it that it was at work on: the proxy then has no answer,
and its server says ``Internal Server Error``. Where there is no replica the proxy says so in plain
text. In both cases the request is fine and may be sent again, which is what `ProxyProblems` says.
"""

import uuid

from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from snapshelf.service.problems import MEDIA_TYPE, ProblemError, kind_of_status, problem_body
from snapshelf.service.security_headers import HEADERS

__all__ = ["PROXY_VARIABLES", "ProxyProblems", "proxy_middlewares"]

PROXY_VARIABLES = {
    "RAY_SERVE_HTTP_PROXY_CALLBACK_IMPORT_PATH": f"{__name__}.proxy_middlewares",
}
"""Environment variables by which a proxy of Serve finds the middleware."""

SERVES_OWN = "/-/"
"""Addresses at which the proxies tell of themselves, for Serve and for load balancers."""

ENDED = (
    "the replica that was at work on this request has ended, and another takes its place; nothing "
    "is wrong with the request: send it again"
)
"""Not sent again from here: a request that ends its replica would end the next one as well."""

_DETAILS = {
    "unavailable": "no replica of the service can take the request now; send it again",
    "not-found": "nothing is served at this address",
}


class ProxyProblems:
    """Middleware of a proxy: answers as a problem where Serve gives no answer, or plain text.

    Args:
        app: The proxy.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http" or scope["path"].startswith(SERVES_OWN):
            await self._app(scope, receive, send)
            return
        begun = False
        problem: ProblemError | None = None

        async def passed_on(message: Message) -> None:
            nonlocal begun, problem
            if message["type"] == "http.response.start":
                begun = True
                problem = _told_by_serve(message)
            if problem is None:
                await send(message)

        await self._app(scope, receive, passed_on)
        if not begun:
            problem = ProblemError("unavailable", ENDED, retry_after_s=1)
        if problem is not None:
            request_id = uuid.uuid4().hex
            body = problem_body(problem, request_id)
            headers = {**HEADERS, **(problem.headers or {}), "X-Request-ID": request_id}
            await Response(body, problem.status_code, headers, MEDIA_TYPE)(scope, receive, send)


def proxy_middlewares() -> list[Middleware]:
    """Give the middleware of a proxy; Serve calls it in the process of each."""
    return [Middleware(ProxyProblems)]


def _told_by_serve(start: Message) -> ProblemError | None:
    """Tell the beginning of an answer as a problem; None for one that the application gives."""
    kind = Headers(raw=list(start.get("headers", ()))).get("content-type", "")
    if start["status"] < 400 or not kind.startswith("text/plain"):
        return None
    name = kind_of_status(start["status"])
    return ProblemError(name, _DETAILS.get(name, "the request was not answered"), retry_after_s=1)
