"""Clips over HTTP: taken in, searched as jobs, followed, cancelled, and never in a photo's way."""

import json
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest
from service_parts import draw, file_of, ids, is_problem, png, raw, serving

from snapshelf.service import Settings
from snapshelf.service.api_keys import add_key
from snapshelf.service.clip_bounds import ClipBounds
from snapshelf.shelf import Shelf
from snapshelf.shelf.as_json import items_json
from written_clip import sound_only, written_clip

MP4 = {"Content-Type": "video/mp4"}
PNG = {"Content-Type": "image/png"}


@pytest.fixture(scope="module")
def clip() -> bytes:
    """Two products in turn, a second each."""
    return written_clip([np.array(draw(number, 96)) for number in (1, 4) for _ in range(10)])


@pytest.fixture(scope="module")
def long_clip() -> bytes:
    """A clip that takes a while: two minutes, in small pictures."""
    pictures = (np.array(draw(number % 6, 160)) for number in range(120) for _ in range(10))
    return written_clip(pictures)


@pytest.fixture(scope="module")
def half_minute() -> bytes:
    """A clip long enough to be looked at on its way."""
    pictures = (np.array(draw(number % 6, 160)) for number in range(30) for _ in range(10))
    return written_clip(pictures)


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A folder for the clips of one test."""
    (tmp_path / "clips").mkdir()
    return tmp_path / "clips"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("clips")


@pytest.fixture(scope="module")
def server(made: Path, folder: Path) -> Iterator[httpx.Client]:
    bounds = ClipBounds(folder=folder, max_bytes=8_000_000, max_seconds=200.0, keep_alive_s=0.1)
    with serving(made, Settings(clips=bounds, requests_per_minute=1_000_000)) as client:
        yield client
    assert not list(folder.iterdir()), "the folder does not outlive the service"


def left(folder: Path) -> list[Path]:
    return [each for each in folder.glob("*/*") if each.name != "lock"]


def until(what: Callable[[], object], seconds: float = 60.0) -> None:
    ends = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < ends
        time.sleep(0.02)


def ended(client: httpx.Client, answer: httpx.Response) -> dict:
    assert answer.status_code == 202, answer.text
    job = answer.json()["job"]
    assert answer.headers["location"] == job["url"] == f"/v1/jobs/{job['id']}"
    assert job["events"] == f"{job['url']}/events"
    assert job["status"] == "queued"
    while True:
        told = client.get(job["url"]).raise_for_status().json()
        assert set(told) == {"id", "status", "progress", "error", "result"}
        if told["status"] not in ("queued", "running"):
            return told
        time.sleep(0.02)


def events(client: httpx.Client, url: str, **headers: str) -> Iterator[tuple[int, str, dict]]:
    with client.stream("GET", url, headers=headers) as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        event: dict[str, str] = {}
        for line in stream.iter_lines():
            if not line and event:
                yield int(event["id"]), event["event"], json.loads(event["data"])
                event = {}
            elif line and not line.startswith(":"):
                name, _, value = line.partition(": ")
                event[name] = value


# --- what is taken for a clip ----------------------------------------------------------------


def test_a_clip_gives_what_the_library_gives(server, made: Path, clip: bytes, folder) -> None:
    with Shelf.open(made) as shelf:
        expected = json.loads(json.dumps(items_json(shelf.search(clip, top=2, filter="price>1"))))
    assert [item["matches"][0]["product"]["id"] for item in expected] == ["P1", "P4"]
    options = {"top": 2, "filter": "price>1"}
    for answer in (
        server.post("/v1/search", params=options, content=clip, headers=MP4),
        server.post("/v1/search", data=options, files={"clip": ("a.mp4", clip, "video/mp4")}),
        server.post("/v1/search", data=options, files={"picture": ("x.jpg", clip, "image/jpeg")}),
        server.post("/v1/search", params=options, content=clip, headers=PNG),
        server.post(
            "/v1/search",
            params=options,
            content=iter([clip[:100], clip[100:]]),
            headers={"Content-Type": "application/octet-stream"},
        ),
    ):
        told = ended(server, answer)
        assert (told["status"], told["progress"], told["error"]) == ("done", 1, None)
        result = told["result"]
        for found in result["items"]:
            for match in found["matches"]:
                # What it takes to show it stands beside it.
                assert match.pop("picture").startswith("/v1/products/P")
                assert match.pop("region")
        assert result["items"] == expected
        assert result["size"] == [96, 96]
        assert result["request_id"] == answer.json()["request_id"]
        assert result["clip"]["frames"] == 20
        item = result["items"][0]["item"]
        assert set(item) >= {"frames", "seconds", "best", "spans"}
    until(lambda: not left(folder))


def test_a_picture_is_a_picture_whatever_it_is_called(server, folder) -> None:
    for answer in (
        server.post("/v1/search", content=png(2), headers=MP4),
        server.post("/v1/search", files={"clip": ("a.mp4", png(2), "video/mp4")}),
    ):
        assert answer.status_code == 200
        assert ids(answer.json())[0] == "P2"
    assert not left(folder)


def test_a_gif_is_what_it_is_called(server) -> None:
    frames = [draw(3), draw(5)]
    gif = file_of(frames[0], "GIF", save_all=True, append_images=frames[1:] * 5, duration=200)
    picture = server.post("/v1/search", content=gif, headers={"Content-Type": "image/gif"})
    assert ids(picture.json())[0] == "P3"
    assert ended(server, server.post("/v1/search", files={"clip": gif}))["status"] == "done"


REFUSED = {
    "no clip": b"hello, this is no clip" * 100,
    "html": b"<!doctype html><script>alert(1)</script>" * 20,
    "a playlist": b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n" * 20,
    "a list of files": b"ffconcat version 1.0\nfile /etc/passwd\n" * 20,
    "a session": b"v=0\no=- 0 0 IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\n" * 20,
    "a manifest": b"<?xml version='1.0'?><MPD><BaseURL>file:///etc/passwd</BaseURL></MPD>" * 9,
    "a head and nothing else": b"\x00\x00\x00\x18ftypmp42" + bytes(2000),
    "a box that says it is huge": b"\x00\x00\x00\x18ftypmp42" + bytes(12) + b"\xff\xff\xff\xffmoov",
    "matroska of zeros": b"\x1aE\xdf\xa3" + bytes(2000),
    "sound only": sound_only(),
    "zeros": bytes(5000),
    "a zip": b"PK\3\4" + bytes(2000),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_clip_is_refused_at_once_and_leaves_nothing(server, folder, name: str) -> None:
    data = REFUSED[name]
    for answer in (
        server.post("/v1/search", content=data, headers=MP4),
        server.post("/v1/search", files={"clip": (f"../{name}.mp4", data, "video/mp4")}),
    ):
        detail = is_problem(answer, 422, "clip-refused")
        assert str(folder) not in answer.text
        assert "alert" not in detail
        assert "passwd" not in detail
    assert not left(folder)
    assert server.post("/v1/search", content=png(1), headers=PNG).status_code == 200
    assert "snapshelf_errors_total{" not in server.get("/metrics").text


def test_clips_beyond_their_bounds_are_refused(server, start, clip, folder, own) -> None:
    head = "POST /v1/search HTTP/1.1\nHost: x\nContent-Type: video/mp4\nContent-Length: 9000000"
    told = raw(server, head, clip[:1000])
    assert b" 413 " in told.split(b"\r\n")[0]

    def endless() -> Iterator[bytes]:
        yield clip
        for _ in range(200):
            yield bytes(65536)

    is_problem(server.post("/v1/search", content=endless(), headers=MP4), 413, "too-large")
    assert not left(folder)
    tight = start(clips=ClipBounds(folder=own, max_seconds=1.0, max_pixels=5_000))
    assert "pixels" in is_problem(
        tight.post("/v1/search", content=clip, headers=MP4), 422, "clip-refused"
    )
    short = start(clips=ClipBounds(folder=own, max_seconds=1.0))
    assert "cut it" in is_problem(
        short.post("/v1/search", content=clip, headers=MP4), 422, "clip-refused"
    )
    full = start(clips=ClipBounds(folder=own, disk_bytes=1_000))
    is_problem(full.post("/v1/search", content=clip, headers=MP4), 429, "busy")
    assert not left(own)


def test_a_clip_cut_short_gives_what_was_read(server) -> None:
    pictures = [np.array(draw(1, 96)) for _ in range(30)]
    whole = written_clip(pictures, kind="mpegts", codec="mpeg2video", rate=25)
    told = ended(
        server, server.post("/v1/search", content=whole[: len(whole) * 2 // 3], headers=MP4)
    )
    assert told["status"] == "done", told


def test_options_of_pictures_are_refused_and_leave_nothing(server, clip, folder) -> None:
    for options, word in (
        ({"boxes": "0,0,9,9"}, "boxes"),
        ({"points": "3,3"}, "points"),
        ({"top": 0}, "top"),
        ({"filter": "price<"}, "value"),
        ({"nothing": 1}, "nothing"),
    ):
        for answer in (
            server.post("/v1/search", params=options, content=clip, headers=MP4),
            server.post("/v1/search", data=options, files={"clip": clip}),
        ):
            assert word in is_problem(answer, 422, "invalid")
    assert not left(folder)
    is_problem(server.post("/v1/detect", content=clip, headers=MP4), 415, "wrong-type")
    is_problem(server.post("/v1/detect", content=clip, headers=PNG), 422, "picture-refused")
    assert "snapshelf_queue_clips 0.0" in server.get("/metrics").text


def test_a_client_that_goes_away_or_falls_silent_leaves_nothing(start, clip, own) -> None:
    client = start(clips=ClipBounds(folder=own), silence_s=0.3)
    head = "POST /v1/search HTTP/1.1\nHost: x\nContent-Type: video/mp4\nContent-Length: 999999"
    assert b" 408 " in raw(client, head, clip[:5000]).split(b"\r\n")[0]
    place = httpx.URL(str(client.base_url))
    for _ in range(3):
        with socket.create_connection((place.host, place.port)) as wire:
            wire.sendall(head.replace("\n", "\r\n").encode() + b"\r\n\r\n" + clip[:5000])
    until(lambda: not left(own))
    until(lambda: "snapshelf_queue_clips 0.0" in client.get("/metrics").text)


# --- jobs ------------------------------------------------------------------------------------


def test_a_job_is_followed_and_its_events_are_gone_on_with(server, half_minute: bytes) -> None:
    answer = server.post("/v1/search", params={"top": 1}, content=half_minute, headers=MP4)
    job = answer.json()["job"]
    seen = []
    for number, name, told in events(server, job["events"]):
        seen.append((number, name, told["progress"]))
        assert told["id"] == job["id"]
        if name == "progress" and told["progress"] > 0:
            break
    numbers = [number for number, _, _ in seen]
    again = list(events(server, job["events"], **{"Last-Event-ID": str(numbers[-1])}))
    assert again[0][0] > numbers[-1]
    assert [name for _, name, _ in again[:-1]] == ["progress"] * (len(again) - 1)
    number, name, last = again[-1]
    assert name == "done"
    assert last == server.get(job["url"]).json()
    shares = [progress for _, _, progress in seen] + [told["progress"] for _, _, told in again]
    assert shares == sorted(shares)
    ending = {"Last-Event-ID": str(number)}
    assert server.get(job["events"], headers=ending).status_code == 204
    assert len(list(events(server, job["events"]))) == 1


def test_a_job_is_cancelled_and_then_forgotten(server, long_clip: bytes, folder) -> None:
    jobs = [
        server.post("/v1/search", content=long_clip, headers=MP4).json()["job"] for _ in range(2)
    ]
    for job in reversed(jobs):
        told = server.delete(job["url"]).json()
        assert (told["status"], told["result"], told["error"]) == ("cancelled", None, None)
        assert [name for _, name, _ in events(server, job["events"])] == ["failed"]
    until(lambda: not left(folder))
    for job in jobs:
        assert server.get(job["url"]).json()["status"] == "cancelled"
        assert server.delete(job["url"]).status_code == 200
        is_problem(server.get(job["url"]), 404, "not-found")
        is_problem(server.delete(job["url"]), 404, "not-found")
        is_problem(server.get(job["events"]), 404, "not-found")


def test_too_many_clips_and_streams_are_refused_with_a_time(start, long_clip, own) -> None:
    client = start(clips=ClipBounds(folder=own, most=2, streams=1))
    jobs = [
        client.post("/v1/search", content=long_clip, headers=MP4).json()["job"] for _ in range(2)
    ]
    refused = client.post("/v1/search", content=long_clip, headers=MP4)
    is_problem(refused, 429, "busy")
    assert int(refused.headers["retry-after"]) >= 1
    # Is answered before the job is over, and leaves the one stream to others.
    assert client.head(jobs[0]["events"]).headers["content-type"].startswith("text/event-stream")
    assert client.get(jobs[0]["url"]).json()["status"] in ("queued", "running")
    with client.stream("GET", jobs[0]["events"]) as stream:
        assert stream.status_code == 200
        is_problem(client.get(jobs[1]["events"]), 429, "busy")
    for job in jobs:
        client.delete(job["url"])
    until(lambda: client.get(jobs[0]["events"]).status_code == 200)
    until(lambda: client.post("/v1/search", content=png(1), headers=PNG).status_code == 200)


def test_a_job_is_its_keys_own(start, long_clip: bytes, own: Path, tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    mine, theirs = add_key(file, "mine", "read"), add_key(file, "theirs", "write")
    client = start(keys=file, clips=ClipBounds(folder=own))
    as_mine, as_theirs = ({"Authorization": f"Bearer {key}"} for key in (mine, theirs))
    answer = client.post("/v1/search", content=long_clip, headers=MP4 | as_mine)
    job = answer.json()["job"]
    for path in (job["url"], job["events"]):
        is_problem(client.get(path), 401, "key-missing")
        is_problem(client.get(path, headers=as_theirs), 404, "not-found")
    is_problem(client.delete(job["url"], headers=as_theirs), 404, "not-found")
    assert client.get(job["url"], headers=as_mine).status_code == 200
    assert client.delete(job["url"], headers=as_mine).json()["status"] == "cancelled"


def test_a_stop_ends_clips_and_those_who_follow_them(made, long_clip, own) -> None:
    with serving(made, Settings(clips=ClipBounds(folder=own))) as client:
        job = client.post("/v1/search", content=long_clip, headers=MP4).json()["job"]
        stream = events(client, job["events"])
        next(stream)
        begun = time.monotonic()
        client.stop()
        told = list(stream)[-1]
        assert told[1] == "failed"
        assert "send the clip again" in told[2]["error"]["detail"]
    assert time.monotonic() - begun < 15
    assert not list(own.iterdir())


def test_photos_do_not_wait_behind_clips(server, long_clip: bytes) -> None:
    jobs = [
        server.post("/v1/search", content=long_clip, headers=MP4).json()["job"] for _ in range(3)
    ]
    for number in range(5):
        answer = server.post("/v1/search", content=png(100 + number), headers=PNG)
        assert answer.status_code == 200
        assert answer.json()["cached"] is None
    statuses = [server.get(job["url"]).json()["status"] for job in jobs]
    assert statuses.count("done") < 3, "else nothing was shown"
    assert statuses[-1] == "queued"
    for job in jobs:
        server.delete(job["url"])
