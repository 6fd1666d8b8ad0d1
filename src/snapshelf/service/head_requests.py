"""HEAD: what GET would be answered with, without the body."""

from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["HeadRequests"]


class _HeadSentError(OSError):
    """The head is sent and nothing may follow; as when a client has gone."""


class HeadRequests:
    """Middleware: has routes of GET answer HEAD too.

    Args:
        app: What answers.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif scope["method"] == "HEAD":
            await self._head(scope, receive, send)
        else:
            await self._app(scope, receive, _allowing(send))

    async def _head(self, scope: Scope, receive: Receive, send: Send) -> None:
        # A scope of its own: to the server and the log the method stays what it is.
        own = {**scope, "method": "GET"}
        allowing = _allowing(send)
        ended = False

        async def without_body(message: Message) -> None:
            nonlocal ended
            if message["type"] != "http.response.body":
                await allowing(message)
                return
            if ended:
                raise _HeadSentError
            ended = True
            # A stream of events, which would go on for as long as its job, is ended by this: the
            # server tells it that the client waits for no more.
            await send({"type": "http.response.body", "body": b"", "more_body": False})

        try:
            await self._app(own, receive, without_body)
        except (_HeadSentError, ClientDisconnect):
            if not ended:
                raise
        finally:
            if "route" in own:
                scope["route"] = own["route"]


def _allowing(send: Send) -> Send:
    """Name HEAD beside GET where an answer tells which methods an address takes."""

    async def told(message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] == 405:
            headers = MutableHeaders(scope=message)
            methods = [each.strip() for each in headers.get("allow", "").split(",")]
            if "GET" in methods and "HEAD" not in methods:
                headers["allow"] = ", ".join([*methods, "HEAD"])
        await send(message)

    return told
