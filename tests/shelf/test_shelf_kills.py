"""Indexing runs that are killed, and searches beside one that goes on."""

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest
from shelf_parts import Reversing, fake_system, pixels, write_feed

from snapshelf.shelf import Shelf

HERE = Path(__file__).parent
PRODUCTS = 60
IMAGES = (1, 2, 3)
SECONDS = 0.005
"""For each picture, so that a run takes long enough to be killed within."""

ROWS = """
    SELECT product.id, product.digest, product.body, picture.position, picture.source,
        picture.signature, picture.content, region.x0, region.y0, region.x1, region.y1,
        region.label, region.confidence, embedding.vector, description.body
    FROM product JOIN picture ON picture.product = product.number
    JOIN region ON region.picture = picture.number
    JOIN embedding ON embedding.region = region.number
    LEFT JOIN description ON description.region = region.number
    WHERE picture.removed IS NULL ORDER BY product.id, picture.position, region.x0
"""


def start(*arguments: object) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, str(HERE / "shelf_process.py"), *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(HERE), *sys.path])},
    )
    assert process.stdout is not None
    if process.stdout.readline() != "ready\n":
        pytest.fail(process.communicate(timeout=30)[1])
    return process


def finish(process: subprocess.Popen[str]) -> str:
    out, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    return out


def rows(shelf: Path) -> list[tuple]:
    with closing(sqlite3.connect(shelf / "shelf.sqlite")) as db:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert db.execute("PRAGMA foreign_key_check").fetchall() == []
        found = db.execute(ROWS).fetchall()
        (regions,) = db.execute("SELECT count(*) FROM region").fetchone()
        (bodies,) = db.execute("SELECT count(*) FROM description").fetchone()
    # One each, those of removed pictures too; `description.region` is a primary key.
    assert bodies == regions
    assert all(row[-1] is not None for row in found)
    return found


def embedded(log: Path) -> Counter[str]:
    return Counter(log.read_text().split()) if log.exists() else Counter()


@pytest.mark.slow
def test_ten_kills_lose_nothing_and_embed_nothing_committed_twice(tmp_path: Path) -> None:
    feed = write_feed(tmp_path / "feed", PRODUCTS, images=IMAGES)
    whole, whole_log = tmp_path / "whole", tmp_path / "whole.log"
    finish(start("build", feed, whole, whole_log, SECONDS))
    expected = rows(whole)
    contents = {row[6] for row in expected}
    assert len(expected) == 120
    assert len(contents) < 120, "some pictures are shared"
    assert sum(embedded(whole_log).values()) == len(contents)

    shelf, log = tmp_path / "shelf", tmp_path / "shelf.log"
    moments = random.Random(20)
    killed, states = 0, []
    while killed < 10:
        before = embedded(log)
        stored = {row[6] for row in rows(shelf)} if (shelf / "shelf.sqlite").exists() else set()
        process = start("build", feed, shelf, log, SECONDS)
        enough = sum(before.values()) + moments.randint(0, 18)
        while sum(embedded(log).values()) < enough and process.poll() is None:
            time.sleep(0.002)
        time.sleep(moments.uniform(0.0, 0.03))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        killed += 1
        if not (shelf / "shelf.sqlite").exists():
            continue
        now = rows(shelf)
        # What was there is there, and each product is whole: all its rows or none.
        assert stored <= {row[6] for row in now}
        present = {row[0] for row in now}
        assert now == [row for row in expected if row[0] in present]
        states.append(len(present))
        with Shelf.open(shelf, fake_system(reranker=Reversing())) as opened:
            (item,) = opened.search(pixels(0), top=1_000).items
            assert {match.product.id for match in item.matches} == present
        # What was not committed yet, a commit's and a batch's worth, is all that a kill costs.
        spent = sum((embedded(log) - before).values())
        assert spent <= len({row[6] for row in now} - stored) + 8 + 3 + 4 + 4
    assert len(set(states)) >= 3, f"the kills fell at the same moment: {states}"

    done = {row[6] for row in rows(shelf)}
    before = embedded(log)
    assert "built" in finish(start("build", feed, shelf, log, 0))
    assert rows(shelf) == expected, "nothing is lost or doubled"
    again = sum((embedded(log) - before).values())
    assert again == len(contents - done), "what was committed is not embedded again"

    before = embedded(log)
    finish(start("build", feed, shelf, log, 0))
    assert embedded(log) == before


def test_searches_go_on_while_a_shelf_is_updated(tmp_path: Path) -> None:
    first = write_feed(tmp_path / "first", 10)
    shelf, log = tmp_path / "shelf", tmp_path / "log"
    finish(start("build", first, shelf, log, 0))
    second = write_feed(tmp_path / "second", 80)
    searching = start("search", shelf, tmp_path / "stop")
    finish(start("build", second, shelf, log, SECONDS))
    (tmp_path / "stop").touch()
    searches, states = map(int, finish(searching).split())
    assert searches > 10
    assert states >= 3, "the searches saw nothing of the update before its end"
