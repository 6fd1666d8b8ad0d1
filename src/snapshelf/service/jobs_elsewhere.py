"""Jobs that another process holds: what is about them is passed on to it.

A job lives in the memory of one process. Where several answer for one service, one of them holds
the jobs, and the others pass on to it whatever begins a job, looks at one, or gives one up.
"""

import asyncio
from collections.abc import Iterator
from typing import BinaryIO
from urllib.parse import urlencode

from fastapi.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from snapshelf.service.clip_folder import ClipFile
from snapshelf.service.request_record import request_id_of
from snapshelf.service.search_options import SearchOptions

__all__ = ["JOB_PATHS", "JobsElsewhere", "pass_clip_on"]

JOB_PATHS = ("/v1/jobs", "/v1/duplicates", "/v1/annotations", "/v1/index")
"""Every request to these, and to what lies below them, is about jobs."""

BLOCK = 256 * 1024
"""Bytes of a clip that are passed on at a time."""

DROPPED = frozenset(
    (b"content-type", b"content-length", b"transfer-encoding", b"x-request-id", b"expect")
)
"""Headers that tell of the request as it came, and not of the clip that is passed on."""

KEPT = ("content-type", "location", "retry-after", "www-authenticate")
"""Headers of the answer that are not written anew here."""


class JobsElsewhere:
    """Middleware, the first of all: answers nothing about jobs itself, but hands that on.

    What is handed on has passed nothing here: the other process knows who asks and how often, and
    bounds the body.

    Args:
        app: Answers everything else.
        jobs: The application of the process that holds the jobs.
    """

    def __init__(self, app: ASGIApp, jobs: ASGIApp) -> None:
        self._app = app
        self._jobs = jobs

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or have it answered."""
        await (self._jobs if _is_about_jobs(scope) else self._app)(scope, receive, send)


async def pass_clip_on(
    jobs: ASGIApp, request: Request, clip: ClipFile, options: SearchOptions
) -> Response:
    """Have a clip that has arrived here searched by the process that holds the jobs.

    Args:
        jobs: The application there.
        request: Brought the clip.
        clip: The clip, whole; is only read.
        options: What is asked for.

    Returns:
        What the other process answers: that the job has begun, or why not.
    """
    with await run_in_threadpool(clip.path.open, "rb") as file:
        size = clip.path.stat().st_size
        blocks = _blocks(file)
        sent = 0

        async def receive() -> Message:
            nonlocal sent
            if sent >= size:
                # The client's own end is seen by the server, which then ends this request.
                await asyncio.Event().wait()
            block = await run_in_threadpool(next, blocks, b"")
            sent += len(block)
            return {"type": "http.request", "body": block, "more_body": sent < size}

        status, headers, body = 500, Headers(), bytearray()

        async def send(message: Message) -> None:
            nonlocal status, headers
            if message["type"] == "http.response.start":
                status, headers = message["status"], Headers(raw=message["headers"])
            elif message["type"] == "http.response.body":
                body.extend(message.get("body", b""))

        await jobs(_scope_of(request, size, options), receive, send)
    kept = {name: headers[name] for name in KEPT if name in headers}
    return Response(bytes(body), status, kept)


def _is_about_jobs(scope: Scope) -> bool:
    return scope["type"] == "http" and any(
        scope["path"] == path or scope["path"].startswith(f"{path}/") for path in JOB_PATHS
    )


def _scope_of(request: Request, size: int, options: SearchOptions) -> Scope:
    """Describe a request that has the clip for its body, from the same client."""
    headers = [(name, value) for name, value in request.scope["headers"] if name not in DROPPED]
    headers += [
        (b"content-type", b"application/octet-stream"),
        (b"content-length", str(size).encode()),
        (b"x-request-id", request_id_of(request.scope).encode()),
    ]
    asked = options.model_dump(exclude_defaults=True)
    return {
        **{name: value for name, value in request.scope.items() if name in _PLAIN},
        "path": "/v1/search",
        "raw_path": b"/v1/search",
        "query_string": urlencode(asked).encode(),
        "headers": headers,
    }


_PLAIN = ("type", "asgi", "http_version", "method", "scheme", "root_path", "client", "server")


def _blocks(file: BinaryIO) -> Iterator[bytes]:
    while block := file.read(BLOCK):
        yield block
