"""More work than can be done: it is shared, refused with a time to come back, or given up."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import numpy as np
from service_parts import ids, is_problem, png

from snapshelf.systems import System

TYPE = {"Content-Type": "image/png"}


class Held:
    """An encoder that waits to be let go on; it notes how much it is given at once."""

    def __init__(self, encoder) -> None:
        self._encoder = encoder
        self.dimension = encoder.dimension
        self.fingerprint = encoder.fingerprint
        self.prepare = encoder.prepare
        self.go = threading.Event()
        self.go.set()
        self.sizes: list[int] = []

    def encode(self, inputs: np.ndarray, domain) -> np.ndarray:
        self.sizes.append(len(inputs))
        assert self.go.wait(30)
        return self._encoder.encode(inputs, domain)


def held_system() -> tuple[System, Held]:
    plain = System.load("classical")
    encoder = Held(plain.encoder)
    return System(plain.name, plain.locator, encoder, plain.calibration), encoder


def search(client: httpx.Client, number: int) -> httpx.Response:
    return client.post("/v1/search", params={"top": 1}, content=png(number), headers=TYPE)


def until(what, seconds: float = 240.0) -> None:
    ends = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < ends
        time.sleep(0.01)


def test_searches_that_come_together_are_embedded_together(start) -> None:
    system, encoder = held_system()
    client = start(system, workers=2)
    encoder.sizes.clear()
    encoder.go.clear()
    with ThreadPoolExecutor(6) as pool:
        first = pool.submit(search, client, 0)
        until(lambda: encoder.sizes)
        others = [pool.submit(search, client, number) for number in range(1, 6)]
        time.sleep(0.5)
        encoder.go.set()
        answers = [future.result() for future in (first, *others)]
    assert [ids(answer.json()) for answer in answers] == [[f"P{n}"] for n in range(6)]
    assert sum(encoder.sizes) == 6
    assert len(encoder.sizes) <= 3, encoder.sizes


def test_too_many_are_refused_with_a_time_and_the_others_are_answered(start) -> None:
    system, encoder = held_system()
    client = start(system, most_in_work=2)
    encoder.sizes.clear()
    encoder.go.clear()
    with ThreadPoolExecutor(2) as pool:
        taken = [pool.submit(search, client, number) for number in range(2)]
        until(lambda: "snapshelf_queue_searches 2.0" in client.get("/metrics").text)
        refused = search(client, 2)
        assert "try again" in is_problem(refused, 429, "busy")
        assert 1 <= int(refused.headers["retry-after"]) <= 30
        encoder.go.set()
        assert [future.result().status_code for future in taken] == [200, 200]
    assert search(client, 2).status_code == 200
    measures = client.get("/metrics").text
    assert 'snapshelf_refused_total{kind="busy"} 1.0' in measures


def test_what_takes_too_long_is_given_up_and_the_next_is_answered(start) -> None:
    system, encoder = held_system()
    client = start(system, answer_s=0.5)
    encoder.go.clear()
    assert "within 0.5 s" in is_problem(search(client, 0), 504, "timed-out")
    encoder.go.set()
    until(lambda: search(client, 0).status_code == 200)


def test_a_failure_is_told_without_its_details_and_logged_without_what_was_sent(
    start, caplog
) -> None:
    system, encoder = held_system()
    client = start(system)

    def fail(inputs, domain):
        raise RuntimeError("secret of the encoder")

    encoder.encode = fail
    answer = search(client, 0)
    detail = is_problem(answer, 500, "failed")
    assert "request_id" in detail
    assert "secret" not in answer.text + caplog.text
    assert 'snapshelf_errors_total{type="RuntimeError"} 1.0' in client.get("/metrics").text
    (record,) = [each for each in caplog.records if each.getMessage() == "failure"]
    assert record.fields["request_id"] == answer.headers["x-request-id"]
    assert any("test_service_load" in where for where in record.fields["where"])
