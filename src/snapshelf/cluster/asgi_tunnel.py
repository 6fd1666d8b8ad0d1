"""A request answered by an application in another replica, body and answer in pieces.

client ──► `NearEnd`, an application here ──► calls of Ray ──► `FarEnd`, with the application there

Serve's handles carry calls with whole arguments. A clip or a feed is too large for one, and events
of a job come over minutes, so the messages of ASGI are carried one by one: those of the answer are
what one call yields, those of the body are calls of their own meanwhile.
"""

import asyncio
import uuid
from collections.abc import AsyncGenerator
from contextlib import suppress
from typing import Any

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from snapshelf.cluster.ray_extra import ray_extra
from snapshelf.service.logs import log_failure
from snapshelf.service.problems import MEDIA_TYPE, ProblemError, problem_body
from snapshelf.service.security_headers import HEADERS

with ray_extra():
    from ray.exceptions import RayError
    from ray.serve.exceptions import RayServeException

__all__ = ["READY_S", "FarEnd", "NearEnd"]

READY_S = 30.0
"""How long a request waits for the other replica, which may have to be started anew."""

AHEAD = 16
"""Pieces of a body that are on their way before the application has read them."""

READY: Message = {"type": "ready"}

CARRIED = (
    *("type", "asgi", "http_version", "method", "scheme", "path", "raw_path", "query_string"),
    *("root_path", "headers", "client", "server"),
)
"""Of a request's scope; the rest stands for objects of its process."""

AWAY = (
    "jobs are held by one replica of the service, which is not there now, and its jobs have ended "
    "if it ended; nothing is wrong with the request: send it again"
)


class FarEnd:
    """Runs an application for requests that arrive elsewhere.

    Args:
        app: The application.
        state: Of its lifespan; each request has a copy, as from a server.
    """

    def __init__(self, app: ASGIApp, state: dict[str, Any]) -> None:
        self._app = app
        self._state = state
        self._bodies: dict[str, asyncio.Queue[Message]] = {}

    async def answer(self, request_id: str, scope: Scope) -> AsyncGenerator[Message]:
        """Answer a request.

        Args:
            request_id: Names the request among those under way.
            scope: Of the request, what of it is `CARRIED`.

        Yields:
            `READY`, after which pieces of the body may be given, and the answer's messages.
        """
        body = self._bodies[request_id] = asyncio.Queue(AHEAD)
        # Unbounded: what an application sends is in memory already.
        sent: asyncio.Queue[Message | None] = asyncio.Queue()

        async def run() -> None:
            try:
                await self._app({**scope, "state": dict(self._state)}, body.get, sent.put)
            finally:
                sent.put_nowait(None)

        running = asyncio.create_task(run())
        try:
            yield READY
            while (message := await sent.get()) is not None:
                yield message
            await running
        finally:
            del self._bodies[request_id]
            running.cancel()
            while not body.empty():  # whoever gives a piece that nobody reads any more goes on
                body.get_nowait()

    async def give(self, request_id: str, message: Message) -> None:
        """Hand on a piece of a request's body, once there is room; or that its client has gone."""
        body = self._bodies.get(request_id)
        if body is not None:
            await body.put(message)


class NearEnd:
    """An application whose requests a `FarEnd` answers.

    Args:
        handle: Serve's, of a deployment with the methods ``answer`` and ``give`` of `FarEnd`.
    """

    def __init__(self, handle: Any) -> None:
        self._answer = handle.answer.options(stream=True)
        self._give = handle.give

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Have a request answered; as a problem where the other replica is away."""
        request_id = uuid.uuid4().hex
        begun = False
        giving: asyncio.Task[None] | None = None
        messages = self._answer.remote(
            request_id, {name: scope[name] for name in CARRIED if name in scope}
        )
        try:
            async with asyncio.timeout(READY_S):
                await anext(messages)
            giving = asyncio.create_task(self._give_all(request_id, receive))
            async for message in messages:
                begun = True
                await send(message)
        except (RayError, RayServeException, TimeoutError) as error:
            log_failure(request_id, error)
            if begun:
                raise  # a broken answer is seen to be broken when its connection is
            await _away(request_id)(scope, receive, send)
        finally:
            messages.cancel()
            if giving is not None:
                giving.cancel()

    async def _give_all(self, request_id: str, receive: Receive) -> None:
        """Hand the body on, and then that the client has gone, if it goes first."""
        # Where the other replica is gone, so is the answer, which tells it.
        with suppress(RayError, RayServeException):
            while True:
                message = await receive()
                await self._give.remote(request_id, message)
                if message["type"] == "http.disconnect":
                    return


def _away(request_id: str) -> Response:
    problem = ProblemError("unavailable", AWAY, retry_after_s=1)
    headers = {**HEADERS, **(problem.headers or {}), "X-Request-ID": request_id}
    return Response(problem_body(problem, request_id), problem.status_code, headers, MEDIA_TYPE)
