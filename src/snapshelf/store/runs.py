"""The SQL about indexing runs, and which products each has seen."""

import os
import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime

from snapshelf.store.records import Run

__all__ = ["finish_run", "last_run", "mark_seen", "now_text", "start_run", "unseen_products"]


def now_text() -> str:
    """Give the time as a `Run` has it: ISO 8601, UTC, whole seconds."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def start_run(db: sqlite3.Connection, feed: str) -> int:
    """Note that a run of this process starts; gives its number."""
    (number,) = db.execute(
        "INSERT INTO run (feed, process, started) VALUES (?, ?, ?) RETURNING number",
        (feed, os.getpid(), now_text()),
    ).fetchone()
    return int(number)


def finish_run(db: sqlite3.Connection, run: int) -> None:
    """Note that a run is complete."""
    db.execute("UPDATE run SET finished = ? WHERE number = ?", (now_text(), run))


def last_run(db: sqlite3.Connection) -> Run | None:
    """Read the latest run, None if there was none."""
    row = db.execute(
        "SELECT number, feed, process, started, coalesce(finished, '') FROM run"
        " ORDER BY number DESC LIMIT 1"
    ).fetchone()
    if row is None:
        return None
    number, feed, process, started, finished = row
    (seen,) = db.execute("SELECT count(*) FROM seen WHERE run = ?", (number,)).fetchone()
    return Run(number, feed, process, started, finished, seen)


def mark_seen(db: sqlite3.Connection, products: Sequence[int], *, run: int) -> None:
    """Note that a run saw these products, given by number."""
    db.executemany(
        "INSERT INTO seen VALUES (?, ?) ON CONFLICT (product) DO UPDATE SET run = excluded.run",
        ((number, run) for number in products),
    )


def unseen_products(db: sqlite3.Connection, run: int) -> list[int]:
    """Read the numbers of the products that a run has not seen."""
    rows = db.execute(
        "SELECT number FROM product WHERE number NOT IN (SELECT product FROM seen WHERE run = ?)",
        (run,),
    )
    return [number for (number,) in rows]
