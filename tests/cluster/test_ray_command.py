"""``snapshelf index --ray`` as its users meet it."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from ray_parts import ENVIRONMENT, rows
from shelf_parts import write_feed
from typer.testing import CliRunner

from snapshelf.cli.main import app

pytest.importorskip("ray", reason="needs the extra `cluster`")
pytestmark = [pytest.mark.cluster, pytest.mark.timeout(600)]


def start(folder: Path, shelf: str, *options: str) -> subprocess.Popen[str]:
    feed = str(folder / "feed" / "feed.jsonl")
    arguments = ["index", feed, "--shelf", str(folder / shelf), "--system", "compact", *options]
    return subprocess.Popen(
        [sys.executable, "-m", "snapshelf", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=ENVIRONMENT,
    )


def test_a_cluster_made_here_indexes_the_same_and_ends(tmp_path: Path) -> None:
    write_feed(tmp_path / "feed", 80)
    # Killed as soon as it has a cluster: nothing of that stays, and the command goes on.
    killed = start(tmp_path, "shelf", "--ray", "local", "--ray-workers", "2")
    process = psutil.Process(killed.pid)
    while not any("PictureWorker" in part for part in _commands(process)):
        assert killed.poll() is None, killed.communicate()[1]
        time.sleep(0.05)
    children = {child: child.name() for child in process.children(recursive=True)}
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    # Two agents of Ray look for their cluster for a minute more.
    working = [child for child, name in children.items() if "Agent" not in name]
    _, alive = psutil.wait_procs(working, timeout=30)
    assert not alive

    options = ("--ray", "local", "--ray-workers", "2", "--cost-per-hour", "1.5", "--json")
    out, errors = start(tmp_path, "shelf", *options).communicate(timeout=240)
    report = json.loads(out)
    assert report["ray"]["workers"] == 2, errors
    assert report["ray"]["cost_per_million_pictures"] > 0
    assert report["changed"] + report["unchanged"] == 80
    plain = start(tmp_path, "plain", "--json")
    plain.communicate(timeout=240)
    assert rows(tmp_path / "shelf") == rows(tmp_path / "plain")


def _commands(process: psutil.Process) -> list[str]:
    found = []
    for child in process.children(recursive=True):
        try:
            found += child.cmdline()
        except psutil.Error:
            continue
    return found


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["index", "feed", "--cost-per-hour", "2"], "--cost-per-hour go with --ray"),
        (["index", "feed", "--ray-workers", "2"], "--cost-per-hour go with --ray"),
        (["serve", "--replicas", "2"], "options of replicas go with --ray"),
        (["serve", "--ray", "local", "--port", "0"], "with --ray expected a port, got 0"),
        (["serve", "--ray", "local", "--encoder-gpus", "1"], "goes with --encoder-replicas"),
        (
            ["serve", "--ray", "local", "--replicas", "3", "--most-replicas", "2"],
            "--most-replicas: expected at least 3, got 2",
        ),
    ],
)
def test_options_that_do_not_go_together_are_refused(arguments: list[str], message: str) -> None:
    found = CliRunner().invoke(app, [*arguments, "--shelf", "none"])
    assert found.exit_code == 2
    assert message in found.stderr


def test_a_cluster_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    write_feed(tmp_path / "feed", 1)
    process = start(tmp_path, "shelf", "--ray", "127.0.0.1:1")
    out, errors = process.communicate(timeout=120)
    assert (process.returncode, out) == (1, "")
    assert errors.startswith("error: no Ray cluster at 127.0.0.1:1: Connection refused. Give")
    assert errors.count("\n") == 1
    assert not (tmp_path / "shelf").exists()
