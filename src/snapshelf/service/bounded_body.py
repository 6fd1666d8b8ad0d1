"""Bodies are bounded as they arrive: in bytes, in silence and in time, before anything reads them.

Where the answer is known before the body has come, the rest is read for a moment and thrown away: a
client that is still sending would otherwise see a broken connection, and not why.
"""

import asyncio
import time
from contextlib import suppress

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from snapshelf.service.problems import ProblemError
from snapshelf.service.settings import Settings

__all__ = ["ArrivingBody", "BoundedBody", "arriving_body"]

PICTURE_PATHS = ("/v1/search", "/v1/detect", "/v1/upright", "/v1/links")
"""Requests to these hold pictures; all others only JSON."""

BULK_PATHS = ("/v1/annotations", "/v1/index")
"""Requests to these hold many files, or a large one, which go to disk as they arrive."""
CLIP_PATHS = ("/v1/search",)
"""Of these, those that may hold a clip instead."""

DRAINED_BYTES = 32 * 1024 * 1024
DRAINED_S = 2.0


def arriving_body(scope: Scope) -> "ArrivingBody":
    """Give the body of a request as it arrives, to tell what it turns out to be."""
    body = scope["state"]["body"]
    assert isinstance(body, ArrivingBody)
    return body


class BoundedBody:
    """Middleware: raises `ProblemError` for a body that is too large, too slow or one too many.

    Args:
        app: What answers.
        settings: The bounds.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._settings = settings
        self._buffered = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body = ArrivingBody(self, scope, receive, send, self._settings)
        scope.setdefault("state", {})["body"] = body
        try:
            await self._app(scope, body.receive, body.send)
        finally:
            self._buffered -= body.in_memory

    def take(self, size: int) -> None:
        """Count bytes that have come into memory; below 0, that have left it.

        Raises:
            ProblemError: If that makes too many.
        """
        self._buffered += size
        if size > 0 and self._buffered > self._settings.buffered_bytes:
            raise ProblemError(
                "busy", "too many pictures are being sent at once; try again", retry_after_s=2
            )


class ArrivingBody:
    """The body of one request as it arrives.

    What may be a clip is bounded as one by the length that it tells, and as a picture by what has
    come, until `is_clip` or `is_picture` is called.
    """

    def __init__(
        self, owner: BoundedBody, scope: Scope, receive: Receive, send: Send, settings: Settings
    ) -> None:
        self.received = 0
        self.in_memory = 0
        self._owner = owner
        self._scope = scope
        self._receive = receive
        self._send = send
        self._settings = settings
        self._most, self._seconds = _bounds(scope["path"], settings)
        self._start = time.monotonic()
        headers = Headers(scope=scope)
        self._may_be_clip = scope["path"] in CLIP_PATHS and not headers.get(
            "content-type", ""
        ).lower().startswith("application/json")
        self._on_disk = scope["path"] in BULK_PATHS
        self._told = headers.get("content-length", "")
        # Nothing comes from a client that waits to be asked for its body.
        self._waits = headers.get("expect", "").lower() == "100-continue"
        self._whole = self._told in ("", "0") and "transfer-encoding" not in headers

    async def receive(self) -> Message:
        """Give the next part of the body.

        Raises:
            ProblemError: If the body is refused.
        """
        if self._whole:
            return await self._receive()
        if not self.received:
            self._check_told(self._settings.clips.body_bytes if self._may_be_clip else self._most)
        message = await self._next()
        if message["type"] == "http.request":
            part = len(message.get("body", b""))
            self._waits = False
            self._whole = not message.get("more_body", False)
            self.received += part
            if not self._on_disk:
                self.in_memory += part
                self._owner.take(part)
            self._scope["state"]["received"] = self.received
            if self.received > self._most:
                raise self._too_large(self._most)
        else:
            self._whole = True  # the client has gone
        return message

    def is_clip(self) -> None:
        """Tell that it is a clip, which may be larger and take longer, and lies on disk."""
        self._most = self._settings.clips.body_bytes
        self._seconds = self._settings.clips.upload_s
        self._may_be_clip, self._on_disk = False, True
        self._owner.take(-self.in_memory)
        self.in_memory = 0

    def is_picture(self) -> None:
        """Tell that it is no clip.

        Raises:
            ProblemError: If it says that it is larger than a picture may be.
        """
        self._may_be_clip = False
        self._check_told(self._most)

    async def send(self, message: Message) -> None:
        """Send an answer; one that comes before the end of the body waits for that a moment."""
        if message["type"] == "http.response.start" and not self._whole and not self._waits:
            await self._drain()
        await self._send(message)

    async def _next(self) -> Message:
        left = self._start + self._seconds - time.monotonic()
        try:
            async with asyncio.timeout(min(left, self._settings.silence_s)):
                return await self._receive()
        except TimeoutError:
            self._whole = True  # nothing more is waited for
            raise ProblemError(
                "too-slow",
                f"the body has to arrive within {self._seconds:g} s and without a pause of "
                f"{self._settings.silence_s:g} s; send a smaller file, or fewer at once",
                headers={"Connection": "close"},
            ) from None

    def _check_told(self, most: int) -> None:
        if self._told.isdecimal() and int(self._told[:20]) > most:
            raise self._too_large(most)

    def _too_large(self, most: int) -> ProblemError:
        return ProblemError(
            "too-large",
            f"the body may have at most {most:,} bytes; make the file smaller, or send "
            "fewer products at once",
            headers={"Connection": "close"},
        )

    async def _drain(self) -> None:
        """Read on for a moment, keeping nothing."""
        self._whole = True
        drained = 0
        with suppress(TimeoutError):
            async with asyncio.timeout(DRAINED_S):
                while drained < DRAINED_BYTES:
                    message = await self._receive()
                    drained += len(message.get("body", b""))
                    if not message.get("more_body", False):
                        return


def _bounds(path: str, settings: Settings) -> tuple[int, float]:
    """Tell how many bytes the body of a request may have, and how many seconds."""
    match path:
        case "/v1/annotations":
            return settings.annotated_bytes, settings.bulk_s
        case "/v1/index":
            return settings.feed_bytes, settings.bulk_s
        case _ if path in PICTURE_PATHS:
            return settings.picture_body_bytes, settings.upload_s
    return settings.json_bytes, settings.upload_s
