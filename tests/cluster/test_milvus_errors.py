"""What goes wrong with a shelf in Milvus is told clearly, and nothing is lost by it."""

import socket
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
from reference_store import DIMENSION, ReferenceStore, picture, random_records, random_unit, record

from snapshelf.errors import ShelfError
from snapshelf.store import Counts, open_store, shelf_place
from snapshelf.store.milvus import MilvusAddress, MilvusStore, states
from snapshelf.store.milvus.address import parse_milvus_address
from snapshelf.store.milvus.connection import Connection
from snapshelf.store.milvus.head import Head, read_head, write_head
from snapshelf.store.milvus.lease import find_head
from snapshelf.store.milvus.schema import create_head
from snapshelf.store.milvus.visibility import visible

VECTOR = np.eye(DIMENSION, dtype=np.float32)[0]

BAD_ADDRESSES = {
    "milvus://": "names no host and port",
    "milvus:///shop": "names no host and port",
    "milvus://host": "the shelf's name '' must be letters",
    "milvus://host:99999/shop": "Port out of range",
    "milvus://host:x/shop": "Port could not be cast",
    "milvus://host/9shop": "not begin with a digit",
    "milvus://host/a-b": "must be letters, digits and _",
    "milvus://host/a/b": "must be letters, digits and _",
    "milvus://host/" + "x" * 101: "at most 100",
    "milvus://host/'; drop": "must be letters, digits and _",
    "milvus://user:secret@host/shop": "set SNAPSHELF_MILVUS_TOKEN",
    "milvus://host/shop?index=best": "index must be one of auto, flat, hnsw, ivf_sq8, diskann",
    "milvus://host/shop?replicas=0": "replicas must be a number from 1",
    "milvus://host/shop?shards=17": "shards must be a number from 1 to 16",
    "milvus://host/shop?colour=red": "there is no setting 'colour'",
    "milvus://host/shop?secure=no": "give it without a value",
    "milvus://host/shop#part": "#part has no meaning",
    "milvus://[::1/shop": "Invalid IPv6",
}


@pytest.mark.parametrize("text", BAD_ADDRESSES)
def test_a_bad_address_says_what_is_wrong(text: str) -> None:
    with pytest.raises(ShelfError) as caught:
        shelf_place(text)
    assert BAD_ADDRESSES[text] in str(caught.value)
    assert "secret" not in str(caught.value)


def test_good_addresses() -> None:
    assert parse_milvus_address("milvus://h/s") == MilvusAddress("h", 19530, "s")
    full = parse_milvus_address(
        "milvuss://[::1]:1/s?index=hnsw&replicas=2&shards=4&partitions=16&features=s3://b/c"
    )
    assert full == MilvusAddress("::1", 1, "s", True, "", "hnsw", 4, 16, 2, "s3://b/c")
    assert full.url == "https://[::1]:1"
    assert str(full) == "milvuss://[::1]:1/s"
    assert parse_milvus_address("milvus://h/s?secure").secure
    assert shelf_place("a/milvus://b") == Path("a/milvus://b")


def test_a_head_comes_back() -> None:
    head = Head("id", 3, "l2", "e", "p", "hnsw", version=9, dead=(3, 10**15, 5), notes={"ä": '"'})
    head = head.with_gap(4, 6, 1).with_gap(7, 8, 2).with_gap(20, 20, 3).with_gap(5, 4, 4)
    back = read_head(write_head(head))
    assert back.dead == (3, 5, 10**15)
    assert [(gap.first, gap.last) for gap in back.gaps] == [(4, 8), (20, 20)]
    assert write_head(back) == write_head(head)
    assert visible(back, product="x").count("added") == 5
    for damaged in ("", "{}", "[1]", write_head(head)[:-9], write_head(head).replace("l2", "l7")):
        with pytest.raises(ShelfError, match="the shelf is damaged"):
            read_head(damaged)
    with pytest.raises(ShelfError, match="has cluster format 3, this snapshelf reads format 2"):
        read_head(write_head(head).replace('"format":2', '"format":3'))
    with pytest.raises(ShelfError, match="note less"):
        write_head(Head("id", 3, "l2", "e", "p", "flat", notes={"a": "x" * 500_000}))


@pytest.mark.cluster
def test_a_server_that_is_away_at_the_start() -> None:
    pytest.importorskip("pymilvus")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"milvus://127.0.0.1:{taken.getsockname()[1]}/shop"
        with pytest.raises(ShelfError, match=r"cannot connect.*is the server running"):
            open_store(address)


@pytest.mark.cluster
def test_a_wrong_password(place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SNAPSHELF_MILVUS_TOKEN", "root:wrong")
    with pytest.raises(ShelfError, match="does SNAPSHELF_MILVUS_TOKEN hold the right") as caught:
        place.open()
    assert "wrong" not in str(caught.value)


@pytest.mark.cluster
def test_no_shelf_and_something_else_of_its_name(place, milvus_server) -> None:
    other = parse_milvus_address(f"{milvus_server.address}other")
    with pytest.raises(ShelfError, match=r"there is no shelf .*/other: make one with"):
        MilvusStore(other)
    with closing(Connection(place.address)) as connection:
        create_head(connection, "other")
        for call in (
            lambda: MilvusStore(other),
            lambda: MilvusStore(other, write=True),
            lambda: MilvusStore.exists(other),
            lambda: MilvusStore.create(other, dimension=3, properties={}),
            lambda: MilvusStore.drop(other),
        ):
            with pytest.raises(ShelfError, match="has a collection 'other' that is no shelf"):
                call()
        assert connection.describe("other") is not None
        connection.drop("other")
        before = set(connection.collections())
        with pytest.raises(ShelfError, match=r"there is a shelf .* already"):
            MilvusStore.create(place.address, dimension=3, properties={})
        with pytest.raises(ShelfError, match="which Milvus does not"):
            MilvusStore.create(other, dimension=3, properties={}, distance="l1")
        assert set(connection.collections()) == before


@pytest.mark.cluster
def test_a_shelf_that_is_removed_while_it_is_open(milvus_server) -> None:
    address = parse_milvus_address(f"{milvus_server.address}brief")
    MilvusStore.create(address, dimension=DIMENSION, properties={"a": "b"})
    with closing(MilvusStore(address)) as reader:
        assert reader.properties["a"] == "b"
        MilvusStore.drop(address)
        with pytest.raises(ShelfError, match="there is no shelf"):
            reader.search(VECTOR[None], 1)
    with closing(Connection(address)) as connection:
        assert not [name for name in connection.collections() if name.startswith("brief")]


@pytest.mark.cluster
def test_descriptions_without_a_place_missing_or_damaged(place, tmp_path: Path) -> None:
    bare = MilvusAddress(place.address.host, place.address.port, place.address.name)
    large, small = b"x" * 2_000, b"y" * 100
    two = np.stack([VECTOR, -VECTOR])
    with closing(MilvusStore(bare, write=True)) as writer:
        with pytest.raises(ShelfError, match=r"takes 2,000 bytes.*set SNAPSHELF_FEATURES"):
            writer.upsert([record("a", picture("a", two, descriptions=[small, large]))], run=1)
        assert writer.count() == Counts(0, 0, 0)
        writer.upsert([record("b", picture("b", VECTOR, descriptions=[small]))], run=1)
        assert not list(Path(urlsplit(place.address.features).path).glob("*/*"))
    writer = place.open(write=True)
    writer.upsert([record("a", picture("a", two, descriptions=[small, large]))], run=1)
    writer.upsert([record("c", picture("c", None, content="content of a"))], run=1)
    regions = [
        hit.region for query in (VECTOR, -VECTOR) for hit in writer.search(query[None], 9)[0]
    ]
    assert sorted(set(writer.descriptions(regions).values())) == [large, small]
    folder = Path(urlsplit(place.address.features).path) / writer.properties["shelf"]
    (file,) = folder.iterdir()
    file.write_bytes(b"z" * 2_000)
    with pytest.raises(ShelfError, match="is damaged: restore it from a backup"):
        writer.descriptions(regions)
    file.rename(tmp_path / "away")
    with pytest.raises(ShelfError, match="is missing: was the place"):
        place.open().descriptions(regions)
    (tmp_path / "away").rename(file)
    # The file goes with the last row that names it, at the end of a run.
    writer.delete(["a"])
    writer.end_run(run=writer.begin_run("feed"))
    assert file.exists()
    writer.delete(["c"])
    writer.end_run(run=writer.begin_run("feed"))
    assert not file.exists()


@pytest.mark.cluster
def test_rows_that_are_missing_are_not_passed_over(place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(states, "PATIENCE_S", 0.2)
    writer = place.open(write=True)
    writer.upsert([record(n, picture(n, VECTOR)) for n in "abc"], run=1)
    (hits,) = writer.search(VECTOR[None], 9)
    with closing(Connection(place.address)) as connection:
        found = find_head(connection, place.address)
        assert found is not None
        connection.delete(found[1].embeddings, "region", [hits[0].region])
        assert connection.count(found[1].embeddings, "added >= 0", connection.now()) >= 2
    with (
        closing(MilvusStore(place.address)) as reader,
        pytest.raises(ShelfError, match="2 of 3 embeddings and 3 of 3 products at hand"),
    ):
        reader.search(VECTOR[None], 9)


@pytest.mark.cluster
def test_a_full_disk_loses_nothing(place, milvus_server) -> None:
    rng, reference = np.random.default_rng(0), ReferenceStore()
    writer = place.open(write=True)
    first = random_records(rng, [f"p{n}" for n in range(20)])
    writer.upsert(first, run=1)
    reference.upsert(first)
    milvus_server.fill()
    stored = 0
    try:
        for turn in range(300):
            vectors = random_unit(rng, 40)
            batch = [
                record(f"q{turn}-{n}", picture(f"q{turn}-{n}" + "x" * 2_000, v))
                for n, v in enumerate(vectors)
            ]
            writer.upsert(batch, run=1)
            reference.upsert(batch)
            stored += 1
    except ShelfError as error:
        message = str(error)
        assert "make room" in message or "once it answers" in message, message
    finally:
        milvus_server.free()
    assert stored < 300, "the disk was not full"
    milvus_server.start()
    with closing(MilvusStore(place.address)) as reader:
        (query,) = random_unit(rng, 1)
        (hits,) = reader.search(query[None], 5)
        reference.check(hits, query, 5)
        assert reader.count().products == len(reference.records)
    writer.close()
    again = place.open(write=True)
    again.upsert([record("after", picture("after", VECTOR))], run=2)
    assert again.count().products == len(reference.records) + 1
