"""What a proxy of Serve answers by itself is told as a problem; everything else passes."""

import asyncio
import warnings

import httpx
import pytest

pytest.importorskip("ray", reason="needs the extra `cluster`")

from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from snapshelf.cluster.proxy_problems import PROXY_VARIABLES, ProxyProblems, proxy_middlewares
from snapshelf.service.security_headers import HEADERS


async def silent(scope: Scope, receive: Receive, send: Send) -> None:
    """A proxy whose replica has ended: it sends nothing."""


def ask(app: ASGIApp, path: str = "/v1/search") -> httpx.Response:
    async def get() -> httpx.Response:
        transport = httpx.ASGITransport(ProxyProblems(app))
        async with httpx.AsyncClient(transport=transport, base_url="http://proxy") as client:
            return await client.get(path)

    return asyncio.run(get())


@pytest.mark.parametrize(
    ("app", "status", "kind", "detail"),
    [
        (silent, 503, "unavailable", "the replica that was at work on this request has ended"),
        (PlainTextResponse("no replicas", 503), 503, "unavailable", "no replica of the service"),
        (PlainTextResponse("timed out", 408), 408, "too-slow", "the request was not answered"),
        (PlainTextResponse("not found", 404), 404, "not-found", "nothing is served"),
        (PlainTextResponse("Internal Server Error", 500), 500, "failed", "was not answered"),
    ],
)
def test_what_serve_says_is_told_as_a_problem(
    app: ASGIApp, status: int, kind: str, detail: str
) -> None:
    answer = ask(app)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert (problem["type"], problem["status"]) == (f"urn:snapshelf:problem:{kind}", status)
    assert detail in problem["detail"]
    assert answer.headers["x-request-id"] == problem["request_id"] != ""
    assert answer.headers["retry-after"] == "1"
    assert {name: answer.headers[name] for name in HEADERS} == dict(HEADERS)


@pytest.mark.parametrize(
    "app",
    [
        PlainTextResponse("measures"),
        JSONResponse({"items": []}),
        JSONResponse({"type": "x"}, 500, media_type="application/problem+json"),
        HTMLResponse("<p>none", 404),
    ],
)
def test_what_the_application_says_passes(app: ASGIApp) -> None:
    async def get() -> httpx.Response:
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://proxy"
        ) as client:
            return await client.get("/")

    plain, passed = asyncio.run(get()), ask(app, "/")
    assert (passed.status_code, passed.content) == (plain.status_code, plain.content)
    assert passed.headers == plain.headers


def test_what_load_balancers_ask_a_proxy_passes() -> None:
    answer = ask(PlainTextResponse("DRAINING", 503), "/-/healthz")
    assert (answer.status_code, answer.text) == (503, "DRAINING")


def test_serve_finds_the_middleware() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Serve's own, of pydantic
        from ray._common.utils import import_attr
    (path,) = PROXY_VARIABLES.values()
    assert import_attr(path) is proxy_middlewares
    (middleware,) = proxy_middlewares()
    assert middleware.cls is ProxyProblems
