"""Several processes and threads over one store, and processes that are killed."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from reference_store import DIMENSION, ReferenceStore, random_records, random_unit
from store_process import PRODUCTS, world

from snapshelf.errors import ShelfError, ShelfLockedError
from snapshelf.store import EmbeddedStore, parse_filter, refreshing

HERE = Path(__file__).parent
MakeStore = Callable[..., EmbeddedStore]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts ``store_process.py`` and waits until it is ready; kills it in the end."""
    started: list[subprocess.Popen[str]] = []

    def begin(what: str, folder: Path) -> subprocess.Popen[str]:
        started.append(
            subprocess.Popen(
                [sys.executable, str(HERE / "store_process.py"), what, str(folder)],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                env={**os.environ, "PYTHONPATH": os.pathsep.join([str(HERE), *sys.path])},
            )
        )
        process = started[-1]
        assert process.stdout is not None
        if process.stdout.readline() != "ready\n":
            pytest.fail(process.communicate(timeout=30)[1])
        return process

    yield begin
    for process in started:
        process.kill()
        process.communicate()


def test_processes_that_search_see_one_committed_state_after_the_other(
    make_store: MakeStore, start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refreshing, "STALE_FROM", 3 * PRODUCTS)
    store = make_store()
    store.upsert(world(0), run=1)
    readers = [start("search", tmp_path / "shelf") for _ in range(2)]
    for state in range(1, 60):
        store.upsert(world(state), run=1)
        if state % 5 == 0:
            store.end_run(run=store.begin_run("feed"))
    assert store.properties["index_version"] != "0", "no index was built under the readers"
    (tmp_path / "done").touch()
    for reader in readers:
        out, errors = reader.communicate(timeout=60)
        assert reader.returncode == 0, errors
        assert int(out) > 3, "the readers saw too few states to tell anything"


def test_a_second_writer_is_told_who_writes(make_store: MakeStore, start, tmp_path: Path) -> None:
    make_store().close()
    holder = start("hold", tmp_path / "shelf")
    with pytest.raises(ShelfLockedError) as caught:
        EmbeddedStore(tmp_path / "shelf", write=True)
    message = str(caught.value)
    assert f"process {holder.pid} has been indexing the other feed since 2" in message
    assert "wait for it to finish" in message
    with closing(EmbeddedStore(tmp_path / "shelf")) as reader:
        assert reader.count().products == PRODUCTS

    holder.send_signal(signal.SIGKILL)
    holder.wait()
    with closing(EmbeddedStore(tmp_path / "shelf", write=True)) as store:
        run = store.last_run()
        assert run is not None
        assert (run.feed, run.finished, run.seen) == ("the other feed", "", PRODUCTS)
        assert store.delete(["p0"]) == 1


def test_two_writers_in_one_process_are_two_writers(make_store: MakeStore, tmp_path: Path) -> None:
    store = make_store()
    with pytest.raises(ShelfLockedError, match="another process holds its lock"):
        EmbeddedStore(tmp_path / "shelf", write=True)
    store.close()
    make_store().close()


def test_a_kill_within_a_transaction_leaves_the_last_commit(
    make_store: MakeStore, start, tmp_path: Path
) -> None:
    store = make_store()
    store.upsert(world(3), run=1)
    store.close()
    victim = start("kill", tmp_path / "shelf")
    victim.send_signal(signal.SIGKILL)
    victim.wait()
    store = make_store()
    query = np.eye(DIMENSION, dtype=np.float32)[:1]
    assert {hit.source for hit in store.search(query, 100)[0]} == {"3.jpg"}
    with store._connections.reading() as db:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_threads_share_a_store_while_it_changes(make_store: MakeStore, tmp_path: Path) -> None:
    writer = make_store()
    reader = EmbeddedStore(tmp_path / "shelf")
    writer.upsert(world(0), run=1)
    query = np.eye(DIMENSION, dtype=np.float32)[:1]
    where = parse_filter("id!=p0")
    stop, errors = threading.Event(), []

    def look() -> None:
        last = -1
        try:
            while not stop.is_set():
                for condition, expected in ((None, PRODUCTS), (where, PRODUCTS - 1)):
                    (hits,) = reader.search(query, 100, condition)
                    assert len(hits) == expected
                    (source,) = {hit.source for hit in hits}
                    state = int(source.removesuffix(".jpg"))
                    assert state >= last
                    last = state
                assert reader.count().products == PRODUCTS
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=look) for _ in range(6)]
    for thread in threads:
        thread.start()
    for state in range(1, 40):
        writer.upsert(world(state), run=1)
    stop.set()
    for thread in threads:
        thread.join()
    reader.close()
    assert errors == []


def test_short_lived_threads_leave_no_connections_open(make_store: MakeStore) -> None:
    store = make_store()
    store.upsert(world(0), run=1)
    query = np.eye(DIMENSION, dtype=np.float32)[:1]
    for _ in range(50):
        thread = threading.Thread(target=store.search, args=(query, 3))
        thread.start()
        thread.join()
    assert store._connections.idle <= 2


def test_a_closed_store_says_so(make_store: MakeStore) -> None:
    store = make_store()
    store.close()
    store.close()
    for ask in (store.count, store.last_run, lambda: store.upsert(world(0), run=1)):
        with pytest.raises(ValueError, match="is closed: open it again"):
            ask()


def test_a_reader_may_not_write(make_store: MakeStore, tmp_path: Path) -> None:
    make_store()
    with closing(EmbeddedStore(tmp_path / "shelf")) as reader:
        for change in (
            lambda: reader.upsert(world(0), run=1),
            lambda: reader.delete(["p0"]),
            lambda: reader.begin_run("feed"),
            lambda: reader.note("a", "b"),
            lambda: reader.end_run(run=1),
        ):
            with pytest.raises(ShelfError, match="opened for searching only"):
                change()


def test_two_shelves_do_not_mix(make_store: MakeStore) -> None:
    rng = np.random.default_rng(0)
    stores = [make_store("one"), make_store("two")]
    references = [ReferenceStore(), ReferenceStore()]
    for store, reference in zip(stores, references, strict=True):
        records = random_records(rng, ["a", "b", "c"])
        store.upsert(records, run=1)
        reference.upsert(records)
    query = random_unit(rng, 1)
    for store, reference in zip(stores, references, strict=True):
        reference.check(store.search(query, 5)[0], query[0], 5)


@pytest.mark.parametrize("again", [False, True], ids=["removed", "made again"])
def test_a_shelf_replaced_while_it_is_open_is_told(
    make_store: MakeStore, tmp_path: Path, again: bool
) -> None:
    store = make_store()
    store.upsert(world(0), run=1)
    store.close()
    query = np.eye(DIMENSION, dtype=np.float32)[:1]
    with closing(EmbeddedStore(tmp_path / "shelf")) as reader:
        assert len(reader.search(query, 100)[0]) == PRODUCTS
        # Renamed, so that its file number stays taken.
        (tmp_path / "shelf").rename(tmp_path / "old")
        if again:
            make_store()
        for ask in (lambda: reader.search(query, 100), reader.count, reader.last_run):
            with pytest.raises(ShelfError, match="removed or replaced while it was open: open it"):
                ask()
