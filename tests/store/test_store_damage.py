"""Shelves that are missing, damaged, foreign, or on a disk that is full or read-only."""

import contextlib
import os
import resource
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from reference_store import DIMENSION, ReferenceStore, random_records, random_unit

from snapshelf.errors import ShelfError, ShelfLockedError
from snapshelf.store import EmbeddedStore, refreshing
from snapshelf.store.schema import APPLICATION_ID

MakeStore = Callable[..., EmbeddedStore]


def _missing(folder: Path) -> None:
    shutil.rmtree(folder)


def _empty_folder(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.mkdir()


def _is_a_file(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.write_text("no folder")


def _database_is_a_folder(folder: Path) -> None:
    (folder / "shelf.sqlite").unlink()
    (folder / "shelf.sqlite").mkdir()


def _text(folder: Path) -> None:
    (folder / "shelf.sqlite").write_text("id,title,image\n" * 1_000)


def _empty_file(folder: Path) -> None:
    os.truncate(folder / "shelf.sqlite", 0)


def _short(folder: Path) -> None:
    os.truncate(folder / "shelf.sqlite", 10_000)


def _header_only(folder: Path) -> None:
    os.truncate(folder / "shelf.sqlite", 100)


def _garbled(folder: Path) -> None:
    file = folder / "shelf.sqlite"
    data = bytearray(file.read_bytes())
    data[4_000:] = np.random.default_rng(0).bytes(len(data) - 4_000)
    file.write_bytes(bytes(data))


def _sql(*statements: str) -> Callable[[Path], None]:
    def apply(folder: Path) -> None:
        with closing(sqlite3.connect(folder / "shelf.sqlite")) as db, db:
            for statement in statements:
                db.execute(statement)

    apply.__name__ = statements[0]
    return apply


def _other_database(folder: Path) -> None:
    (folder / "shelf.sqlite").unlink()
    with closing(sqlite3.connect(folder / "shelf.sqlite")) as db, db:
        db.execute("CREATE TABLE meta (name, value)")


DAMAGES = [
    (_missing, "there is no shelf in"),
    (_empty_folder, "make one with `snapshelf index FEED --shelf"),
    (_is_a_file, "there is no shelf in"),
    (_database_is_a_folder, "there is no shelf in"),
    (_text, "file is not a database (SQLITE_NOTADB); it is no shelf: give the folder"),
    (_empty_file, "it is an SQLite database of something else"),
    (_other_database, "it is an SQLite database of something else; give the folder"),
    (_sql("PRAGMA application_id = 7"), "it is an SQLite database of something else"),
    (_sql("PRAGMA user_version = 99"), "has shelf format 99, this snapshelf reads format 1"),
    (_sql("DELETE FROM meta WHERE name = 'shelf'"), "the shelf is damaged: it does not tell its"),
    (_sql("DELETE FROM meta WHERE name = 'dimension'"), "does not tell its dimension"),
    (
        _sql("UPDATE meta SET value = 'l3' WHERE name = 'distance'"),
        "another version of snapshelf: distance must be one of cosine, l1, l2, got 'l3'",
    ),
    (_sql("DROP TABLE meta"), "restore it from a backup, or index the feed into a new shelf"),
    (_short, "restore it from a backup, or index the feed into a new shelf"),
    (_header_only, "restore it from a backup, or index the feed into a new shelf"),
    (_garbled, "restore it from a backup, or index the feed into a new shelf"),
]


@pytest.mark.parametrize(
    ("damage", "fragment"), DAMAGES, ids=[d.__name__.strip("_") for d, _ in DAMAGES]
)
def test_a_damaged_shelf_says_what_is_wrong(
    make_store: MakeStore, tmp_path: Path, damage: Callable[[Path], None], fragment: str
) -> None:
    store = make_store()
    records = random_records(np.random.default_rng(0), [f"p{n}" for n in range(50)])
    store.upsert(records, run=1)
    store.close()
    damage(tmp_path / "shelf")
    for write in (False, True):
        with pytest.raises(ShelfError) as caught:
            _use(tmp_path / "shelf", write)
        assert fragment in str(caught.value)
        assert "shelf" in str(caught.value)


def _use(folder: Path, write: bool) -> None:
    with closing(EmbeddedStore(folder, write=write)) as store:
        store.search(random_unit(np.random.default_rng(0), 1), 5)
        store.products([f"p{n}" for n in range(50)])
        store.known([f"p{n}" for n in range(50)])
        store.count()


def test_a_failed_opening_frees_the_lock(make_store: MakeStore, tmp_path: Path) -> None:
    make_store().close()
    file = tmp_path / "shelf" / "shelf.sqlite"
    whole = file.read_bytes()
    _text(tmp_path / "shelf")
    with pytest.raises(ShelfError):
        EmbeddedStore(tmp_path / "shelf", write=True)
    file.write_bytes(whole)
    make_store().close()


# --- making -------------------------------------------------------------------------------


def test_creating_over_something_is_refused(tmp_path: Path) -> None:
    create = EmbeddedStore.create
    create(tmp_path / "a", dimension=4, properties={})
    with pytest.raises(ShelfError, match=r"there is a shelf in .* already"):
        create(tmp_path / "a", dimension=4, properties={})
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "thesis.txt").touch()
    with pytest.raises(ShelfError, match=r"b is not empty \(thesis\.txt\): give a new or empty"):
        create(tmp_path / "b", dimension=4, properties={})
    with pytest.raises(ShelfError, match="cannot be made: Not a directory; give another path"):
        create(tmp_path / "b" / "thesis.txt" / "c", dimension=4, properties={})
    with pytest.raises(ShelfError, match="cannot be made: File exists; give another path"):
        create(tmp_path / "b" / "thesis.txt", dimension=4, properties={})
    with pytest.raises(ValueError, match="dimension must be at least 1, got 0"):
        create(tmp_path / "d", dimension=0, properties={})
    with pytest.raises(ValueError, match="distance must be one of cosine, l1, l2, got 'l3'"):
        create(tmp_path / "d", dimension=4, properties={}, distance="l3")
    for name in ("version", "dimension", "distance", "shelf", "index_version"):
        with pytest.raises(ValueError, match=f"'{name}' is kept by the store"):
            create(tmp_path / "d", dimension=4, properties={name: "7"})
    assert not (tmp_path / "d").exists()


def test_the_stores_own_properties_cannot_be_noted(make_store: MakeStore) -> None:
    store = make_store()
    with pytest.raises(ValueError, match="'version' is kept by the store, give another name"):
        store.note("version", "7")


def test_a_killed_creation_leaves_nothing_in_the_way(tmp_path: Path) -> None:
    folder = tmp_path / "shelf"
    folder.mkdir()
    (folder / "shelf.building").write_bytes(b"half")
    (folder / "shelf.building-wal").write_bytes(b"half" * 1_000)
    (folder / "writer.lock").touch()
    assert not EmbeddedStore.exists(folder)
    EmbeddedStore.create(folder, dimension=DIMENSION, properties={"a": "b"})
    with closing(EmbeddedStore(folder)) as store:
        assert store.properties["a"] == "b"
        assert store.count().products == 0


def test_creating_while_another_creates(tmp_path: Path) -> None:
    from filelock import FileLock

    (tmp_path / "shelf").mkdir()
    with (
        FileLock(tmp_path / "shelf" / "writer.lock"),
        pytest.raises(ShelfLockedError, match="another process is making a shelf"),
    ):
        EmbeddedStore.create(tmp_path / "shelf", dimension=4, properties={})


def test_the_database_tells_what_it_is(make_store: MakeStore, tmp_path: Path) -> None:
    make_store().close()
    with closing(sqlite3.connect(tmp_path / "shelf" / "shelf.sqlite")) as db:
        assert db.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)
        assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert db.execute("PRAGMA foreign_key_check").fetchall() == []


# --- disks --------------------------------------------------------------------------------


@contextlib.contextmanager
def small_disk(place: Path, size: str) -> Iterator[Path]:
    """A file system of its own; skips where mounting is not permitted."""
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place)]
    try:
        subprocess.run(mount, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"mounting is not permitted here: {error}")
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


@contextlib.contextmanager
def small_files(limit: int) -> Iterator[None]:
    """No file may grow beyond a limit, as on a disk with a quota."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def _fill_up(filler: Path) -> None:
    with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4_096))


def _stocked(folder: Path) -> tuple[EmbeddedStore, ReferenceStore]:
    EmbeddedStore.create(folder, dimension=DIMENSION, properties={})
    store, reference = EmbeddedStore(folder, write=True), ReferenceStore()
    records = random_records(np.random.default_rng(1), [f"p{n}" for n in range(30)])
    store.upsert(records, run=1)
    reference.upsert(records)
    return store, reference


def _check(store: EmbeddedStore, reference: ReferenceStore) -> None:
    queries = random_unit(np.random.default_rng(2), 3)
    for query, hits in zip(queries, store.search(queries, 1_000), strict=True):
        reference.check(hits, query, 1_000)


def test_a_full_disk_leaves_the_shelf_as_it_was(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "2m") as disk:
        store, reference = _stocked(disk / "shelf")
        rng = np.random.default_rng(3)

        def fill() -> None:
            for turn in range(1_000):
                batch = random_records(rng, [f"q{turn}-{n}" for n in range(40)])
                store.upsert(batch, run=1)
                reference.upsert(batch)

        with pytest.raises(ShelfError, match="the disk is full: make room and run the same"):
            fill()
        _check(store, reference)
        store.close()
        with closing(EmbeddedStore(disk / "shelf")) as reader:
            _check(reader, reference)


def test_a_full_disk_can_be_cleared_and_the_work_goes_on(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "2m") as disk:
        store, reference = _stocked(disk / "shelf")
        filler = disk / "filler"
        _fill_up(filler)
        records = random_records(np.random.default_rng(4), [f"q{n}" for n in range(200)])
        with pytest.raises(ShelfError, match="the disk is full"):
            store.upsert(records, run=1)
        _check(store, reference)
        filler.unlink()
        store.upsert(records, run=1)
        reference.upsert(records)
        _check(store, reference)
        store.close()


@pytest.mark.parametrize("room", [8_192, 16_384, 20_000, 32_768])
def test_an_index_that_does_not_fit_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room: int
) -> None:
    monkeypatch.setattr(refreshing, "STALE_FROM", 0)
    with small_disk(tmp_path / "disk", "3m") as disk:
        EmbeddedStore.create(disk / "shelf", dimension=DIMENSION, properties={})
        store, reference = EmbeddedStore(disk / "shelf", write=True), ReferenceStore()
        records = random_records(np.random.default_rng(5), [f"p{n}" for n in range(400)])
        store.upsert(records, run=1)
        reference.upsert(records)
        number = store.begin_run("feed")
        filler = disk / "filler"
        _fill_up(filler)
        os.truncate(filler, filler.stat().st_size - room)
        with pytest.raises(ShelfError, match="room"):
            store.end_run(run=number)
        _check(store, reference)
        left = list((disk / "shelf" / "index").iterdir())
        assert left == [], "what is half-built keeps the disk full"
        filler.unlink()
        store.end_run(run=number)
        assert store.properties["index_version"] == store.properties["version"]
        _check(store, reference)
        store.close()


def test_a_quota_leaves_the_shelf_as_it_was(tmp_path: Path) -> None:
    store, reference = _stocked(tmp_path / "shelf")
    records = random_records(np.random.default_rng(6), [f"q{n}" for n in range(2_000)])
    with (
        small_files(400_000),
        pytest.raises(ShelfError, match="check the disk and how much room it has"),
    ):
        store.upsert(records, run=1)
    _check(store, reference)
    store.upsert(records[:10], run=1)
    reference.upsert(records[:10])
    _check(store, reference)
    store.close()


def test_a_read_only_disk(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "4m") as disk:
        store, _ = _stocked(disk / "shelf")
        store.close()
        (disk / "empty").mkdir()
        remount = ["mount", "-o", "remount,ro", str(disk)]
        subprocess.run(remount, check=True, capture_output=True)
        with pytest.raises(ShelfError, match="cannot be written: Read-only file system"):
            EmbeddedStore(disk / "shelf", write=True)
        with pytest.raises(ShelfError, match="check the path and its permissions"):
            EmbeddedStore(disk / "shelf")
        with pytest.raises(ShelfError, match="cannot be written: Read-only file system; give"):
            EmbeddedStore.create(disk / "empty", dimension=4, properties={})
        with pytest.raises(ShelfError, match="cannot be made: Read-only file system; give"):
            EmbeddedStore.create(disk / "new", dimension=4, properties={})


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_one_may_not_write_to(tmp_path: Path) -> None:
    store, _ = _stocked(tmp_path / "shelf")
    store.close()
    (tmp_path / "shelf").chmod(0o555)
    try:
        with pytest.raises(ShelfError, match="cannot be written: Permission denied"):
            EmbeddedStore(tmp_path / "shelf", write=True)
    finally:
        (tmp_path / "shelf").chmod(0o755)
