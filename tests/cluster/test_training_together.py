"""Training in two processes that `torchrun` starts, as on two machines."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("lightning")
pytestmark = [pytest.mark.cluster, pytest.mark.torch, pytest.mark.timeout(600)]

from snapshelf.process_rank import process_rank  # noqa: E402
from snapshelf.training import training_folder  # noqa: E402
from snapshelf.training.processes import Processes, launched  # noqa: E402
from snapshelf.training.training_error import TrainingError  # noqa: E402

HERE = Path(__file__).parent
VARIABLES = ("TORCHELASTIC_RUN_ID", "RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE", "LOCAL_RANK")


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*VARIABLES, "NODE_RANK"):
        monkeypatch.delenv(name, raising=False)


def torchrun(*arguments: object, machines: int = 2, folder: Path) -> None:
    """Start one launcher a machine, each with one process; they find each other on loopback."""
    python = [sys.executable, "-W", "ignore", "-m", "torch.distributed.run"]
    place = ["--rdzv-backend", "static", "--master-addr", "127.0.0.1", "--master-port", "29517"]
    started = [
        subprocess.Popen(
            [
                *(*python, "--nnodes", str(machines), "--node-rank", str(number)),
                *("--nproc-per-node", "1", *place, *map(str, arguments)),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=folder,
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join(sys.path),
                "CUDA_VISIBLE_DEVICES": "",
                "OMP_NUM_THREADS": "1",
            },
        )
        for number in range(machines)
    ]
    ends = [(process, process.communicate(timeout=240)[0]) for process in started]
    for process, output in ends:
        assert process.returncode == 0, output


def results(out: Path, processes: int) -> list[dict]:
    names = [out.with_name(f"{out.name}-{rank}.json") for rank in range(processes)]
    return [json.loads(name.read_text()) for name in names]


def test_two_processes_end_with_the_network_of_one(tmp_path: Path) -> None:
    script = HERE / "train_together.py"
    torchrun(script, tmp_path / "both", folder=tmp_path)
    first, second = results(tmp_path / "both", 2)
    assert first["world"] == second["world"] == 2
    assert first["state"] == second["state"], "bit by bit, running means too"
    assert not set(first["seen"]) & set(second["seen"]), "each has its own part of the data"
    torchrun(script, tmp_path / "alone", machines=1, folder=tmp_path)
    (alone,) = results(tmp_path / "alone", 1)
    assert sorted(first["seen"] + second["seen"]) == alone["seen"]
    for name in ("line.weight", "line.bias"):
        # The mean of two halves' gradients is the whole's.
        np.testing.assert_allclose(first["state"][name], alone["state"][name], rtol=1e-5)
    assert (tmp_path / "both" / "checkpoints" / "last.ckpt").is_file()
    assert len((tmp_path / "both" / "log.csv").read_text().splitlines()) == 4


def test_what_torchrun_tells_goes_before_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    assert launched(1) == Processes(0, 1, 1)
    monkeypatch.setenv("LOCAL_RANK", "1")
    assert launched(2) == Processes(1, 2, 1)
    told = dict(zip(VARIABLES, ("x", "6", "8", "4", "2"), strict=True))
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    assert launched(1) == Processes(6, 4, 2)
    assert launched(1).world == 8
    assert process_rank() == 6


def test_without_a_shared_folder_the_others_say_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training_folder, "PATIENCE_S", 0.2)
    monkeypatch.setenv("LOCAL_RANK", "1")
    with pytest.raises(TrainingError, match=r"did not begin in .*; train in a folder that all"):
        training_folder.begin(tmp_path / "out", {})
    assert not (tmp_path / "out").exists()
