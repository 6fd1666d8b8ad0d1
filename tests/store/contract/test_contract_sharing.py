"""A shelf opened several times at once, in every store."""

import numpy as np
import pytest
from reference_store import DIMENSION, ReferenceStore, picture, random_records, random_unit, record

from snapshelf.catalog import Price, Product
from snapshelf.errors import ShelfError, ShelfLockedError
from snapshelf.store import Counts, VectorStore, parse_filter

VECTOR = np.eye(DIMENSION, dtype=np.float32)[0]


def test_a_second_writer_is_told_who_writes(store: VectorStore, place) -> None:
    store.begin_run("the other feed")
    with pytest.raises(ShelfLockedError, match=r"indexing the other feed since 2.*wait for it"):
        place.open(write=True)
    store.upsert([record("a", picture("a", VECTOR))], run=1)
    store.close()
    second = place.open(write=True)
    second.upsert([record("b", picture("b", VECTOR))], run=1)
    assert second.count() == Counts(2, 2, 2)


def test_readers_see_each_commit_of_the_writer(store: VectorStore, place) -> None:
    rng = np.random.default_rng(0)
    reader, reference = place.open(), ReferenceStore()
    assert reader.count() == Counts(0, 0, 0)
    names = [f"p{n}" for n in range(12)]
    for turn in range(4):
        batch = random_records(rng, list(rng.permutation(names)[:6]), salt=f"-{turn}")
        store.upsert(batch, run=1)
        reference.upsert(batch)
        assert reader.version == store.version
        gone = list(rng.permutation(names)[:2])
        assert store.delete(gone) == reference.delete(gone)
        (query,) = random_unit(rng, 1)
        for where in (None, parse_filter("brand=acme"), parse_filter("price<50")):
            reference.check(reader.search(query[None], 100, where)[0], query, 100, where)
        assert set(reader.known(names)) == set(reference.records)
    store.note("colour", "blue")
    assert reader.properties["colour"] == "blue"


def test_a_reader_cannot_write(store: VectorStore, place) -> None:
    reader = place.open()
    for write in (
        lambda: reader.upsert([record("a", picture("a", VECTOR))], run=1),
        lambda: reader.delete(["a"]),
        lambda: reader.touch(["a"], run=1),
        lambda: reader.begin_run("feed"),
        lambda: reader.note("a", "b"),
    ):
        with pytest.raises(ShelfError, match=r"opened for searching only; open it with write=True"):
            write()


def test_a_closed_store_says_so(store: VectorStore, place) -> None:
    store.close()
    with pytest.raises(ValueError, match="is closed: open it again"):
        store.count()
    store.close()


def test_what_was_written_is_there_when_opened_again(store: VectorStore, place) -> None:
    rng = np.random.default_rng(1)
    reference = ReferenceStore()
    records = random_records(rng, [f"p{n}" for n in range(9)])
    run = store.begin_run("feed")
    store.upsert(records, run=run)
    reference.upsert(records)
    store.delete(["p3"])
    reference.delete(["p3"])
    store.end_run(run=run)
    before = (store.count(), store.last_run(), dict(store.properties), store.version)
    store.close()
    again = place.open(write=True)
    assert (again.count(), again.last_run(), dict(again.properties), again.version) == before
    (query,) = random_unit(rng, 1)
    (hits,) = again.search(query[None], 100)
    reference.check(hits, query, 100)
    reference.check_descriptions(hits, again.descriptions([hit.region for hit in hits]))
    assert again.begin_run("feed") > run


@pytest.mark.parametrize("main", [False, True])
def test_embeddings_come_in_one_order(store: VectorStore, place, main: bool) -> None:
    records = random_records(np.random.default_rng(2), [f"p{n}" for n in range(20)])
    store.upsert(records[:12], run=1)
    store.upsert(records[8:], run=1)
    rows, again = store.embeddings(main=main), place.open().embeddings(main=main)
    assert rows.product_ids == again.product_ids
    assert rows.images == again.images
    assert rows.contents == again.contents
    assert np.array_equal(rows.vectors, again.vectors)


HOSTILE = [
    Product(id="price", price=Price(10**300), images=("x",)),
    Product(id="a" * 256, title="\\\"'\n\x00\u2028" * 100, brand='" or 1 == 1 or brand == "'),
    Product(id="9" * 40, category=("] or [", "{}"), attributes={"k" * 1000: "v" * 1000}),
    Product(id="-9223372036854775808", description="🥿" * 10_000, attributes={"'": '"', "%": "\\"}),
    Product(
        id="many",
        attributes={f"name {n}": f"{10**n}" for n in range(200)},
        category=tuple(f"level {n}" for n in range(50)),
    ),
]


def test_hostile_products_come_back_and_are_found(store: VectorStore) -> None:
    store.upsert([record(p, picture("x" * 2000, VECTOR, content=p.id)) for p in HOSTILE], run=1)
    assert store.products([p.id for p in HOSTILE]) == {p.id: p for p in HOSTILE}
    for text, expected in {
        "price>1": {"price"},
        "price<" + "9" * 320: {"price"},
        r'brand="\" or 1 == 1 or brand == \""': {"a" * 256},
        'category="] or ["': {"9" * 40},
        r"""'="\""|x,%="\\" """: {"-9223372036854775808"},
        "name 199=1" + "0" * 199: {"many"},
        "category=" + ">".join(f"level {n}" for n in range(50)): {"many"},
        "id=-9223372036854775808": {"-9223372036854775808"},
    }.items():
        where = parse_filter(text)
        assert {hit.product_id for hit in store.search(VECTOR[None], 9, where)[0]} == expected, text
        assert store.count(where).products == len(expected)


@pytest.mark.parametrize("most", [1, 7, 1_000])
def test_records_come_back_as_they_were_stored(store: VectorStore, most: int) -> None:
    rng, reference = np.random.default_rng(3), ReferenceStore()
    names = [f"p{n}" for n in range(17)]
    for salt in ("", "-new"):
        batch = random_records(rng, names[: 17 if not salt else 5], salt=salt)
        store.upsert(batch, run=1)
        reference.upsert(batch)
    shared = picture("other.jpg", None, content=reference.records["p9"].pictures[0].content)
    bare = record("bare", picture("bare.jpg", random_unit(rng, 2)))
    for one in (
        [record("sharing", shared), bare],
        [record(p, picture("x", VECTOR)) for p in HOSTILE],
    ):
        store.upsert(one, run=1)
        reference.upsert(one)
    store.delete(["p3"])
    reference.delete(["p3"])
    found, after = [], 0
    while (page := store.records(after=after, most=most)).last:
        assert 0 < len(page.records) <= most
        assert page.last > after
        found, after = [*found, *page.records], page.last
    assert page.records == ()
    assert len(found) == len(reference.records)
    for one in found:
        expected = reference.records[one.product.id]
        assert one.product == expected.product
        for ours, theirs in zip(one.pictures, expected.pictures, strict=True):
            assert (ours.source, ours.signature, ours.content) == (
                theirs.source, theirs.signature, theirs.content,
            )  # fmt: skip
            assert ours.regions == theirs.regions
            assert np.array_equal(ours.embeddings, theirs.embeddings)
            assert ours.descriptions == theirs.descriptions
