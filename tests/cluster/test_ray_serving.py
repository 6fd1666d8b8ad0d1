"""The service as two replicas of Ray Serve: the same answers, also when one of them is killed."""

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
from snapshelf.shelf import Shelf
from snapshelf.systems import System

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(600)]

PRODUCTS = 12
REFUSED = 503
"""What is answered for a request that was with a replica that has ended, or has none."""


class Service:
    """``snapshelf serve --ray local --replicas 2`` in a process of its own."""

    def __init__(self, shelf: Path, log: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.log, self.address = log, f"http://127.0.0.1:{port}"
        arguments = ["--ray", "local", "--replicas", "2", "--shelf", str(shelf), "--port", port]
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

    def replicas(self) -> set[int]:
        """Numbers of the processes that serve."""
        found = set()
        for child in psutil.Process(self.process.pid).children(recursive=True):
            try:
                if any("ServeReplica:snapshelf:Shelf" in part for part in child.cmdline()):
                    found.add(child.pid)
            except psutil.Error:
                continue
        return found

    def search(self, picture: bytes) -> httpx.Response:
        files = {"picture": picture}
        return httpx.post(f"{self.address}/v1/search", files=files, timeout=60)


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
    for other in ("ray-cluster-values.yaml", "ray-index-job.yaml"):
        assert yaml.safe_load((deploy / other).read_text())


def test_a_manifest_with_something_unknown_is_refused(
    application: Callable[[dict[str, Any]], Any],
) -> None:
    with pytest.raises(ValueError, match="args: unknown replica"):
        application({"shelf": "shelf", "replica": 2})
