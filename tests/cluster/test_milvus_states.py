"""Writers and servers that are killed: nothing acknowledged is lost, nothing is seen by half."""

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import closing, suppress
from pathlib import Path

import numpy as np
import pytest
from reference_store import DIMENSION, ReferenceStore, picture, random_records, random_unit, record

from snapshelf.errors import ShelfError, ShelfLockedError
from snapshelf.store import Counts
from snapshelf.store.milvus import MilvusStore, lease, states, writing
from snapshelf.store.milvus.connection import Connection
from snapshelf.store.milvus.paging import every_row

pytestmark = pytest.mark.cluster

PRODUCTS = 24
QUERY = np.eye(DIMENSION, dtype=np.float32)[:1]


def world(state: int) -> list:
    """Every product's one picture, which tells by its direction and name the state it is of."""
    vector = np.zeros(DIMENSION, np.float32)
    vector[:2] = np.cos(state * 0.01), np.sin(state * 0.01)
    return [
        record(f"p{n}", picture(f"{state}.jpg", vector, content=f"{state}"))
        for n in range(PRODUCTS)
    ]


def state_of(store: MilvusStore) -> int:
    """Tell the one state that a search sees; none is seen by half."""
    (hits,) = store.search(QUERY, 100)
    shown = {hit.source for hit in hits}
    assert len(hits) == PRODUCTS, f"{len(hits)} products"
    assert len(shown) == 1, f"an answer of several states: {shown}"
    return int(shown.pop().removesuffix(".jpg"))


def check_all(store: MilvusStore, reference: ReferenceStore, seed: int = 0) -> None:
    """Assert that a store holds just what the reference does."""
    for query in random_unit(np.random.default_rng(seed), 2):
        (hits,) = store.search(query[None], 1_000)
        reference.check(hits, query, 1_000)
        reference.check_descriptions(hits, store.descriptions([hit.region for hit in hits]))
    pictures = [shown for one in reference.records.values() for shown in one.pictures]
    regions = sum(len(shown.regions) for shown in pictures)
    assert store.count() == Counts(len(reference.records), len(pictures), regions)
    assert len(store.embeddings().vectors) == regions
    known = store.known(list(reference.records))
    assert {name: len(one.pictures) for name, one in known.items()} == {
        name: len(one.pictures) for name, one in reference.records.items()
    }


class Killed(BaseException):
    """Stands for a process that ends here and now."""


def abandon(store: MilvusStore) -> None:
    """Leave a writer as a killed process does: nothing is released, or tidied up."""
    assert store._upkeep is not None
    store._upkeep.lease._released.set()
    store._states.close()
    store._connection.close()


def test_a_writer_killed_at_any_step_leaves_one_state_or_the_other(
    place, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng, reference = np.random.default_rng(0), ReferenceStore()
    writer = place.open(write=True)
    first = random_records(rng, [f"p{n}" for n in range(10)])
    writer.upsert(first, run=1)
    reference.upsert(first)
    monkeypatch.setattr(lease._Holder, "is_dead", True)
    outcomes = set()
    for turn, (name, when) in enumerate(
        (name, when)
        for name in ("insert", "insert", "alter", "delete")
        for when in ("before", "after")
    ):
        skip = [1 if turn in (2, 3) else 0]
        inside = getattr(Connection, name)

        def killed(self, *given, inside=inside, skip=skip, when=when, **named):
            if skip[0]:
                skip[0] -= 1
                return inside(self, *given, **named)
            if when == "after":
                inside(self, *given, **named)
            raise Killed

        batch = random_records(rng, [f"p{n}" for n in range(5, 14)], salt=f"-{turn}")
        before = writer.version
        with monkeypatch.context() as patch:
            patch.setattr(Connection, name, killed)
            with suppress(Killed):
                writer.upsert(batch, run=1)
                pytest.fail("was not killed")
        abandon(writer)
        with closing(MilvusStore(place.address)) as reader:
            committed = reader.version != before
            if committed:
                reference.upsert(batch)
            check_all(reader, reference, turn)
            writer = place.open(write=True)
            check_all(writer, reference, turn)
            check_all(reader, reference, turn)
        outcomes.add((name, when, committed))
    assert ("insert", "after", False) in outcomes
    assert ("alter", "before", False) in outcomes
    assert ("alter", "after", True) in outcomes
    assert ("delete", "before", True) in outcomes
    # What dead writers left is cleared away by those after them, and by nobody else's hands.
    head = writer._states.latest()
    held = sum(
        len(rows)
        for rows in every_row(writer._connection, head, head.embeddings, "region", "", ("added",))
    )
    assert held == head.counts.embeddings


def test_a_lost_answer_to_a_commit_loses_nothing(place, monkeypatch: pytest.MonkeyPatch) -> None:
    writer, reader = place.open(write=True), place.open()
    reference = ReferenceStore()
    rng = np.random.default_rng(1)
    inside = Connection.alter
    for turn, arrives in enumerate((True, False, True)):

        def lost(self, *given, arrives=arrives):
            if arrives:
                inside(self, *given)
            raise ShelfError("the answer is lost")

        batch = random_records(rng, ["a", "b", "c"], salt=f"-{turn}")
        with monkeypatch.context() as patch:
            patch.setattr(Connection, "alter", lost)
            with pytest.raises(ShelfError, match="the answer is lost"):
                writer.upsert(batch, run=1)
        if arrives:
            reference.upsert(batch)
        check_all(reader, reference)
        check_all(writer, reference)
        more = random_records(rng, ["c", "d"], salt=f"+{turn}")
        writer.upsert(more, run=1)
        reference.upsert(more)
        check_all(reader, reference)


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("flush", ShelfError),
        ("now", ShelfError),
        ("flush", KeyboardInterrupt),
        ("now", KeyboardInterrupt),
        ("alter", KeyboardInterrupt),
    ],
)
@pytest.mark.parametrize("arrives", [True, False])
def test_a_batch_that_was_not_committed_is_never_seen_though_its_writer_ends_in_order(
    place, monkeypatch: pytest.MonkeyPatch, name: str, error: type[BaseException], arrives: bool
) -> None:
    monkeypatch.setattr(writing, "MOST_REMOVED", PRODUCTS)
    writer = place.open(write=True)
    for state in range(2):
        writer.upsert(world(state), run=1)
    inside = getattr(Connection, name)

    def broken(self, *given):
        if arrives:
            inside(self, *given)
        raise error("broken off")

    with monkeypatch.context() as patch:
        patch.setattr(Connection, name, broken)
        with pytest.raises(error, match="broken off"):
            writer.upsert(world(2), run=1)
    writer.close()
    seen = state_of(place.open())
    assert seen in ((1, 2) if name == "alter" and arrives else (1,))
    second = place.open(write=True)
    assert state_of(second) == seen
    second.upsert(world(3), run=2)
    for store in (second, place.open()):
        assert state_of(store) == 3
        assert store.count() == Counts(PRODUCTS, PRODUCTS, PRODUCTS)


def test_a_writer_that_was_taken_for_dead_cannot_write_any_more(
    place, monkeypatch: pytest.MonkeyPatch
) -> None:
    sleeper = place.open(write=True)
    sleeper.upsert(world(1), run=sleeper.begin_run("first feed"))
    with pytest.raises(ShelfLockedError, match=r"process \d+ of .* indexing first feed since"):
        place.open(write=True)
    with monkeypatch.context() as patch:
        patch.setattr(lease._Holder, "is_dead", True)
        other = place.open(write=True)
    other.upsert(world(2), run=2)
    with pytest.raises(ShelfLockedError, match="taken over by another writer"):
        sleeper.upsert(world(3), run=1)
    with pytest.raises(ShelfLockedError, match="taken over by another writer"):
        sleeper.delete(["p1"])
    assert state_of(other) == state_of(place.open()) == 2
    other.upsert(world(4), run=2)
    sleeper.close()
    assert state_of(other) == state_of(place.open()) == 4
    other.close()
    assert state_of(place.open(write=True)) == 4


def test_of_many_that_open_at_once_one_writes(place) -> None:
    place.open().close()
    for _ in range(3):
        opened, refused, start = [], [], threading.Barrier(4)

        def race(opened=opened, refused=refused, start=start) -> None:
            start.wait()
            try:
                opened.append(MilvusStore(place.address, write=True))
            except ShelfLockedError as error:
                refused.append(str(error))

        threads = [threading.Thread(target=race) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        writing = []
        for store in opened:  # one that was overtaken between its steps finds out at once
            with suppress(ShelfLockedError):
                store.note("who", "writes")
                writing.append(store)
        assert len(writing) == 1
        assert len(opened) + len(refused) == 4
        for store in opened:
            store.close()


CHILD = """
import sys, time
sys.path[:0] = {path!r}
from test_milvus_states import world
from snapshelf.store.milvus import MilvusStore
from snapshelf.store.milvus.address import parse_milvus_address
from snapshelf.store.milvus.connection import Connection
store = MilvusStore(parse_milvus_address({address!r}), write=True)
store.upsert(world(5), run=store.begin_run("killed feed"))
inside = Connection.insert
def insert(self, *given, **named):
    inside(self, *given, **named)
    print("ready", flush=True)
    time.sleep(60)
Connection.insert = insert
store.upsert(world(6), run=1)
"""


def test_a_killed_process_frees_the_shelf_at_once_on_its_machine(place) -> None:
    here = Path(__file__).parent
    text = f"{place.address}?features={place.address.features}"
    code = CHILD.format(path=[str(here), str(here.parent / "store"), *sys.path], address=text)
    child = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, env=os.environ.copy(), text=True
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"
    with pytest.raises(ShelfLockedError, match=f"process {child.pid} of .* indexing killed feed"):
        place.open(write=True)
    child.send_signal(signal.SIGKILL)
    child.communicate()
    assert state_of(place.open()) == 5
    writer = place.open(write=True)
    assert state_of(writer) == 5
    writer.upsert(world(7), run=2)
    assert state_of(place.open()) == 7


def searching(place, stop: threading.Event, seen: list, refused: list) -> None:
    """Search until told to stop: each answer is of one state, or a clear refusal."""
    with closing(MilvusStore(place.address)) as reader:
        while not stop.is_set():
            try:
                seen.append(state_of(reader))
            except ShelfError as error:
                refused.append(str(error))
            except AssertionError as error:
                seen.append(error)
                return


def test_a_rebuilt_collection_is_swapped_in_under_searches(place) -> None:
    writer = place.open(write=True)
    writer.upsert(world(0), run=1)
    stop, seen, refused = threading.Event(), [], []
    threads = [
        threading.Thread(target=searching, args=(place, stop, seen, refused)) for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for state, kind in ((1, "hnsw"), (2, "flat")):
        before = writer.properties["index_version"]
        writer.rebuild(kind)
        assert writer.index == kind
        assert writer.properties["index_version"] != before
        writer.upsert(world(state), run=1)
    stop.set()
    for thread in threads:
        thread.join()
    assert refused == []
    assert [each for each in seen if not isinstance(each, int)] == []
    assert len(seen) > 20
    assert writer.count() == Counts(PRODUCTS, PRODUCTS, PRODUCTS)
    head = writer._states.latest()
    assert len(head.retired) == 2, "searches that began before may still read them"
    from snapshelf.store.milvus.cleaning import drop_retired

    drop_retired(writer._connection, writer._upkeep.lease, after_s=0)
    assert not {name for name, _ in head.retired} & set(writer._connection.collections())
    assert state_of(place.open()) == 2


def test_what_was_replaced_is_named_until_its_deletion_is_written_away(
    place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "MOST_REMOVED", 2 * PRODUCTS)
    monkeypatch.setattr(writing, "MOST_NAMED", PRODUCTS)
    flushed = []
    flush = Connection.flush
    monkeypatch.setattr(
        Connection, "flush", lambda self, *names: (flushed.append(names), flush(self, *names))
    )
    writer = place.open(write=True)
    named = []
    for state in range(4):
        writer.upsert(world(state), run=1)
        named.append(len(writer._states.latest().dead))
        assert state_of(place.open()) == state
    # The third replacement would have made it too many.
    assert named == [0, PRODUCTS, 2 * PRODUCTS, PRODUCTS]
    head = writer._states.latest()
    assert flushed == [(head.embeddings, head.products)]
    writer.upsert(world(4), run=1)
    writer.close()
    assert len(flushed) == 2, "more were named than a head goes on to name"
    reader = place.open()
    assert reader._states.latest().dead == ()
    assert state_of(reader) == 4
    assert reader.count() == Counts(PRODUCTS, PRODUCTS, PRODUCTS)


def test_a_server_killed_in_the_middle_loses_nothing(
    place, milvus_server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(states, "PATIENCE_S", 0.5)
    writer = place.open(write=True)
    writer.upsert(world(0), run=1)
    stop, seen, refused = threading.Event(), [], []
    threads = [
        threading.Thread(target=searching, args=(place, stop, seen, refused)) for _ in range(2)
    ]
    done, broken = [0], []

    def write() -> None:
        try:
            for state in range(1, 10_000):
                writer.upsert(world(state), run=1)
                done.append(state)
        except ShelfError as error:
            broken.append(str(error))

    threads.append(threading.Thread(target=write))
    for thread in threads:
        thread.start()
    while len(done) < 8:
        time.sleep(0.05)
    milvus_server.kill()
    threads[-1].join()
    milvus_server.start()
    deadline = time.monotonic() + 60
    before = len(seen)
    while len(seen) < before + 5 and time.monotonic() < deadline:
        time.sleep(0.1)
    stop.set()
    for thread in threads:
        thread.join()
    assert [each for each in seen if not isinstance(each, int)] == []
    assert len(seen) >= before + 5, refused[-1:]
    assert "once it answers" in broken[0]
    assert all("is the server running" in text or "at hand" in text for text in refused), refused
    # The batch under way may have been committed, its answer lost; no acknowledged one is.
    last = state_of(place.open())
    assert last in (done[-1], done[-1] + 1)
    assert state_of(writer) == last
    writer.upsert(world(last + 2), run=1)
    assert state_of(place.open()) == last + 2
    writer.close()
    assert place.open(write=True).count() == Counts(PRODUCTS, PRODUCTS, PRODUCTS)
