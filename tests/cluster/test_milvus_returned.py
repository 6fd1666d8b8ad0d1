"""Rows that come back: a killed server may have forgotten deletions that it had written away."""

from collections.abc import Collection, Sequence
from contextlib import closing
from typing import Any

import numpy as np
import pytest
from reference_store import ReferenceStore, random_records
from test_milvus_states import check_all

from snapshelf.errors import ShelfError
from snapshelf.store.milvus import MilvusStore, completeness, removals, states, writing
from snapshelf.store.milvus.connection import Connection
from snapshelf.store.milvus.embedding_rows import EMBEDDING_FIELDS
from snapshelf.store.milvus.head import Head
from snapshelf.store.milvus.product_rows import PRODUCT_FIELDS
from snapshelf.store.milvus.schema import FILTER_FIELDS

pytestmark = pytest.mark.cluster

FIELDS = {
    "embeddings": (*EMBEDDING_FIELDS, *FILTER_FIELDS, "added", "content_number"),
    "products": (*PRODUCT_FIELDS, *FILTER_FIELDS, "bare", "category", "id_key", "vector"),
}
KEYS = {"embeddings": "product", "products": "owner"}

Rows = dict[str, list[dict[str, Any]]]


def name_of(head: Head, what: str) -> str:
    return head.embeddings if what == "embeddings" else head.products


def rows_of(store: MilvusStore, numbers: Collection[int]) -> Rows:
    """Read all rows that there are of some products, as Milvus has them."""
    connection, head = store._connection, store._states.latest()
    found = {}
    for what, fields in FIELDS.items():
        extra = " and part >= 0" if what == "products" else ""
        expression = f"{KEYS[what]} in {sorted(numbers)}{extra}"
        found[what] = connection.query(name_of(head, what), expression, fields, connection.now())
    return found


def bring_back(place, rows: Rows, which: Sequence[str]) -> None:
    """Do what a killed server does that has forgotten deletions."""
    with closing(Connection(place.address)) as connection, closing(place.open()) as reader:
        head = reader._states.latest()
        for what in which:
            name = name_of(head, what)
            connection.insert(name, rows[what], 100_000)
            numbers = sorted({int(row[KEYS[what]]) for row in rows[what]})
            # Rows are there for everybody once they are counted as of now.
            wanted = f"{KEYS[what]} in {numbers} and {'part >= 0' if what == 'products' else ''}"
            connection.count(name, wanted.removesuffix(" and "), connection.now())


@pytest.fixture
def world(place, monkeypatch: pytest.MonkeyPatch):
    """A writer, what its shelf holds, and the rows of what it has replaced, removed and settled."""
    monkeypatch.setattr(writing, "MOST_NAMED", 2)
    monkeypatch.setattr(removals, "TOKENS", 3)
    monkeypatch.setattr(completeness, "FRESH_S", 0.0)
    monkeypatch.setattr(states, "PATIENCE_S", 0.3)
    rng, reference = np.random.default_rng(0), ReferenceStore()
    writer = place.open(write=True)
    for batch in (
        random_records(rng, [f"p{n}" for n in range(12)]),
        random_records(rng, ["q1", "q2"]),
    ):
        writer.upsert(batch, run=1)
        reference.upsert(batch)
    gone = [f"p{n}" for n in range(8)]
    from snapshelf.store.milvus.reading import read_products

    stored = read_products(writer._connection, writer._states.latest(), gone)
    rows = rows_of(writer, [one.number for one in stored.values()])
    assert {len(rows[what]) >= 8 for what in FIELDS} == {True}
    writer.delete(gone[:4])
    reference.delete(gone[:4])
    again = random_records(rng, gone[4:], salt="-again")
    writer.upsert(again, run=1)
    reference.upsert(again)
    writer._upkeep.writer.tidy()
    assert writer._states.latest().dead == (), "the head names none of them any more"
    check_all(writer, reference)
    return writer, reference, rows


def check_pages(store: MilvusStore, reference: ReferenceStore) -> None:
    """Assert that a store lists and groups just what the reference holds."""
    ids = sorted(reference.records)
    assert [product.id for product in store.listed(limit=100)] == ids
    assert store.facets(3).products == len(ids)
    copied, after = [], 0
    while (page := store.records(after=after)).last:
        copied += [one.product.id for one in page.records]
        after = page.last
    assert sorted(copied) == ids


@pytest.mark.parametrize(
    "which", [("embeddings", "products"), ("embeddings",), ("products",)], ids="+".join
)
def test_what_comes_back_is_left_out_and_deleted_by_the_next_writer(world, place, which) -> None:
    writer, reference, rows = world
    reader = place.open()
    check_all(reader, reference)
    bring_back(place, rows, which)
    there = rows_of(reader, {int(row["owner"]) for row in rows["products"]})
    assert [bool(there[what]) for what in FIELDS] == [what in which for what in FIELDS]
    for store in (reader, place.open(), writer):
        check_all(store, reference)
        check_pages(store, reference)
    # The head is as it was: neither a reader nor a writer that reads only has changed it.
    assert place.open()._states.latest().dead == ()
    batch = random_records(np.random.default_rng(1), ["p9", "p1", "q3"], salt="-more")
    writer.upsert(batch, run=1)
    reference.upsert(batch)
    for store in (reader, place.open(), writer):
        assert store._states.latest().dead != ()
        check_all(store, reference)
        check_pages(store, reference)
    writer.close()
    after = place.open()
    assert after._states.latest().dead == ()
    assert rows_of(after, {int(row["owner"]) for row in rows["products"]}) == {
        "embeddings": [],
        "products": [],
    }
    for store in (reader, after):
        check_all(store, reference)
        check_pages(store, reference)


def test_a_writer_that_opens_deletes_what_has_come_back(world, place) -> None:
    writer, reference, rows = world
    writer.close()
    bring_back(place, rows, list(FIELDS))
    second = place.open(write=True)
    assert rows_of(second, {int(row["owner"]) for row in rows["products"]}) == {
        "embeddings": [],
        "products": [],
    }
    check_all(second, reference)


def test_what_comes_back_twice_is_left_out_twice(world, place) -> None:
    writer, reference, rows = world
    reader = place.open()
    for turn in range(2):
        bring_back(place, rows, list(FIELDS))
        check_all(reader, reference, turn)
        writer.note("turn", str(turn))
        writer._upkeep.writer.tidy()
        check_all(reader, reference, turn)
        assert writer._states.latest().dead == ()


def test_a_note_is_kept_for_a_day(world, place, monkeypatch: pytest.MonkeyPatch) -> None:
    writer, _, rows = world
    connection, head = writer._connection, writer._states.latest()
    noted = [number for note in removals.removed_lately(connection, head) for number in note]
    assert {int(row["owner"]) for row in rows["products"]} <= set(noted)
    latest = next(removals.removed_lately(connection, head))
    assert 0 < len(latest) <= 3
    monkeypatch.setattr(removals, "KEPT_S", -10)
    removals.note_removals(connection, writer._upkeep.lease, [])
    assert list(removals.removed_lately(connection, head)) != []
    removals.note_removals(connection, writer._upkeep.lease, [1])
    connection.count(head.products, "part == -2", connection.now())
    assert list(removals.removed_lately(connection, head)) == []
    bring_back(place, rows, list(FIELDS))
    with pytest.raises(ShelfError, match=r"has \d+ of \d+ embeddings .* restore it from a backup"):
        place.open().search(np.eye(1, writer.dimension, dtype=np.float32), 5)


def test_more_rows_than_the_removals_account_for_are_refused(world, place) -> None:
    writer, _, rows = world
    strange = [
        {**row, "number": 10**9 + n, "owner": 10**9 + n} for n, row in enumerate(rows["products"])
    ]
    bring_back(place, {**rows, "products": strange}, list(FIELDS))
    with pytest.raises(ShelfError, match="at hand"):
        place.open().count()
    with pytest.raises(ShelfError, match="at hand"):
        writer.note("a", "b")
