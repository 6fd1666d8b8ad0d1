"""What the service tells of itself, and the events that it keeps."""

import json
import logging
from io import StringIO
from pathlib import Path

import httpx
import pytest
from service_parts import is_problem, png

from snapshelf.service import Settings
from snapshelf.service.event_log import EventLog
from snapshelf.service.logs import JsonFormatter
from snapshelf.store import EmbeddedStore

TYPE = {"Content-Type": "image/png"}
COUNT = "snapshelf_request_seconds_count"
EVENT = {"type": "click", "request_id": "abc", "product_id": "P1", "rank": 2}


def test_the_shelf_is_told_without_folders(client: httpx.Client, made: Path) -> None:
    told = client.get("/v1/shelf")
    shown = told.json()
    assert shown["system"] == "classical"
    assert shown["counts"] == {"products": 6, "pictures": 6, "embeddings": 6}
    assert shown["last_run"]["feed"] == "feed.jsonl"
    assert shown["last_run"]["finished"]
    assert str(made) not in told.text


def test_health_and_readiness(start, shelf: Path) -> None:
    client: httpx.Client = start()
    assert client.get("/healthz").json() == client.get("/readyz").json() == {"status": "ok"}
    (shelf / "shelf.sqlite").rename(shelf / "shelf.gone")
    assert client.get("/healthz").status_code == 200
    for answer in (
        client.get("/readyz"),
        client.get("/v1/shelf"),
        client.post("/v1/search", content=png(0), headers=TYPE),
    ):
        is_problem(answer, 503, "unavailable")
        assert str(shelf) not in answer.text
    (shelf / "shelf.gone").rename(shelf / "shelf.sqlite")
    assert client.get("/readyz").status_code == 200


def test_measures_tell_stages_cache_queue_and_requests(start) -> None:
    client: httpx.Client = start()
    for _ in range(2):
        client.post("/v1/search", content=png(1), headers=TYPE)
    client.post("/v1/search", content=b"x", headers=TYPE)
    client.get("/v1/products/none")
    text = client.get("/metrics").text
    for line in (
        'snapshelf_stage_seconds_count{stage="encode"} 1.0',
        'snapshelf_stage_seconds_count{stage="decode"} 1.0',
        'snapshelf_cache_lookups_total{outcome="exact"} 1.0',
        'snapshelf_cache_lookups_total{outcome="miss"} 1.0',
        'snapshelf_refused_total{kind="picture-refused"} 1.0',
        "snapshelf_queue_searches 0.0",
        "snapshelf_batch_items_count 1.0",
        "snapshelf_shelf_products 6.0",
        f'{COUNT}{{method="POST",route="/v1/search",status="200"}} 2.0',
        f'{COUNT}{{method="GET",route="/v1/products/{{product_id}}",status="404"}} 1.0',
    ):
        assert line in text, (line, text)


def test_events_are_kept_as_lines(start, shelf: Path) -> None:
    client: httpx.Client = start()
    for change in ({}, {"type": "cart"}, {"type": "wrong_match", "item": 3, "rank": None}):
        answer = client.post("/v1/events", json=EVENT | change)
        assert answer.json() == {"kept": True}
    lines = (shelf / "shelf.events.jsonl").read_text().splitlines()
    events = [json.loads(line) for line in lines]
    assert [event["type"] for event in events] == ["click", "cart", "wrong_match"]
    assert set(events[0]) == {"time", "key", "item", *EVENT}
    EmbeddedStore(shelf).close()  # the shelf does not mind


@pytest.mark.parametrize(
    "change",
    [
        {"type": "bought"},
        {"request_id": "a b"},
        {"request_id": "a\n"},
        {"product_id": ""},
        {"product_id": "x" * 257},
        {"rank": 0},
        {"item": -1},
        {"picture": "AAAA"},
    ],
)
def test_events_that_make_no_sense_are_refused(client: httpx.Client, change) -> None:
    is_problem(client.post("/v1/events", json=EVENT | change), 422, "invalid")


@pytest.mark.parametrize(("files", "expected"), [(1, [""]), (3, ["", ".1", ".2"])])
def test_files_of_events_do_not_grow_without_end(tmp_path: Path, files, expected) -> None:
    log = EventLog(tmp_path / "e.jsonl", most_bytes=300, most_files=files)
    for number in range(41):
        log.add({"number": number})
    names = [f"e.jsonl{end}" for end in expected]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(names)
    kept = [
        json.loads(line)["number"]
        for name in reversed(names)
        for line in (tmp_path / name).read_text().splitlines()
    ]
    assert kept == list(range(41))[-len(kept) :], "the latest, in order"
    assert all((tmp_path / name).stat().st_size < 400 for name in names)


def test_logs_are_json_and_hold_nothing_of_the_picture(start) -> None:
    stream = StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter())
    logger = logging.getLogger("snapshelf.service")
    logger.addHandler(handler)
    before = logger.level
    logger.setLevel(logging.INFO)
    try:
        client: httpx.Client = start()
        name = "holiday-of-anna.png"
        answer = client.post("/v1/search", files={"picture": (name, png(1))}, data={"top": 2})
        client.post("/v1/search?filter=secret", content=b"secret bytes", headers=TYPE)
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before)
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [line["status"] for line in lines if line["event"] == "request"] == [200, 422]
    assert lines[0]["request_id"] == answer.headers["x-request-id"]
    assert lines[0]["route"] == "/v1/search"
    assert lines[0]["received"] > len(png(1))
    assert "anna" not in stream.getvalue()
    assert "secret" not in stream.getvalue()


@pytest.mark.parametrize(
    "bound", ["json_bytes", "answer_s", "most_in_work", "workers", "batch_items"]
)
def test_bounds_that_make_no_sense_are_refused(bound: str) -> None:
    with pytest.raises(ValueError, match=f"{bound} must be at least"):
        Settings(**{bound: 0})
    with pytest.raises(ValueError, match="cached_bytes"):
        Settings(cached_bytes=-1)
