"""The service as users run it: a process that starts, stops in order, and can be killed."""

import json
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from service_parts import draw, ids, png

from snapshelf.service.api_keys import add_key
from snapshelf.store import EmbeddedStore

TYPE = {"Content-Type": "image/png"}


@contextmanager
def process(shelf: Path, *options: object) -> Iterator[tuple[subprocess.Popen[str], httpx.Client]]:
    command = [sys.executable, "-m", "snapshelf", "serve", "--shelf", str(shelf), "--port", "0"]
    with subprocess.Popen(
        [*command, *map(str, options)], stderr=subprocess.PIPE, text=True
    ) as running:
        try:
            assert running.stderr is not None
            found = re.search(r"http://\S+", running.stderr.readline())
            assert found, running.stderr.read()
            with httpx.Client(base_url=found[0], timeout=240, trust_env=False) as client:
                ends = time.monotonic() + 240
                while True:
                    try:
                        client.get("/readyz")
                        break
                    except httpx.TransportError:
                        assert time.monotonic() < ends
                        time.sleep(0.05)
                yield running, client
        finally:
            running.kill()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_in_order_and_what_is_under_way_is_answered(shelf, number) -> None:
    with process(shelf) as (running, client):
        answers: list[httpx.Response] = []

        def ask() -> None:
            picture = png(3, 2000)
            answers.append(client.post("/v1/search", content=picture, headers=TYPE))

        asking = threading.Thread(target=ask)
        asking.start()
        time.sleep(0.2)
        running.send_signal(number)
        asking.join()
        assert running.wait(240) == 0
        assert running.stderr is not None
        log = running.stderr.read()
    assert [answer.status_code for answer in answers] == [200]
    lines = [json.loads(line) for line in log.splitlines()]
    assert {line["event"] for line in lines} == {"request"}


def test_a_kill_in_the_middle_of_changes_loses_nothing_acknowledged(shelf, tmp_path) -> None:
    store = EmbeddedStore(shelf)
    root = Path(store.properties["root"])
    store.close()
    draw(30).save(root / "30.png")
    secret = add_key(tmp_path / "keys.json", "feed", "write")
    acknowledged: list[str] = []
    with process(shelf, "--keys", tmp_path / "keys.json") as (running, client):
        client.headers["Authorization"] = f"Bearer {secret}"

        def put() -> None:
            try:
                for number in range(10_000):
                    answer = client.put(f"/v1/products/N{number}", json={"images": ["30.png"]})
                    if answer.status_code == 201:
                        acknowledged.append(f"N{number}")
            except httpx.TransportError:
                pass

        putting = threading.Thread(target=put)
        putting.start()
        ends = time.monotonic() + 240
        while len(acknowledged) < 10:
            assert time.monotonic() < ends
            time.sleep(0.01)
        running.kill()
        putting.join()
    assert len(acknowledged) >= 10
    store = EmbeddedStore(shelf, write=True)
    assert set(store.products(acknowledged)) == set(acknowledged)
    store.close()


def test_a_port_that_is_taken_is_told_in_one_line(shelf) -> None:
    with process(shelf) as (_, client):
        command = [sys.executable, "-m", "snapshelf", "serve", "--shelf", str(shelf), "--port"]
        done = subprocess.run(
            [*command, str(client.base_url.port)], capture_output=True, text=True, timeout=240
        )
        assert done.returncode == 1
        assert "cannot listen on 127.0.0.1" in done.stderr
        assert len(done.stderr.splitlines()) == 1
        answer = client.post("/v1/search?top=1", content=png(2), headers=TYPE)
        assert ids(answer.json()) == ["P2"]


def test_the_command_makes_keys(tmp_path) -> None:
    command = [sys.executable, "-m", "snapshelf", "key"]
    options = ["--keys", str(tmp_path / "keys.json")]
    done = subprocess.run([*command, "page", *options], capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("sk_")
    assert done.stdout.strip() not in (tmp_path / "keys.json").read_text()
    again = subprocess.run(
        [*command, "page", *options], capture_output=True, text=True, timeout=240
    )
    assert (again.returncode, again.stdout) == (1, "")
    assert "has a key named 'page'" in again.stderr


def test_what_the_page_cannot_be_is_told_before_anything_is_served(shelf, tmp_path) -> None:
    theme = tmp_path / "theme.toml"
    theme.write_text("nam = 'Shop'", encoding="utf-8")
    command = [sys.executable, "-m", "snapshelf", "serve", "--shelf", str(shelf), "--port", "0"]
    for options, code, told in (
        (["--page", "all"], 2, "must be one of open, key, off, got 'all'"),
        (["--page", "key"], 2, "key needs --keys FILE"),
        (["--theme", str(theme)], 1, "has no 'nam'; it may have currency"),
    ):
        done = subprocess.run([*command, *options], capture_output=True, text=True, timeout=240)
        assert done.returncode == code, done.stderr
        assert told in re.sub(r"[\s│]+", " ", done.stderr)
        assert "Traceback" not in done.stderr


def test_processes_with_the_same_secret_share_sessions(shelf, monkeypatch) -> None:
    monkeypatch.setenv("SNAPSHELF_SESSION_SECRET", "s" * 32)
    with process(shelf) as (_, one), process(shelf) as (_, other):
        cookie = one.get("/").cookies["snapshelf_session"]
        headers = {"Cookie": f"snapshelf_session={cookie}"}
        assert other.get("/v1/session", headers=headers).json()["scope"] == "read"
