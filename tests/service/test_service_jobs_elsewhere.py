"""Two processes that answer for one service: the jobs are where one of them says."""

import asyncio
import pickle
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import numpy as np
import pytest
from service_parts import draw, is_problem, png

from snapshelf.service import Settings, create_app
from snapshelf.service.api_keys import add_key
from snapshelf.service.clip_bounds import ClipBounds
from snapshelf.service.jobs_elsewhere import JOB_PATHS
from snapshelf.shelf import Shelf
from written_clip import written_clip

SECRET = "s" * 32
MP4 = {"Content-Type": "video/mp4"}


@pytest.fixture(scope="module")
def clip() -> bytes:
    return written_clip([np.array(draw(number, 96)) for number in (1, 4) for _ in range(10)])


def run(
    shelf: Path,
    settings: Settings,
    work: Callable[[httpx.AsyncClient, httpx.AsyncClient], Awaitable[None]],
) -> None:
    """Run something with clients of an application, and of the one that holds its jobs."""

    @asynccontextmanager
    async def started(app) -> AsyncIterator[httpx.AsyncClient]:
        async with app.router.lifespan_context(app):
            transport = httpx.ASGITransport(app)
            async with httpx.AsyncClient(transport=transport, base_url="http://shop") as client:
                yield client

    async def both() -> None:
        with Shelf.open(shelf) as opened:
            holder = create_app(opened, settings)

            async def elsewhere(scope, receive, send) -> None:
                # What another process cannot be told would not be understood there.
                plain = {name: value for name, value in scope.items() if name != "app"}
                await holder(pickle.loads(pickle.dumps(plain)), receive, send)

            app = create_app(opened, settings, jobs=elsewhere)
            async with started(holder) as holding, started(app) as client:
                await work(client, holding)

    asyncio.run(both())


async def over(client: httpx.AsyncClient, url: str) -> dict:
    ends = time.monotonic() + 120
    while time.monotonic() < ends:
        job = (await client.get(url)).raise_for_status().json()
        if job["status"] not in ("queued", "running"):
            return job
        await asyncio.sleep(0.02)
    raise AssertionError(f"{url} is not over")


def test_every_route_of_a_job_is_passed_on(shelf: Path) -> None:
    with Shelf.open(shelf) as opened:
        app = create_app(opened, Settings())
        about_jobs = {
            path
            for path, operations in app.openapi()["paths"].items()
            if "{job_id}" in path or any("202" in each["responses"] for each in operations.values())
        }
        app.state.parts.close()
    about_jobs.remove("/v1/search")  # of which only the clips are, see below
    assert {path.partition("/{")[0] for path in about_jobs} == set(JOB_PATHS)


def test_a_clip_is_searched_where_the_jobs_are(shelf: Path, clip: bytes, tmp_path: Path) -> None:
    (tmp_path / "clips").mkdir()
    settings = Settings(clips=ClipBounds(folder=tmp_path / "clips"), session_secret=SECRET)

    async def work(client: httpx.AsyncClient, holding: httpx.AsyncClient) -> None:
        query = {"top": "2", "filter": "brand=Acme|Zenith,price<1000"}
        answer = await client.post("/v1/search", content=clip, headers=MP4, params=query)
        assert answer.status_code == 202, answer.text
        assert answer.json()["request_id"] == answer.headers["x-request-id"]
        url = answer.json()["job"]["url"]
        assert answer.headers["location"] == url
        job = await over(client, url)
        assert (await holding.get(url)).json() == job
        assert job["status"] == "done"
        assert job["result"]["request_id"] == answer.json()["request_id"]

        direct = await holding.post("/v1/search", content=clip, headers=MP4, params=query)
        same = (await over(holding, direct.json()["job"]["url"]))["result"]
        assert job["result"]["items"] == same["items"] != []

        events = await client.get(f"{url}/events")
        assert events.headers["content-type"].startswith("text/event-stream")
        assert "event: done" in events.text
        form = await client.post(
            "/v1/search", files={"clip": ("a.mp4", clip, "video/mp4")}, data={"top": "1"}
        )
        assert form.status_code == 202, form.text
        await over(client, form.json()["job"]["url"])
        assert (await client.delete(url)).status_code == 200
        is_problem(await client.get(url), 404, "not-found")
        # Nothing is left here, and only what is worked on there.
        assert [each.name for each in (tmp_path / "clips").glob("*/*")] == ["lock", "lock"]

    run(shelf, settings, work)


def test_what_is_wrong_with_a_clip_is_told_as_ever(shelf: Path, clip: bytes) -> None:
    settings = Settings()

    async def work(client: httpx.AsyncClient, holding: httpx.AsyncClient) -> None:
        bad = await client.post("/v1/search", content=clip[:900], headers=MP4)
        is_problem(bad, 422, "clip-refused")
        boxed = await client.post("/v1/search?boxes=1,2,30,40", content=clip, headers=MP4)
        assert "boxes and points" in is_problem(boxed, 422, "invalid")
        picture = await client.post(
            "/v1/search", content=png(3), headers={"Content-Type": "image/png"}
        )
        assert picture.status_code == 200, "pictures are searched where they arrive"

    run(shelf, settings, work)


def test_one_place_for_all_that_jobs_hold(shelf: Path, tmp_path: Path) -> None:
    keys = tmp_path / "keys.json"
    writer = add_key(keys, "team", "write")
    reader = add_key(keys, "shop", "read")
    settings = Settings(keys=keys, session_secret=SECRET)

    async def work(client: httpx.AsyncClient, holding: httpx.AsyncClient) -> None:
        is_problem(await client.get("/v1/index"), 401, "key-missing")
        refused = await client.get("/v1/index", headers={"Authorization": f"Bearer {reader}"})
        is_problem(refused, 403, "not-allowed")
        for each in (client, holding):
            each.headers["Authorization"] = f"Bearer {writer}"
        fed = await client.post("/v1/index", json={})
        assert fed.status_code == 202, fed.text
        job = await over(client, fed.json()["job"]["url"])
        assert job["status"] == "done", job
        for each in (client, holding):
            assert (await each.get("/v1/index")).json()["job"]["id"] == job["id"]
        sent = await client.post(
            "/v1/annotations", files=[("pictures", (f"{n}.png", png(n))) for n in range(3)]
        )
        job = await over(client, sent.json()["job"]["url"])
        lines = await client.get(job["result"]["lines"])
        assert len(lines.text.splitlines()) == 3
        pairs = await client.get("/v1/duplicates", params={"least": "0.9"})
        await over(client, pairs.json()["job"]["url"])
        again = await client.get("/v1/duplicates", params={"least": "0.9"})
        assert again.json()["compared"] == 6
        # A session and a pass for pictures hold in every process that has the secret.
        begun = await client.post(
            "/v1/session",
            json={"key": writer, "scope": "write"},
            headers={"Origin": "http://shop"},
        )
        cookie = begun.headers["set-cookie"].partition(";")[0]
        for each in (client, holding):
            del each.headers["Authorization"]
            assert (await each.get("/v1/shelf", headers={"Cookie": cookie})).status_code == 200

    run(shelf, settings, work)
