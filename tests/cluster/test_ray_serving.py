"""The service as two replicas of Ray Serve: the same answers, also when one of them is killed.

Each request goes to either of the two, so what only one of them knew would be missed soon.
"""

import json
import signal
import socket
import subprocess
import sys
import threading
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("ray", reason="needs the extra `cluster`")

import httpx
import psutil
import yaml
from ray_parts import ENVIRONMENT
from shelf_parts import write_feed

from snapshelf.catalog import Catalog
from snapshelf.cluster.proxy_problems import PROXY_VARIABLES
from snapshelf.cluster.replicas import Replicas
from snapshelf.media.decode import decode_picture
from snapshelf.service.api_keys import add_key
from snapshelf.service.settings import Settings
from snapshelf.shelf import Shelf
from snapshelf.systems import System
from written_clip import written_clip

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(600)]

PRODUCTS = 12
ASKED = 12
"""Requests of which all would reach the same one of two replicas once in 2,048 times."""

REFUSED = 503
"""What is answered for a request that was with a replica that has ended, or has none."""


class Service:
    """``snapshelf serve --ray local --replicas 2`` in a process of its own."""

    def __init__(self, shelf: Path, log: Path) -> None:
        keys = log.with_name("keys.json")
        self.key = add_key(keys, "team", "write")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.log, self.address = log, f"http://127.0.0.1:{port}"
        arguments = ["--ray", "local", "--replicas", "2", "--shelf", shelf, "--port", port]
        arguments += ["--keys", keys, "--per-minute", 100_000]
        with log.open("w") as errors:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "snapshelf", "serve", *map(str, arguments)],
                stdout=subprocess.DEVNULL,
                stderr=errors,
                env=ENVIRONMENT,
            )
        end = time.monotonic() + 150
        while "serving " not in log.read_text():
            if self.process.poll() is not None or time.monotonic() > end:
                self.process.kill()
                pytest.fail(log.read_text())
            time.sleep(0.2)

    def replicas(self, deployment: str = "Shelf") -> set[int]:
        """Numbers of the processes that serve."""
        found = set()
        for child in psutil.Process(self.process.pid).children(recursive=True):
            try:
                if any(f"ServeReplica:snapshelf:{deployment}" in part for part in child.cmdline()):
                    found.add(child.pid)
            except psutil.Error:
                continue
        return found

    def client(self) -> httpx.Client:
        """A client with the key, of connections that are closed after each request."""
        return httpx.Client(
            base_url=self.address,
            headers={"Authorization": f"Bearer {self.key}", "Connection": "close"},
            timeout=60,
            trust_env=False,
        )

    def search(self, picture: bytes) -> httpx.Response:
        with self.client() as client:
            return client.post("/v1/search", files={"picture": picture})


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("served")
    feed = write_feed(folder / "feed", PRODUCTS)
    Shelf.build(Catalog.open(feed), folder / "shelf", System.load("compact")).close()
    return folder / "shelf"


@pytest.fixture(scope="module")
def service(shelf: Path) -> Iterator[Service]:
    started = Service(shelf, shelf.parent / "log")
    yield started
    if started.process.poll() is None:
        started.process.terminate()
        started.process.wait(timeout=60)


def test_replicas_answer_as_the_shelf_does(service: Service, shelf: Path) -> None:
    assert len(service.replicas()) == 2
    with Shelf.open(shelf) as opened:
        for number in range(4):
            picture = (shelf.parent / "feed" / f"{number}.png").read_bytes()
            answer = service.search(picture)
            assert answer.status_code == 200, answer.text
            (item,) = answer.json()["items"]
            (expected,) = opened.search(picture).items
            found = [(match["product"]["id"], match["similarity"]) for match in item["matches"]]
            assert [name for name, _ in found] == [each.product.id for each in expected.matches]
            assert [value for _, value in found] == pytest.approx(
                [each.similarity for each in expected.matches], abs=1e-4
            )
    bad = service.search(b"no picture")
    assert bad.status_code == 422 or bad.status_code == 415
    assert bad.headers["content-type"] == "application/problem+json"


def over(client: httpx.Client, answer: httpx.Response) -> dict[str, Any]:
    """Look at a job until it is over, and some more times."""
    assert answer.status_code == 202, answer.text
    url = answer.json()["job"]["url"]
    end = time.monotonic() + 120
    looks = 0
    while looks < ASKED:
        told = client.get(url)
        assert told.status_code == 200, told.text
        looks += told.json()["status"] not in ("queued", "running")
        assert time.monotonic() < end
        time.sleep(0.02)
    job: dict[str, Any] = told.json()
    assert job["status"] == "done", job
    return job


def test_sessions_and_passes_hold_in_every_replica(service: Service, shelf: Path) -> None:
    with service.client() as client:
        begun = client.post(
            "/v1/session",
            json={"key": service.key, "scope": "write"},
            headers={"Origin": service.address},
        )
        assert begun.status_code == 200, begun.text
        cookie = begun.headers["set-cookie"].partition(";")[0]
        one = client.get("/v1/picture-pass").json()["pass"]
        del client.headers["Authorization"]
        client.cookies.clear()
        own = [client.get("/v1/session", headers={"Cookie": cookie}) for _ in range(ASKED)]
        assert [each.status_code for each in own] == [200] * ASKED
        # Of jobs too, which one more replica holds.
        jobs = [client.get("/v1/index", headers={"Cookie": cookie}) for _ in range(3)]
        assert [each.status_code for each in jobs] == [200] * 3
        shown = [
            client.get("/v1/products/SKU-0/images/0", params={"pass": one}) for _ in range(ASKED)
        ]
        assert [each.status_code for each in shown] == [200] * ASKED
        assert client.get("/v1/session").status_code == 401


def test_a_clip_is_followed_from_every_replica(service: Service, shelf: Path) -> None:
    frames = [
        decode_picture((shelf.parent / "feed" / f"{number}.png").read_bytes())
        for number in (1, 4)
        for _ in range(10)
    ]
    clip = written_clip(frames)
    with service.client() as client:
        job = over(client, client.post("/v1/search", files={"clip": ("a.mp4", clip)}))
        with Shelf.open(shelf) as opened:
            file = shelf.parent / "clip.mp4"
            file.write_bytes(clip)
            expected = opened.search(file).items
        found = [item["matches"][0]["product"]["id"] for item in job["result"]["items"]]
        assert found == [item.matches[0].product.id for item in expected]
        url = f"/v1/jobs/{job['id']}"
        with client.stream("GET", f"{url}/events") as events:
            assert events.headers["content-type"].startswith("text/event-stream")
            assert "event: done" in events.read().decode()
        assert client.delete(url).status_code == 200
        assert {client.get(url).status_code for _ in range(ASKED)} == {404}
        # What is refused is so at once, with the same words as ever.
        bad = client.post("/v1/search", content=clip[:900], headers={"Content-Type": "video/mp4"})
        assert bad.json()["type"] == "urn:snapshelf:problem:clip-refused"


def test_the_teams_jobs_are_seen_from_every_replica(service: Service, shelf: Path) -> None:
    pictures = [
        ("pictures", (f"{n}.png", (shelf.parent / "feed" / f"{n}.png").read_bytes()))
        for n in range(4)
    ]
    with service.client() as client:
        job = over(client, client.post("/v1/annotations", files=pictures))
        for _ in range(ASKED):
            lines = client.get(job["result"]["lines"])
            assert len(lines.text.splitlines()) == 4
        job = over(client, client.get("/v1/duplicates", params={"least": "0.99"}))
        again = [client.get("/v1/duplicates", params={"least": "0.99"}) for _ in range(ASKED)]
        assert all(each.json() == job["result"] for each in again), "worked out once"
        job = over(client, client.post("/v1/index", json={}))
        assert job["result"]["report"]["unchanged"] == PRODUCTS
        latest = [client.get("/v1/index").json()["job"]["id"] for _ in range(ASKED)]
        assert set(latest) == {job["id"]}
        # A body of several megabytes goes through in pieces.
        row = {"title": "x" * 999, "image_link": "there-is-none.png"}
        rows = "".join(json.dumps({"id": f"N{n}", **row}) + "\n" for n in range(4_000))
        sent = client.post(
            "/v1/index", files={"feed": ("feed.jsonl", rows)}, data={"whole": "false"}
        )
        assert over(client, sent)["result"]["problem_count"] >= 4_000
        assert client.get("/v1/products/N0").status_code == 404


def test_a_replica_of_jobs_that_is_killed_is_replaced(service: Service) -> None:
    (before,) = service.replicas("Jobs")
    with service.client() as client:
        job = over(client, client.get("/v1/duplicates", params={"least": "0.98"}))
        psutil.Process(before).kill()
        end = time.monotonic() + 120
        seen: Counter[int] = Counter()
        while (told := client.get(job["url"])).status_code != 404:
            seen[told.status_code] += 1
            if told.status_code != 200:
                assert told.json()["type"] == "urn:snapshelf:problem:unavailable"
            assert time.monotonic() < end
            time.sleep(0.1)
        assert set(seen) <= {200, REFUSED}
        assert service.replicas("Jobs") != {before}
        over(client, client.get("/v1/duplicates", params={"least": "0.98"}))


def test_a_replica_killed_under_load_is_replaced(service: Service, shelf: Path) -> None:
    pictures = [(shelf.parent / "feed" / f"{n}.png").read_bytes() for n in range(PRODUCTS)]
    counts: Counter[int] = Counter()
    refused: list[httpx.Response] = []
    stop = threading.Event()

    def load(first: int) -> None:
        number = first
        while not stop.is_set():
            answer = service.search(pictures[number % PRODUCTS])
            counts[answer.status_code] += 1
            if answer.status_code != 200:
                refused.append(answer)
            number += 1

    before = service.replicas()
    threads = [threading.Thread(target=load, args=(first,)) for first in range(4)]
    for thread in threads:
        thread.start()
    try:
        time.sleep(1)
        psutil.Process(min(before)).kill()
        end = time.monotonic() + 60
        while len(now := service.replicas() - {min(before)}) < 2 and time.monotonic() < end:
            time.sleep(0.2)
        time.sleep(1)
    finally:
        stop.set()
        for thread in threads:
            thread.join(timeout=90)
    assert len(now) == 2
    assert max(before) in now
    assert set(counts) <= {200, REFUSED}, "nothing hangs, nothing is cut off"
    assert counts[200] > 20
    assert counts[REFUSED] <= 8, "what was with the one that ended"
    for answer in refused:
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["retry-after"] == "1"
        problem = answer.json()
        assert problem["type"] == "urn:snapshelf:problem:unavailable"
        assert "send it again" in problem["detail"]
        assert problem["request_id"] == answer.headers["x-request-id"]
    assert service.search(pictures[0]).status_code == 200


def test_it_ends_in_order(service: Service) -> None:
    children = psutil.Process(service.process.pid).children(recursive=True)
    service.process.send_signal(signal.SIGTERM)
    assert service.process.wait(timeout=60) == 0
    _, alive = psutil.wait_procs(children, timeout=20)
    assert not alive


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"least": 0}, "expected 1 <= least <= most, got 0 and 1"),
        ({"least": 3, "most": 2}, "expected 1 <= least <= most, got 3 and 2"),
        ({"cpus": 0}, "cpus must be at least 1"),
    ],
)
def test_numbers_without_sense_are_refused(given: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Replicas(**given)


def test_jobs_have_a_replica_of_their_own_where_there_can_be_several() -> None:
    assert not Replicas(cpus=2).jobs
    assert Replicas(cpus=2).most_cpus == 2
    assert Replicas(least=1, most=3).jobs
    assert Replicas(least=1, most=3, cpus=2, encoders=1).most_cpus == 2 * (3 + 1 + 1)


@pytest.fixture
def application() -> Callable[[dict[str, Any]], Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Serve's own, of pydantic
        from snapshelf.cluster.serving import application
    return application


def test_the_manifest_describes_a_service(application: Callable[[dict[str, Any]], Any]) -> None:
    from ray.serve.schema import ServeDeploySchema

    deploy = Path(__file__).parent.parent.parent / "deploy"
    manifest = yaml.safe_load((deploy / "ray-service.yaml").read_text())
    config = ServeDeploySchema.model_validate(yaml.safe_load(manifest["spec"]["serveConfigV2"]))
    assert config.controller_options is not None
    assert config.controller_options.runtime_env == {"env_vars": PROXY_VARIABLES}
    (one,) = config.applications
    module, _, name = one.import_path.partition(":")
    assert (module, name) == (application.__module__, application.__name__)
    deployment = application(one.args)._bound_deployment
    assert deployment.name == "Shelf"
    scaling = deployment._deployment_config.autoscaling_config
    assert (scaling.min_replicas, scaling.max_replicas) == (2, 4)
    assert deployment.ray_actor_options["num_cpus"] == 2


def settings_of(bound: Any) -> list[Settings]:
    """The settings of the deployments of a service."""
    found = [each for each in bound._bound_deployment.init_args if isinstance(each, Settings)]
    for each in bound._bound_deployment.init_args:
        if hasattr(each, "_bound_deployment"):
            found += settings_of(each)
    return found


def test_one_secret_is_drawn_for_all_replicas(
    application: Callable[[dict[str, Any]], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SNAPSHELF_SESSION_SECRET", raising=False)
    drawn = []
    for _ in range(2):
        several = settings_of(application({"shelf": "shelf", "most": 3}))
        assert len(several) == 2, "of replicas and of jobs"
        (secret,) = {each.session_secret for each in several}
        assert len(secret) >= 32
        drawn.append(secret)
    assert drawn[0] != drawn[1]
    monkeypatch.setenv("SNAPSHELF_SESSION_SECRET", "s" * 40)
    (one,) = settings_of(application({"shelf": "shelf"}))
    assert one.session_secret == "s" * 40
    monkeypatch.setenv("SNAPSHELF_SESSION_SECRET", "short")
    with pytest.raises(ValueError, match="session_secret must have at least 32 letters"):
        application({"shelf": "shelf"})


def test_a_manifest_with_something_unknown_is_refused(
    application: Callable[[dict[str, Any]], Any],
) -> None:
    with pytest.raises(ValueError, match="args: unknown replica"):
        application({"shelf": "shelf", "replica": 2})
