"""Descriptions in the embedded store: shelves from before there were any, and damage."""

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from reference_store import DIMENSION, ReferenceStore, picture, random_unit, record

from snapshelf.errors import ShelfError
from snapshelf.store import EmbeddedStore, database
from snapshelf.store.schema import DESCRIPTION, SCHEMA, SCHEMA_VERSION

MakeStore = Callable[..., EmbeddedStore]

OLD_SCHEMA = SCHEMA.replace(DESCRIPTION, "")
BODY = 35_000


def described(names: list[str], seed: int) -> list:
    rng = np.random.default_rng(seed)
    records = []
    for name in names:
        bodies = [rng.bytes(BODY) for _ in range(2)]
        shown = picture(f"{name}-{seed}", random_unit(rng, 2), descriptions=bodies)
        records.append(record(name, shown))
    return records


def check(store: EmbeddedStore, reference: ReferenceStore) -> None:
    for query in random_unit(np.random.default_rng(9), 3):
        (hits,) = store.search(query[None], 1_000)
        reference.check(hits, query, 1_000)
        reference.check_descriptions(hits, store.descriptions([hit.region for hit in hits]))


@pytest.fixture
def old_shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ReferenceStore:
    """A shelf as it was made and written before there were descriptions."""
    assert OLD_SCHEMA != SCHEMA
    reference = ReferenceStore()
    rng = np.random.default_rng(0)
    records = [record(f"p{n}", picture(f"{n}", random_unit(rng, 2))) for n in range(20)]
    with monkeypatch.context() as patch:
        patch.setattr(database, "SCHEMA", OLD_SCHEMA)
        EmbeddedStore.create(tmp_path / "shelf", dimension=DIMENSION, properties={"a": "b"})
    with closing(EmbeddedStore(tmp_path / "shelf", write=True)) as store:
        store.upsert(records, run=1)
    reference.upsert(records)
    with closing(sqlite3.connect(tmp_path / "shelf" / "shelf.sqlite")) as db, db:
        db.execute("DROP TABLE description")
        db.execute("DELETE FROM meta WHERE name = 'distance'")
        (version,) = db.execute("PRAGMA user_version").fetchone()
    assert version == SCHEMA_VERSION == 1
    return reference


def tables(folder: Path) -> set[str]:
    with closing(sqlite3.connect(folder / "shelf.sqlite")) as db:
        assert db.execute("PRAGMA foreign_key_check").fetchall() == []
        return {name for (name,) in db.execute("SELECT name FROM sqlite_master")}


def test_an_older_shelf_is_searched_as_before(old_shelf: ReferenceStore, tmp_path: Path) -> None:
    with closing(EmbeddedStore(tmp_path / "shelf")) as reader:
        check(reader, old_shelf)
        assert reader.distance == "cosine"
        assert reader.descriptions(range(50)) == {}
    assert "description" not in tables(tmp_path / "shelf"), "searching changes nothing"


def test_an_older_shelf_is_written_to_under_a_reader(
    old_shelf: ReferenceStore, make_store: MakeStore, tmp_path: Path
) -> None:
    with closing(EmbeddedStore(tmp_path / "shelf")) as reader:
        check(reader, old_shelf)
        writer = make_store()
        check(reader, old_shelf)
        later = described(["p1", "p2", "new"], 1)
        copy = record("copy", picture("copy", None, content="content of 5"))
        for records in (later, [copy]):
            writer.upsert(records, run=1)
            old_shelf.upsert(records)
        for store in (reader, writer):
            check(store, old_shelf)
        gone = ["p3", "new"]
        assert writer.delete(gone) == old_shelf.delete(gone)
        writer.end_run(run=writer.begin_run("feed"))
        check(reader, old_shelf)
    assert "description" in tables(tmp_path / "shelf")


def test_a_reader_follows_a_file_that_grows(make_store: MakeStore, tmp_path: Path) -> None:
    store, reference = make_store(), ReferenceStore()
    with closing(EmbeddedStore(tmp_path / "shelf")) as reader:
        for turn in range(6):
            records = described([f"p{n}" for n in range(4 * turn, 4 * turn + 6)], turn)
            store.upsert(records, run=1)
            reference.upsert(records)
            check(reader, reference)
            store._connections._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            check(reader, reference)
        assert (tmp_path / "shelf" / "shelf.sqlite").stat().st_size > 24 * 2 * BODY


@pytest.mark.parametrize("share", [0.3, 0.9])
def test_a_file_cut_short_says_so(make_store: MakeStore, tmp_path: Path, share: float) -> None:
    store = make_store()
    store.upsert(described([f"p{n}" for n in range(20)], 0), run=1)
    store.close()
    file = tmp_path / "shelf" / "shelf.sqlite"
    os.truncate(file, int(share * file.stat().st_size))

    def use() -> None:
        with closing(EmbeddedStore(tmp_path / "shelf")) as reader:
            reader.descriptions(range(100))

    with pytest.raises(ShelfError, match="restore it from a backup, or index the feed into a new"):
        use()


def test_a_file_cut_short_under_a_reader_says_so(make_store: MakeStore, tmp_path: Path) -> None:
    store = make_store()
    store.upsert(described([f"p{n}" for n in range(20)], 0), run=1)
    store.close()
    file = tmp_path / "shelf" / "shelf.sqlite"
    with closing(EmbeddedStore(tmp_path / "shelf")) as reader:
        assert len(reader.descriptions(range(100))) == 40
        os.truncate(file, file.stat().st_size // 2)
        with pytest.raises(ShelfError, match="restore it from a backup, or index the feed into"):
            reader.descriptions(range(100))


def test_garbled_descriptions_say_so(make_store: MakeStore, tmp_path: Path) -> None:
    store = make_store()
    store.upsert(described([f"p{n}" for n in range(20)], 0), run=1)
    with store._connections.reading() as db:
        (first,) = db.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = 'description'"
        ).fetchone()
        (size,) = db.execute("PRAGMA page_size").fetchone()
    store.close()
    file = tmp_path / "shelf" / "shelf.sqlite"
    data = bytearray(file.read_bytes())
    data[(first - 1) * size : first * size] = np.random.default_rng(0).bytes(size)
    file.write_bytes(bytes(data))
    with closing(EmbeddedStore(tmp_path / "shelf")) as reader:
        assert reader.count().products == 20
        with pytest.raises(ShelfError, match="restore it from a backup, or index the feed"):
            reader.descriptions(range(100))


def test_a_commit_that_fails_leaves_no_description(
    make_store: MakeStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, reference = make_store(), ReferenceStore()
    records = described(["a", "b"], 0)
    store.upsert(records, run=1)
    reference.upsert(records)
    bad = record("c", picture("c", random_unit(np.random.default_rng(1), 2), descriptions=[b"1"]))
    with pytest.raises(ValueError, match="expected one for each of 2 regions, got 1"):
        store.upsert([*described(["a", "d"], 2), bad], run=1)
    check(store, reference)
    with store._connections.reading() as db:
        assert db.execute("SELECT count(*) FROM description").fetchone() == (4,)
