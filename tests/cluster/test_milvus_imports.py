"""A collection built anew through files that Milvus imports: all of it, or the old one stays."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from reference_store import ReferenceStore, random_records, random_unit
from test_milvus_returned import check_pages, rows_of
from test_milvus_states import abandon, check_all

from snapshelf.errors import ShelfError
from snapshelf.store import parse_filter
from snapshelf.store.milvus import MilvusStore, imports, lease, paging, rebuilding
from snapshelf.store.milvus.address import parse_milvus_address
from snapshelf.store.milvus.connection import Connection

pytestmark = pytest.mark.cluster


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for imports; every collection is imported, however small, in several files."""
    monkeypatch.setattr(rebuilding, "IMPORT_FROM", 1)
    monkeypatch.setattr(imports, "FILE_BYTES", 1)
    monkeypatch.setattr(imports, "IN_FLIGHT", 1)
    monkeypatch.setattr(paging, "ANSWER_BYTES", 60_000)
    return tmp_path / "imports"


@pytest.fixture
def opened(place, files: Path) -> Iterator[list[MilvusStore]]:
    """Stores that are closed in the end."""
    stores: list[MilvusStore] = []
    yield stores
    for store in stores:
        store.close()


def filled(store: MilvusStore) -> ReferenceStore:
    reference = ReferenceStore()
    records = random_records(np.random.default_rng(0), [f"p{n}" for n in range(40)])
    store.upsert(records, run=1)
    reference.upsert(records)
    assert store.delete(["p3", "p4"]) == 2
    reference.delete(["p3", "p4"])
    return reference


def numbers_in(store: MilvusStore) -> list[int]:
    head = store._states.latest()
    blocks = paging.every_row(store._connection, head, head.embeddings, "region", "", ("product",))
    return sorted({int(row["product"]) for rows in blocks for row in rows})


@pytest.mark.parametrize("partitions", [1, 3])
def test_an_imported_collection_holds_the_same_rows(place, files, opened, partitions) -> None:
    address = replace(place.address, imports=files.as_uri(), partitions=partitions)
    writer, reader = MilvusStore(address, write=True), place.open()
    opened.append(writer)
    reference = filled(writer)
    check_all(reader, reference)
    numbers = numbers_in(writer)
    before = rows_of(writer, numbers)["embeddings"]
    old, written = writer._states.latest().embeddings, []
    write = imports.Imports._write

    def noted(self, path, table):
        write(self, path, table)
        written.append(Path(path).stat().st_size)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(imports.Imports, "_write", noted)
        writer.rebuild("flat")
    assert len(written) > imports.IN_FLIGHT
    assert min(written) > 0
    assert writer._states.latest().embeddings != old
    assert list(files.iterdir()) == []
    after = rows_of(writer, numbers)["embeddings"]
    assert len(before) == len(after) == reader.count().embeddings > 40
    for ours, theirs in zip(
        *(sorted(r, key=lambda row: row["region"]) for r in (before, after)), strict=True
    ):
        assert {**ours, "vector": list(ours["vector"])} == {
            **theirs,
            "vector": list(theirs["vector"]),
        }
    for store in (writer, reader):
        check_all(store, reference)
        check_pages(store, reference)
    query = random_unit(np.random.default_rng(3), 1)
    where = parse_filter("category=Shoes")
    (hits,) = reader.search(query, 100, where)
    reference.check(hits, query[0], 100, where)
    # Imported rows are replaced and deleted as inserted ones are.
    changed = random_records(np.random.default_rng(1), ["p1", "p2", "q"], salt="-more")
    writer.upsert(changed, run=1)
    reference.upsert(changed)
    assert writer.delete(["p5"]) == reference.delete(["p5"]) == 1
    for store in (writer, reader, place.open()):
        check_all(store, reference)
    assert len(numbers_in(writer)) == len(reference.records)


def test_a_place_that_the_server_does_not_reach_changes_nothing(place, opened) -> None:
    address = replace(place.address, imports="memory://bucket/imports")
    writer = MilvusStore(address, write=True)
    opened.append(writer)
    reference = filled(writer)
    head = writer._states.latest()
    held = set(writer._connection.collections())
    with pytest.raises(
        ShelfError, match=r"imports/.*-0\.parquet cannot be imported: .*SNAPSHELF_IMPORTS"
    ):
        writer.rebuild("flat")
    assert writer._states.latest().embeddings == head.embeddings
    assert set(writer._connection.collections()) == held
    check_all(writer, reference)
    check_all(place.open(), reference)


def test_a_server_killed_while_it_imports_leaves_the_old_collection(
    place, files, opened, milvus_server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SNAPSHELF_IMPORTS", files.as_uri())
    writer = MilvusStore(place.address, write=True)
    opened.append(writer)
    reference = filled(writer)
    finish, killed = imports.Imports._finish, []

    def kill(self, task, path):
        if not killed:
            killed.append(path)
            milvus_server.kill()
            milvus_server.start()
        finish(self, task, path)

    with monkeypatch.context() as patch:
        patch.setattr(imports.Imports, "_finish", kill)
        with pytest.raises(ShelfError):
            writer.rebuild("flat")
    assert len(killed) == 1
    check_all(place.open(), reference)
    check_all(writer, reference)
    writer.rebuild("flat")
    check_all(place.open(), reference)
    assert list(files.iterdir()) == []


def test_what_a_killed_writer_left_of_an_import_goes_with_the_next(
    place, files, opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = replace(place.address, imports=files.as_uri())
    writer = MilvusStore(address, write=True)
    reference = filled(writer)
    left = []

    class Killed(BaseException):
        pass

    def kill(self, task, path):
        left.append(path)
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(imports.Imports, "_finish", kill)
        patch.setattr(imports.Imports, "clear", lambda self, name: None)
        with pytest.raises(Killed):
            writer.rebuild("flat")
    abandon(writer)
    assert Path(left[0]).exists()
    orphan = Path(left[0]).name.rpartition("-")[0]
    strange = files / "strange-0.parquet"
    strange.write_bytes(b"of somebody else")
    check_all(place.open(), reference)
    monkeypatch.setattr(lease._Holder, "is_dead", True)
    second = MilvusStore(address, write=True)
    opened.append(second)
    assert list(files.iterdir()) == [strange]
    assert orphan not in second._connection.collections()
    check_all(second, reference)


def test_a_place_that_is_none_is_refused(place) -> None:
    address = replace(place.address, imports="nowhere://bucket/folder")
    with (
        closing(Connection(place.address)) as connection,
        pytest.raises(ShelfError, match=r"cannot be used for imports: .*rows are inserted"),
    ):
        imports.open_imports(connection, address)


def test_an_address_names_the_place() -> None:
    address = parse_milvus_address("milvus://localhost/shop?imports=file:///mnt/shared")
    assert address.imports == "file:///mnt/shared"
