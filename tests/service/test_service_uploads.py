"""Bodies are bounded while they arrive: too large, too slow, too many."""

import socket
import time
from contextlib import closing
from urllib.parse import urlsplit

import httpx
import pytest
from service_parts import is_problem, png, raw

from snapshelf.media.limits import Limits

TYPE = {"Content-Type": "image/png"}


@pytest.fixture
def small(start) -> httpx.Client:
    return start(limits=Limits(max_bytes=50_000), silence_s=0.5, upload_s=1.5, json_bytes=2_000)


def test_what_is_too_large_is_refused_before_it_is_there(small: httpx.Client) -> None:
    answer = small.post("/v1/search", content=bytes(2_000_000), headers=TYPE)
    assert "at most" in is_problem(answer, 413, "too-large")

    def without_length():
        for _ in range(40):
            yield bytes(50_000)

    is_problem(small.post("/v1/search", content=without_length(), headers=TYPE), 413, "too-large")
    is_problem(small.post("/v1/detect", files={"picture": bytes(500_000)}), 413, "too-large")
    head = (
        "POST /v1/search HTTP/1.1\nHost: x\nContent-Type: image/png\nContent-Length: 9" + "9" * 15
    )
    assert b" 413 " in raw(small, head).split(b"\r\n")[0]


def test_between_the_bounds_of_file_and_body_the_file_is_refused(small: httpx.Client) -> None:
    answer = small.post("/v1/search", content=bytes(60_000), headers=TYPE)
    assert "60,000 bytes" in is_problem(answer, 422, "picture-refused")


def test_json_without_a_picture_has_a_smaller_bound(small: httpx.Client) -> None:
    answer = small.post("/v1/events", json={"type": "click", "more": "x" * 5_000})
    is_problem(answer, 413, "too-large")


def test_a_client_that_falls_silent_is_let_go(small: httpx.Client) -> None:
    head = "POST /v1/search HTTP/1.1\nHost: x\nContent-Type: image/png\nContent-Length: 1000"
    start = time.monotonic()
    answer = raw(small, head, b"abc")
    assert b" 408 " in answer.split(b"\r\n")[0]
    assert b"without a pause" in answer
    assert time.monotonic() - start < 15


def test_a_client_that_drips_is_let_go(small: httpx.Client) -> None:
    head = "POST /v1/search HTTP/1.1\nHost: x\nContent-Type: image/png\nContent-Length: 100000"
    answer = raw(small, head, *[b"a"] * 8, pause=0.2)
    assert b" 408 " in answer.split(b"\r\n")[0]


def test_a_client_that_goes_away_does_no_harm(small: httpx.Client) -> None:
    place = urlsplit(str(small.base_url))
    for _ in range(3):
        with closing(socket.create_connection((place.hostname, place.port))) as wire:
            wire.sendall(b"POST /v1/search HTTP/1.1\r\nHost: x\r\nContent-Type: image/png\r\n")
            wire.sendall(b"Content-Length: 1000\r\n\r\nabc")
    assert small.post("/v1/search", content=png(0), headers=TYPE).status_code == 200


def test_bodies_in_memory_are_bounded_together(start) -> None:
    client = start(buffered_bytes=1_000)
    answer = client.post("/v1/search", content=bytes(5_000), headers=TYPE)
    is_problem(answer, 429, "busy")
    assert int(answer.headers["retry-after"]) >= 1
    for _ in range(20):  # what was counted is counted off again
        assert client.post("/v1/search", content=bytes(900), headers=TYPE).status_code == 422


def test_two_lengths_or_ways_to_tell_the_length_smuggle_nothing(small: httpx.Client) -> None:
    head = "POST /v1/search HTTP/1.1\nHost: x\nContent-Length: 3\nContent-Length: 30"
    assert b" 400 " in raw(small, head, b"abc").split(b"\r\n")[0]
    head = "POST /v1/search HTTP/1.1\nHost: x\nContent-Length: -1"
    assert b" 400 " in raw(small, head).split(b"\r\n")[0]
