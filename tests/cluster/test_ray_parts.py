"""What indexing on a cluster is made of, each part alone; no cluster is started."""

import dataclasses
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import ray_parts  # noqa: F401 - it finds the next
from shelf_parts import FakeEncoder, Reversing, embed, fake_system, pixels, png

pytest.importorskip("ray", reason="needs the extra `cluster`")

from snapshelf.cluster.block import Block, State, blocks_of
from snapshelf.cluster.indexing import open_source
from snapshelf.cluster.picture_job import PictureJob
from snapshelf.cluster.picture_worker import PictureWorker, WorkerPlan
from snapshelf.cluster.ray_embedder import _free
from snapshelf.cluster.ray_extra import ray_extra
from snapshelf.cluster.remote_encoder import RemoteEncoder
from snapshelf.cluster.session import ray_session
from snapshelf.cluster.throughput import Throughput
from snapshelf.cluster.worker_pool import Worker, WorkerSettings
from snapshelf.errors import ClusterError, SystemMismatchError
from snapshelf.features.computing import Computing, computing, current
from snapshelf.features.encoder import Domain
from snapshelf.features.onnx_encoder import OnnxEncoder
from snapshelf.media.limits import Limits
from snapshelf.media.source import PictureSource


def plan(root: Path, fingerprint: str = "fake") -> WorkerPlan:
    system = fake_system(FakeEncoder(), reranker=Reversing())
    return WorkerPlan(
        load=lambda: system,
        fingerprint=system.fingerprint if fingerprint == "fake" else fingerprint,
        open_source=partial(PictureSource, root),
        limits=Limits(),
        computing=Computing(threads=1),
    )


@pytest.fixture
def worker(tmp_path: Path) -> PictureWorker:
    for number in range(3):
        (tmp_path / f"{number}.png").write_bytes(png(number))
    (tmp_path / "3.png").write_bytes(b"no picture")
    made = PictureWorker(plan(tmp_path))
    made.start()
    return made


def jobs(count: int) -> list[PictureJob]:
    return [PictureJob(f"{number}.png", f"SKU-{number}") for number in range(count)]


def decided(worker: PictureWorker, block: int, count: int) -> list[PictureJob]:
    read = worker.read(block, jobs(count))
    return [
        dataclasses.replace(job, content=each.content)
        for job, each in zip(jobs(count), read, strict=True)
        if each.error is None
    ]


def test_a_worker_reads_once_and_embeds_what_is_asked_for(
    worker: PictureWorker, tmp_path: Path
) -> None:
    read = worker.read(1, jobs(5))
    assert [each.error is None for each in read] == [True] * 4 + [False]
    assert "4.png: no such file" in str(read[4].error)
    wanted = [dataclasses.replace(jobs(5)[n], content=read[n].content) for n in (0, 2, 3)]
    for number in range(3):
        (tmp_path / f"{number}.png").unlink()
    first, second, third = worker.embed(1, wanted)
    np.testing.assert_array_equal(first.embeddings, embed(pixels(0)[None, ::4, ::4]))
    np.testing.assert_array_equal(second.embeddings, embed(pixels(2)[None, ::4, ::4]))
    assert len(first.descriptions) == 1
    assert first.error is None
    assert "unknown format" in str(third.error)
    assert not worker._held


def test_a_worker_without_the_bytes_reads_them_again(worker: PictureWorker, tmp_path: Path) -> None:
    wanted = decided(worker, 1, 2)
    (tmp_path / "1.png").write_bytes(png(9))
    other = PictureWorker(plan(tmp_path))
    other.start()
    first, second = other.embed(1, wanted)
    np.testing.assert_array_equal(first.embeddings, embed(pixels(0)[None, ::4, ::4]))
    assert "1.png: has changed while it was indexed; run the command again" in str(second.error)


def test_a_block_that_needs_no_embedding_is_let_go_of(worker: PictureWorker) -> None:
    worker.read(7, jobs(2))
    worker.forget(7)
    worker.forget(8)
    assert not worker._held


def test_a_worker_with_another_system_refuses(tmp_path: Path) -> None:
    with pytest.raises(SystemMismatchError, match="is not the one here \\(other\\)"):
        PictureWorker(plan(tmp_path, "other")).start()


def test_files_are_refused_where_the_feed_is_not_the_same(tmp_path: Path) -> None:
    (tmp_path / "0.png").write_bytes(png(0))
    seen = tmp_path.stat().st_mtime
    assert open_source(tmp_path, tmp_path, None, seen_at=seen).read("0.png") == png(0)
    for feed, stamp in ((tmp_path, seen - 1), (tmp_path / "none", seen)):
        source = open_source(feed, tmp_path, None, seen_at=stamp)
        with pytest.raises(ClusterError, match="mount it at the same path on every machine"):
            source.read("0.png")


def test_a_lost_block_goes_back_to_the_step_that_was_under_way() -> None:
    after = {
        State.READING: State.TO_READ,
        State.READ: State.TO_READ,
        State.TO_EMBED: State.TO_EMBED,
        State.EMBEDDING: State.TO_EMBED,
    }
    for state, expected in after.items():
        works = state in (State.READING, State.EMBEDDING)
        worker = Worker(None, "machine", {1, 2}, {1} if works else set(), alone=works)
        block = Block(1, [], state, worker, object() if works else None)
        block.lose()
        assert (block.state, block.worker, block.losses) == (expected, None, int(works))
        assert (worker.blocks, worker.busy, worker.alone) == ({2}, set(), False)


def test_blocks_are_drawn_lazily_and_none_is_empty() -> None:
    drawn = []
    blocks = blocks_of((drawn.append(n) or n for n in range(7)), 3)
    assert (next(blocks), drawn) == ([0, 1, 2], [0, 1, 2])
    assert list(blocks) == [[3, 4, 5], [6]]
    assert list(blocks_of(iter([]), 3)) == []


def test_the_worker_with_the_least_to_do_is_chosen() -> None:
    holding, idle = Worker(None, "a", {1, 2, 5}, {1, 2}), Worker(None, "b")
    assert _free([holding, idle], alone=False) is idle
    assert _free([holding, idle], alone=True) is idle
    idle.busy, idle.alone = {3}, True
    assert _free([holding, idle], alone=False) is holding
    assert _free([holding, idle], alone=True) is None
    holding.busy.add(4)
    assert _free([holding, idle], alone=False) is None
    # What it only holds keeps it from nothing, or two could wait for each other for ever.
    holding.busy.clear()
    assert _free([holding, idle], alone=True) is holding


def test_throughput_and_cost() -> None:
    done = Throughput(2, 1, 10, 1, 1_800, 5.0, 36.0, 3.6)
    assert done.pictures_per_second == 50
    # A million pictures take 20,000 s, at 3.60 for 3,600 s.
    assert done.cost_per_million == pytest.approx(20.0)
    assert "2 workers (1 lost) embedded 1,800 pictures, 50.0 a second" in done.to_text()
    assert done.to_text().endswith("a million pictures cost 20.00")
    assert done.to_json()["cost_per_million_pictures"] == 20.0
    nothing = Throughput(2, 0, 0, 0, 0, 0.0, 0.0, 3.6)
    assert (nothing.pictures_per_second, nothing.cost_per_million) == (0.0, None)


@pytest.mark.parametrize("given", [{"count": 0}, {"cpus": 0}, {"gpus": 1.5}, {"gpus": -1.0}])
def test_settings_without_sense_are_refused(given: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="must be"):
        WorkerSettings(**given)


@pytest.mark.parametrize("address", ["", "nowhere", "ray://host:10001", "host:", "http://h:1"])
def test_what_is_no_address_is_refused(address: str) -> None:
    with (
        pytest.raises(ClusterError, match="a Ray cluster's address is HOST:PORT, auto or local"),
        ray_session(address),
    ):
        pass


def test_an_address_where_nobody_listens_is_refused_at_once() -> None:
    with (
        pytest.raises(ClusterError, match=r"no Ray cluster at 127\.0\.0\.1:1: Connection refused"),
        ray_session("127.0.0.1:1"),
    ):
        pass


@pytest.mark.parametrize(
    "error", [Exception("The current node timed out during startup. This"), ValueError("no\nmore")]
)
def test_a_cluster_that_cannot_be_started_is_told_of(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    def init(**_: object) -> None:
        raise error

    monkeypatch.setattr("ray.init", init)
    told = f"a Ray cluster on this machine did not start: {str(error).partition(chr(10))[0]}. If"
    with pytest.raises(ClusterError, match=told), ray_session("local"):
        pass


def test_networks_are_loaded_for_the_device_that_is_told(tmp_path: Path) -> None:
    from snapshelf.errors import ModelError
    from snapshelf.systems import System

    with computing(Computing(threads=1)):
        assert current().threads == 1
        assert System.load("compact").encoder.dimension > 0
    assert current() == Computing()
    with computing(Computing("cuda")), pytest.raises(ModelError, match="onnxruntime-gpu"):
        System.load("compact")
    with pytest.raises(ValueError, match="device must be cpu or cuda, got 'tpu'"):
        Computing("tpu")
    assert OnnxEncoder.__init__.__kwdefaults__ == {"provider": None, "threads": None}


class Handle:
    """Serve's handle of encoder replicas, played."""

    def __init__(self, answers: bool = True) -> None:
        self.answers = answers

    def remote(self, inputs: np.ndarray, domain: str) -> "Handle":
        self.asked = (inputs, domain)
        return self

    def result(self, timeout_s: float) -> np.ndarray:
        if not self.answers:
            raise TimeoutError
        return FakeEncoder().encode(self.asked[0], Domain(self.asked[1]))


def test_a_remote_encoder_is_the_encoder_but_for_where_it_computes() -> None:
    own = FakeEncoder()
    remote = RemoteEncoder(own, Handle())
    assert (remote.dimension, remote.fingerprint) == (own.dimension, own.fingerprint)
    inputs = np.stack([remote.prepare(pixels(seed), Domain.STREET) for seed in range(3)])
    np.testing.assert_array_equal(
        remote.encode(inputs, Domain.STREET), own.encode(inputs, Domain.STREET)
    )
    with pytest.raises(ClusterError, match="gave no embeddings within 30 s; are they up"):
        RemoteEncoder(own, Handle(answers=False)).encode(inputs, Domain.STREET)


def test_without_the_extra_it_says_how_to_install_it() -> None:
    with pytest.raises(ClusterError, match=r"pip install 'snapshelf\[cluster\]'"), ray_extra():
        raise ModuleNotFoundError("No module named 'ray'", name="ray")
    with pytest.raises(ModuleNotFoundError), ray_extra():
        raise ModuleNotFoundError("No module named 'other'", name="other")
