"""Clusters and indexing runs in processes of their own."""

import json
import os
import secrets
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest

HERE = Path(__file__).parent

# The small encoder and the feeds of the tests of a shelf.
sys.path.append(str(HERE.parent / "shelf"))

BLOCK = 4
"""Pictures of a block in `ray_index.py`."""

DEADLY = 7
"""The red of the first pixel of a picture that ends whoever embeds it there."""

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

ENVIRONMENT = {
    **os.environ,
    "PYTHONPATH": os.pathsep.join([str(HERE), str(HERE.parent / "shelf"), *sys.path]),
    "RAY_USAGE_STATS_ENABLED": "0",
    # Ray listens on all interfaces: nobody else is to get in.
    "RAY_AUTH_MODE": "token",
    "RAY_AUTH_TOKEN": secrets.token_hex(32),
}


class Nodes:
    """Nodes of a cluster on this machine; see `ray_nodes.py`."""

    def __init__(self, *cpus: int) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(HERE / "ray_nodes.py"), *map(str, cpus)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=ENVIRONMENT,
        )
        assert self._process.stdout is not None
        self.address = self._process.stdout.readline().strip()
        if not self.address:
            pytest.fail(self._process.communicate(timeout=30)[1])

    def order(self, text: str) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{text}\n")
        self._process.stdin.flush()
        if self._process.stdout.readline() != "done\n":
            pytest.fail(self._process.communicate(timeout=30)[1])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.communicate(timeout=60)


class Run:
    """An indexing run; see `ray_index.py`."""

    def __init__(self, address: str, feed: Path, shelf: Path, log: Path, *options: str) -> None:
        self.process = subprocess.Popen(
            [
                *(sys.executable, str(HERE / "ray_index.py"), address),
                *(str(feed), str(shelf), str(log), *options),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=ENVIRONMENT,
        )
        assert self.process.stdout is not None
        if self.process.stdout.readline() != "ready\n":
            pytest.fail(self.process.communicate(timeout=30)[1])

    def finish(self) -> dict[str, Any]:
        out, errors = self.process.communicate(timeout=240)
        assert self.process.returncode == 0, errors
        found: dict[str, Any] = json.loads(out)
        return found

    def fail(self) -> str:
        """Wait for its error; gives all that it wrote, since Ray may write after it."""
        _, errors = self.process.communicate(timeout=240)
        assert self.process.returncode == 1, errors
        return errors


def wait_until(log: Path, count: int, run: Run) -> None:
    """Wait until so many regions have been embedded."""
    while sum(embedded(log).values()) < count:
        assert run.process.poll() is None, run.process.communicate()[1]
        time.sleep(0.01)


def embedded(log: Path) -> Counter[str]:
    return Counter(log.read_text().split()) if log.exists() else Counter()


def rows(shelf: Path) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(shelf / "shelf.sqlite")) as db:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert db.execute("PRAGMA foreign_key_check").fetchall() == []
        return db.execute(ROWS).fetchall()
