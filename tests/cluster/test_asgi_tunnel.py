"""A request answered by an application elsewhere, its messages carried one by one.

The calls of Ray are stood in for by calls whose arguments and results are pickled; the real ones
are made in `test_ray_serving.py`.
"""

import asyncio
import pickle
import warnings
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

pytest.importorskip("ray", reason="needs the extra `cluster`")

from ray.exceptions import RayActorError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # Serve's own, of pydantic
    from snapshelf.cluster import asgi_tunnel
    from snapshelf.cluster.asgi_tunnel import FarEnd, NearEnd


class Answer:
    """What a streaming call of Serve gives."""

    def __init__(self, messages: AsyncIterator[Any]) -> None:
        self._messages = messages
        self.cancelled = False

    def __aiter__(self) -> "Answer":
        return self

    async def __anext__(self) -> Any:
        return pickle.loads(pickle.dumps(await anext(self._messages)))

    def cancel(self) -> None:
        self.cancelled = True


class Handle:
    """Serve's handle of a deployment, of this process."""

    def __init__(self, far_end: Any) -> None:
        self._far_end = far_end
        self.answers: list[Answer] = []
        self.answer = self.give = self
        self._streams = False

    def options(self, *, stream: bool) -> "Handle":
        assert stream
        streaming = Handle(self._far_end)
        streaming._streams = True
        streaming.answers = self.answers
        return streaming

    def remote(self, *given: Any) -> Any:
        given = pickle.loads(pickle.dumps(given))
        if self._streams:
            self.answers.append(Answer(self._far_end.answer(*given)))
            return self.answers[-1]
        return self._far_end.give(*given)


async def length(request: Request) -> PlainTextResponse:
    size = pieces = 0
    async for piece in request.stream():
        size += len(piece)
        pieces += 1
    told = f"{size} {pieces > 20} {request.query_params['q']} {request.headers['x-own']}"
    return PlainTextResponse(told, headers={"X-State": request.state.word})


async def early(request: Request) -> PlainTextResponse:
    return PlainTextResponse("no", 413)


async def slowly(request: Request) -> StreamingResponse:
    async def parts() -> AsyncIterator[bytes]:
        for number in range(3):
            await asyncio.sleep(0.01)
            yield b"%d" % number

    return StreamingResponse(parts())


APP = Starlette(
    routes=[
        Route("/length", length, methods=["POST"]),
        Route("/early", early, methods=["POST"]),
        Route("/slowly", slowly),
    ]
)


def asked(handle: Handle, method: str, path: str, **given: Any) -> httpx.Response:
    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(NearEnd(handle))
        async with httpx.AsyncClient(transport=transport, base_url="http://near") as client:
            return await client.request(method, path, **given)

    return asyncio.run(ask())


def handle_of(app: ASGIApp) -> Handle:
    return Handle(FarEnd(app, {"word": "state"}))


def test_a_long_body_arrives_whole() -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(50):
            yield b"x" * 1000

    handle = handle_of(APP)
    answer = asked(handle, "POST", "/length?q=%C3%A4", content=pieces(), headers={"X-Own": "o"})
    assert answer.text == "50000 True ä o"
    assert answer.headers["x-state"] == "state"
    assert handle.answers[0].cancelled, "nothing is left under way"


def test_an_answer_comes_in_parts() -> None:
    assert asked(handle_of(APP), "GET", "/slowly").text == "012"


def test_an_answer_may_come_before_the_body_has() -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(200):
            yield b"x"

    assert asked(handle_of(APP), "POST", "/early", content=pieces()).status_code == 413


def test_pieces_wait_until_they_are_read() -> None:
    async def watched() -> None:
        reading = asyncio.Event()

        async def app(scope: Any, receive: Any, send: Any) -> None:
            await reading.wait()
            for _ in range(40):
                await receive()
            await send({"type": "http.response.start", "status": 204, "headers": []})

        far = FarEnd(app, {})
        messages = far.answer("one", {"type": "http"})
        assert await anext(messages) == asgi_tunnel.READY
        given = 0

        async def give() -> None:
            nonlocal given
            for _ in range(40):
                await far.give("one", {"type": "http.request", "body": b"x", "more_body": True})
                given += 1

        giving = asyncio.create_task(give())
        await asyncio.sleep(0.05)
        assert given == asgi_tunnel.AHEAD
        reading.set()
        assert (await anext(messages))["status"] == 204
        await giving
        assert [each async for each in messages] == []
        await far.give("one", {"type": "http.disconnect"})  # of a request that is over

    asyncio.run(watched())


def test_a_client_that_goes_is_told_of() -> None:
    async def watched() -> None:
        seen: list[str] = []

        async def app(scope: Any, receive: Any, send: Any) -> None:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            while (message := await receive())["type"] != "http.disconnect":
                seen.append(message["type"])
            seen.append("gone")
            await send({"type": "http.response.body", "body": b""})

        coming = iter(
            [
                {"type": "http.request", "body": b"", "more_body": False},
                {"type": "http.disconnect"},
            ]
        )
        sent: list[Any] = []

        async def receive() -> Any:
            return next(coming)

        async def send(message: Any) -> None:
            sent.append(message)

        await NearEnd(handle_of(app))({"type": "http"}, receive, send)
        assert seen == ["http.request", "gone"]
        assert [each["type"] for each in sent] == ["http.response.start", "http.response.body"]

    asyncio.run(watched())


def test_a_request_that_is_given_up_ends_there_too() -> None:
    async def watched() -> None:
        ended = asyncio.Event()

        async def app(scope: Any, receive: Any, send: Any) -> None:
            try:
                await asyncio.Event().wait()
            finally:
                ended.set()

        far = FarEnd(app, {})
        messages = far.answer("one", {"type": "http"})
        await anext(messages)
        waiting = asyncio.create_task(anext(messages))
        await asyncio.sleep(0)
        waiting.cancel()  # as Ray cancels the call
        with pytest.raises(asyncio.CancelledError):
            await waiting
        await asyncio.wait_for(ended.wait(), 5)

    asyncio.run(watched())


class Away:
    """A far end whose replica is not there."""

    def __init__(self, error: Exception | None) -> None:
        self._error = error

    async def answer(self, *given: Any) -> AsyncIterator[Any]:
        if self._error is not None:
            raise self._error
        await asyncio.Event().wait()
        yield


@pytest.mark.parametrize("error", [RayActorError(), None])
def test_a_replica_that_is_away_is_told_as_a_problem(
    error: Exception | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asgi_tunnel, "READY_S", 0.05)
    answer = asked(Handle(Away(error)), "GET", "/v1/jobs/one")
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "1"
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == "urn:snapshelf:problem:unavailable"
    assert "send it again" in answer.json()["detail"]
    assert answer.json()["request_id"] == answer.headers["x-request-id"]


def test_one_that_ends_before_it_answers_is_told_as_a_problem() -> None:
    async def broken(scope: Any, receive: Any, send: Any) -> None:
        raise RayActorError

    assert asked(handle_of(broken), "GET", "/v1/jobs/one").status_code == 503


def test_one_that_ends_in_the_middle_breaks_the_answer_off() -> None:
    async def broken(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise RayActorError

    with pytest.raises(RayActorError):
        asked(handle_of(broken), "GET", "/v1/jobs/one/events")
