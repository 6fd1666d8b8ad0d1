"""Indexing on a Ray cluster of three nodes: the same shelf, whatever is lost on the way."""

import json
import re
import signal
import time
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from ray_parts import BLOCK, DEADLY, Nodes, Run, embedded, rows, wait_until
from shelf_parts import write_feed

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(600)]

PRODUCTS = 40
IMAGES = (1, 2, 3)
REGIONS = 2
AHEAD = 3
SECONDS = "0.02"


@pytest.fixture(scope="module")
def nodes() -> Iterator[Nodes]:
    """Three nodes with room for one worker each."""
    pytest.importorskip("ray", reason="needs the extra `cluster`")
    with Nodes(1, 1, 1) as started:
        yield started


@pytest.fixture(scope="module")
def feed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A feed with bad rows and bad pictures among good ones, some of which are the same."""
    feed = write_feed(tmp_path_factory.mktemp("shop") / "feed", PRODUCTS, images=IMAGES)
    (feed.parent / "10.png").write_bytes(b"no picture")
    (feed.parent / "15.png").unlink()
    (feed.parent / "31.png").write_bytes((feed.parent / "30.png").read_bytes()[:40])
    (feed.parent / "32.png").write_bytes((feed.parent / "31.png").read_bytes())
    lines = feed.read_text().splitlines()
    lines[3] = "{"
    lines[7] = json.dumps({"id": "SKU-7", "title": "T", "image_link": "7.png", "price": "cheap"})
    feed.write_text("\n".join(lines) + "\n")
    return feed


@pytest.fixture(scope="module")
def plain(feed: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict]:
    """The shelf that is made without a cluster, and its report."""
    folder = tmp_path_factory.mktemp("plain")
    return folder / "shelf", Run("none", feed, folder / "shelf", folder / "log").finish()


def test_the_shelf_and_the_report_are_the_same_as_without_a_cluster(
    nodes: Nodes, feed: Path, plain: tuple[Path, dict], tmp_path: Path
) -> None:
    shelf, expected = plain
    found = Run(nodes.address, feed, tmp_path / "shelf", tmp_path / "log").finish()
    assert found["report"] == expected["report"]
    assert found["problems"] == expected["problems"]
    assert {problem["field"] for problem in found["problems"]} == {"", "image", "price"}
    assert rows(tmp_path / "shelf") == rows(shelf), "bit by bit, embeddings too"
    assert found["ray"]["workers"] == 3
    assert found["ray"]["workers_lost"] == found["ray"]["blocks_redone"] == 0
    assert found["ray"]["pictures"] == expected["report"]["pictures_embedded"]
    each = embedded(tmp_path / "log")
    assert set(each.values()) == {1}, "no content is embedded twice"

    again = Run(nodes.address, feed, tmp_path / "shelf", tmp_path / "log").finish()
    assert again["report"]["changed"] == again["report"]["pictures_embedded"] == 0
    assert embedded(tmp_path / "log") == each


def test_a_killed_command_is_finished_by_the_same_command(
    nodes: Nodes, feed: Path, plain: tuple[Path, dict], tmp_path: Path
) -> None:
    shelf, log = tmp_path / "shelf", tmp_path / "log"
    run = Run(nodes.address, feed, shelf, log, "--seconds", SECONDS)
    wait_until(log, 60, run)
    run.process.send_signal(signal.SIGKILL)
    run.process.communicate()
    time.sleep(1)  # its workers end with it
    stored, before = rows(shelf), embedded(log)
    assert 0 < len(stored) < len(rows(plain[0]))
    Run(nodes.address, feed, shelf, log).finish()
    assert rows(shelf) == rows(plain[0])
    committed = {row[6] for row in stored}
    missing = {row[6] for row in rows(shelf)} - committed
    again = sum((embedded(log) - before).values())
    assert again == REGIONS * len(missing), "what was committed is not embedded again"


def test_a_picture_that_ends_its_workers_is_left_out(nodes: Nodes, tmp_path: Path) -> None:
    feed = write_feed(tmp_path / "feed", 12)
    pixels = np.zeros((16, 16, 3), np.uint8)
    pixels[:] = (DEADLY, 0, 0)
    buffer = BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    (feed.parent / "5.png").write_bytes(buffer.getvalue())
    found = Run(nodes.address, feed, tmp_path / "shelf", tmp_path / "log").finish()
    assert [problem["reason"] for problem in found["problems"]] == [
        "5.png: 3 workers ended while they had it; left out",
        "none of the product's pictures can be used",
    ]
    ids = {row[0] for row in rows(tmp_path / "shelf")}
    assert ids == {f"SKU-{n}" for n in range(12)} - {"SKU-5"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--other"], "SystemMismatchError: the system 'fake' on .* is not the one here"),
        (["--elsewhere"], r"ClusterError: \d+\.png cannot be read on .* mount it at the same path"),
    ],
)
def test_workers_that_cannot_do_the_work_are_an_error(
    nodes: Nodes, feed: Path, tmp_path: Path, options: list[str], message: str
) -> None:
    run = Run(nodes.address, feed, tmp_path / "shelf", tmp_path / "log", *options)
    error = run.fail()
    assert re.search(message, error), error


def test_no_room_for_a_worker_is_an_error_after_a_while(
    nodes: Nodes, feed: Path, tmp_path: Path
) -> None:
    held = Run(nodes.address, feed, tmp_path / "first", tmp_path / "log", "--seconds", "0.1")
    wait_until(tmp_path / "log", 20, held)
    options = ("--workers", "1", "--patience", "2")
    run = Run(nodes.address, feed, tmp_path / "shelf", tmp_path / "log", *options)
    assert "ClusterError: no worker for 2 s: each takes 1 CPU" in run.fail()
    held.process.kill()
    held.process.communicate()


def test_a_node_killed_in_the_middle_costs_its_blocks_only(
    nodes: Nodes, feed: Path, plain: tuple[Path, dict], tmp_path: Path
) -> None:
    # The last test of these nodes: from here on there are two.
    shelf, log = tmp_path / "shelf", tmp_path / "log"
    # All at work before one goes, however long its process took to start.
    run = Run(nodes.address, feed, shelf, log, "--seconds", SECONDS, "--together", "3")
    wait_until(log, 30, run)
    nodes.order("kill 1")
    found = run.finish()
    assert rows(shelf) == rows(plain[0]), "all rows are there, none twice"
    assert found["report"] == plain[1]["report"]
    assert found["problems"] == plain[1]["problems"]
    assert found["ray"]["workers_lost"] == 1
    assert 1 <= found["ray"]["blocks_redone"] <= AHEAD
    twice = sum(count - 1 for count in embedded(log).values())
    assert twice <= REGIONS * BLOCK * AHEAD
