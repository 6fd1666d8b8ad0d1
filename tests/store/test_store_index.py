"""The derived index: exact and graph, behind the database, damaged, and replaced under readers."""

import json
import os
import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from pathlib import Path
from typing import get_args

import faiss
import numpy as np
import pytest
from reference_store import (
    DIMENSION,
    ReferenceStore,
    picture,
    random_records,
    random_unit,
    record,
    unit,
)

from snapshelf.matching import Distance
from snapshelf.store import EmbeddedStore, parse_filter
from snapshelf.store import index_file as index_module
from snapshelf.store import refreshing as refreshing_module
from snapshelf.store.hits import read_hits
from snapshelf.store.view import nearest_products, select

MakeStore = Callable[..., EmbeddedStore]


@pytest.fixture
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """Build the index anew after every run that changed anything."""
    monkeypatch.setattr(refreshing_module, "STALE_FROM", 0)
    monkeypatch.setattr(refreshing_module, "STALE_SHARE", 0.0)


@pytest.fixture
def graph(monkeypatch: pytest.MonkeyPatch, eager: None) -> None:
    """Make even a small index a graph."""
    monkeypatch.setattr(index_module, "EXACT_UP_TO", 10)


def index_folder(store: EmbeddedStore) -> Path:
    return store._folder / "index"


def versions(store: EmbeddedStore) -> list[str]:
    folder = index_folder(store)
    return sorted(place.name for place in folder.iterdir()) if folder.is_dir() else []


def reader_of(store: EmbeddedStore) -> AbstractContextManager[EmbeddedStore]:
    return closing(EmbeddedStore(store._folder))


def run(store: EmbeddedStore, records=(), gone=(), reference: ReferenceStore | None = None) -> None:
    number = store.begin_run("feed")
    store.upsert(records, run=number)
    store.delete(gone)
    store.end_run(run=number)
    if reference is not None:
        reference.upsert(records)
        reference.delete(gone)


def check(store: EmbeddedStore, reference: ReferenceStore, seed: int = 0) -> None:
    rng = np.random.default_rng(seed)
    queries = random_unit(rng, 5)
    for text in (None, "brand!=acme", "category=shoes", "colour=red", "price<50"):
        where = None if text is None else parse_filter(text)
        for top in (1, 7, 10_000):
            for query, hits in zip(queries, store.search(queries, top, where), strict=True):
                reference.check(hits, query, top, where)
                found = store.descriptions([hit.region for hit in hits])
                reference.check_descriptions(hits, found)


# --- when it is built ---------------------------------------------------------------------


def test_a_small_shelf_has_no_index_and_a_larger_one_has(make_store: MakeStore) -> None:
    store, reference = make_store(), ReferenceStore()
    rng = np.random.default_rng(0)
    names = [f"p{n}" for n in range(refreshing_module.STALE_FROM + 1)]
    records = random_records(rng, names, most_pictures=1)
    run(store, records[:-1], reference=reference)
    assert versions(store) == []
    run(store, records[-1:], reference=reference)
    (built,) = versions(store)
    assert built == store.properties["index_version"] == store.properties["version"]
    check(store, reference)


@pytest.mark.parametrize("distance", get_args(Distance))
def test_few_changes_are_searched_beside_the_index(
    make_store: MakeStore, distance: Distance
) -> None:
    store, reference = make_store(distance=distance), ReferenceStore(distance)
    rng = np.random.default_rng(1)
    names = [f"p{n}" for n in range(400)]
    run(store, random_records(rng, names), reference=reference)
    before = versions(store)
    changed = random_records(rng, [*names[:20], "new1", "new2"], salt="-later")
    run(store, changed, names[30:40], reference)
    assert versions(store) == before
    check(store, reference)
    with reader_of(store) as reader:
        check(reader, reference)


def test_an_unchanged_shelf_is_not_indexed_again(make_store: MakeStore, eager: None) -> None:
    store = make_store()
    run(store, random_records(np.random.default_rng(2), ["a", "b"]))
    (built,) = versions(store)
    stamp = (index_folder(store) / built).stat().st_ino
    run(store)
    assert (index_folder(store) / built).stat().st_ino == stamp


def test_pictures_that_came_and_went_do_not_pile_up(make_store: MakeStore) -> None:
    store = make_store()
    rng = np.random.default_rng(3)
    stale = refreshing_module.STALE_FROM
    for turn in range(3 * stale // 20):
        run(
            store,
            random_records(rng, [f"p{n}" for n in range(20)], most_pictures=1, salt=f"{turn}"),
        )
    with store._connections.reading() as db:
        (kept,) = db.execute("SELECT count(*) FROM picture").fetchone()
        (vectors,) = db.execute("SELECT count(*) FROM embedding").fetchone()
        (bodies,) = db.execute("SELECT count(*) FROM description").fetchone()
    assert kept <= stale + 40
    assert bodies == vectors <= (stale + 40) * 3


def test_a_shelf_emptied_after_its_index_was_built(make_store: MakeStore, eager: None) -> None:
    store = make_store()
    names = [f"p{n}" for n in range(50)]
    run(store, random_records(np.random.default_rng(4), names))
    store.delete(names)
    assert store.search(random_unit(np.random.default_rng(0), 2), 5) == [[], []]
    run(store)
    assert store.search(random_unit(np.random.default_rng(0), 2), 5) == [[], []]
    reference = ReferenceStore()
    run(store, random_records(np.random.default_rng(5), names[:3]), reference=reference)
    check(store, reference)


# --- the graph ----------------------------------------------------------------------------


@pytest.mark.parametrize("distance", get_args(Distance))
@pytest.mark.parametrize("seed", range(3))
def test_a_graph_over_a_small_world_answers_like_the_reference(
    make_store: MakeStore, graph: None, seed: int, distance: Distance
) -> None:
    store, reference = make_store(distance=distance), ReferenceStore(distance)
    rng = np.random.default_rng(seed)
    names = [f"p{n}" for n in range(60)]
    run(store, random_records(rng, names), reference=reference)
    index = store._views.open_index(int(versions(store)[0])).index
    assert index.hnsw is not None
    assert index.metric_type == (
        faiss.METRIC_L1 if distance == "l1" else faiss.METRIC_INNER_PRODUCT
    )
    check(store, reference, seed)
    # Not rebuilt: these lie beside the graph, and those are masked in it.
    changed = random_records(rng, names[:15], salt="-later")
    store.upsert(changed, run=1)
    store.delete(names[20:40])
    reference.upsert(changed)
    reference.delete(names[20:40])
    check(store, reference, seed)


@pytest.mark.slow
def test_the_graph_finds_nearly_all_of_20000_clustered(
    make_store: MakeStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index_module, "EXACT_UP_TO", 1_000)
    dimension, clusters, rows, top = 48, 400, 20_000, 20
    rng = np.random.default_rng(6)
    centres = random_unit(rng, clusters, dimension)
    member = rng.integers(clusters, size=rows)
    vectors = unit(centres[member] + 0.09 * rng.standard_normal((rows, dimension)))
    store = make_store(dimension=dimension)
    number = store.begin_run("feed")
    for start in range(0, rows, 2_000):
        store.upsert(
            [
                record(f"p{n}", picture(f"{n}", vectors[n]))
                for n in range(start, min(rows, start + 2_000))
            ],
            run=number,
        )
    store.end_run(run=number)
    picked = rng.integers(rows, size=200)
    queries = unit(vectors[picked] + 0.05 * rng.standard_normal((200, dimension)))
    right = np.argsort(-(queries @ vectors.T), axis=1)[:, :top]

    def recall(where: str | None, expected: list[set[str]]) -> float:
        condition = None if where is None else parse_filter(where)
        rankings = store.search(queries, top, condition)
        assert all(len(hits) == len(want) for hits, want in zip(rankings, expected, strict=True))
        shares = [
            len({h.product_id for h in hits} & want) / max(1, len(want))
            for hits, want in zip(rankings, expected, strict=True)
        ]
        return float(np.mean(shares))

    assert recall(None, [{f"p{n}" for n in row} for row in right]) >= 0.98
    # Forty removed from the middle of the answers: the graph must walk past them.
    gone = {f"p{n}" for n in right[:2].ravel()}
    store.delete(sorted(gone))
    wider = np.argsort(-(queries @ vectors.T), axis=1)[:, : top + len(gone)]
    left = [[f"p{n}" for n in row if f"p{n}" not in gone][:top] for row in wider]
    assert recall(None, [set(row) for row in left]) >= 0.98
    # A selective filter is compared exactly.
    chosen = [f"p{n}" for n in range(0, rows, 200)]
    kept = [n for n in range(0, rows, 200) if f"p{n}" not in gone]
    ranked = np.argsort(-(queries @ vectors[kept].T), axis=1)[:, :top]
    expected = [{f"p{kept[n]}" for n in row} for row in ranked]
    assert recall("id=" + "|".join(chosen), expected) == 1.0


# --- damaged ------------------------------------------------------------------------------


def _delete_folder(place: Path) -> None:
    shutil.rmtree(place)


def _delete_all(place: Path) -> None:
    shutil.rmtree(place.parent)


def _empty(place: Path) -> None:
    for file in place.iterdir():
        file.unlink()


def _each_file(change: Callable[[Path], None], name: str) -> Callable[[Path], None]:
    def apply(place: Path) -> None:
        change(place / name)

    apply.__name__ = f"{change.__name__.strip('_')} {name}"
    return apply


def _truncate(file: Path) -> None:
    os.truncate(file, file.stat().st_size // 2)


def _make_empty(file: Path) -> None:
    os.truncate(file, 0)


def _garble(file: Path) -> None:
    file.write_bytes(np.random.default_rng(0).bytes(file.stat().st_size))


def _remove(file: Path) -> None:
    file.unlink()


def _replace_by_folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


def _manifest(**values: object) -> Callable[[Path], None]:
    def apply(place: Path) -> None:
        file = place / "manifest.json"
        file.write_text(json.dumps({**json.loads(file.read_text()), **values}))

    apply.__name__ = f"manifest {values}"
    return apply


def _manifest_is_a_list(place: Path) -> None:
    (place / "manifest.json").write_text("[1, 2]")


FILES = (
    "vectors.faiss",
    "regions.npy",
    "products.npy",
    "boxes.npy",
    "label_offsets.npy",
    "manifest.json",
)
DAMAGES = [
    _delete_folder,
    _delete_all,
    _empty,
    _manifest_is_a_list,
    _manifest(shelf="another"),
    _manifest(version=0),
    _manifest(dimension=DIMENSION + 1),
    _manifest(rows=3),
    _manifest(files=None),
    *(
        _each_file(change, name)
        for change in (_truncate, _make_empty, _garble, _remove, _replace_by_folder)
        for name in FILES
    ),
    *(_each_file(change, "labels.txt") for change in (_truncate, _make_empty, _remove)),
]


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__.strip("_"))
def test_a_damaged_index_costs_time_not_answers(
    make_store: MakeStore, eager: None, damage: Callable[[Path], None]
) -> None:
    store, reference = make_store(), ReferenceStore()
    rng = np.random.default_rng(7)
    names = [f"p{n}" for n in range(30)]
    run(store, random_records(rng, names), reference=reference)
    place = index_folder(store) / versions(store)[0]
    store.close()
    damage(place)

    store = make_store()
    check(store, reference)
    store.delete(names[:2])
    reference.delete(names[:2])
    check(store, reference)
    run(store)
    (rebuilt,) = versions(store)
    assert store._views.open_index(int(rebuilt)) is not None, "the next run rebuilds it"
    check(store, reference)
    with reader_of(store) as reader:
        check(reader, reference)


def test_an_index_of_another_shelf_is_not_taken(make_store: MakeStore, eager: None) -> None:
    rng = np.random.default_rng(8)
    one, other = make_store("one"), make_store("other")
    references = ReferenceStore(), ReferenceStore()
    for store, reference in zip((one, other), references, strict=True):
        run(store, random_records(rng, [f"p{n}" for n in range(20)]), reference=reference)
    assert versions(one) == versions(other), "else this test shows nothing"
    shutil.rmtree(index_folder(one))
    shutil.copytree(index_folder(other), index_folder(one))
    with reader_of(one) as reader:
        check(reader, references[0])


def test_an_index_of_another_distance_is_not_taken(make_store: MakeStore, eager: None) -> None:
    store, reference = make_store(distance="l1"), ReferenceStore("l1")
    run(store, random_records(np.random.default_rng(8), ["a", "b"]), reference=reference)
    other = make_store("other")
    run(other, random_records(np.random.default_rng(8), ["a", "b"]))
    wrong = index_folder(other) / versions(other)[0] / "vectors.faiss"
    right = index_folder(store) / versions(store)[0] / "vectors.faiss"
    shutil.copyfile(wrong, right)
    sizes = {file.name: file.stat().st_size for file in right.parent.iterdir()}
    _manifest(files={name: size for name, size in sizes.items() if name != "manifest.json"})(
        right.parent
    )
    with reader_of(store) as reader:
        check(reader, reference)
        assert reader._views.open_index(int(versions(store)[0])) is None


def test_what_a_kill_left_half_built_is_cleared_away(make_store: MakeStore, eager: None) -> None:
    store, reference = make_store(), ReferenceStore()
    rng = np.random.default_rng(9)
    run(store, random_records(rng, ["a", "b"]), reference=reference)
    (index_folder(store) / ".building-123").mkdir()
    (index_folder(store) / ".building-123" / "vectors.faiss").write_bytes(b"half")
    # Complete, but the database does not name it yet.
    later = str(int(store.properties["version"]) + 1)
    shutil.copytree(index_folder(store) / versions(store)[1], index_folder(store) / later)
    check(store, reference)
    run(store, random_records(rng, ["c"]), reference=reference)
    assert versions(store) == [store.properties["index_version"]]
    check(store, reference)


def test_what_a_kill_left_goes_even_where_nothing_is_rebuilt(make_store: MakeStore) -> None:
    store = make_store()
    run(store, random_records(np.random.default_rng(9), ["a"]))
    leftover = index_folder(store) / ".building-123"
    leftover.mkdir(parents=True)
    run(store)
    assert not leftover.exists()


# --- replaced under readers ---------------------------------------------------------------


def test_a_reader_keeps_answering_while_indexes_are_replaced(
    make_store: MakeStore, eager: None
) -> None:
    store, reference = make_store(), ReferenceStore()
    rng = np.random.default_rng(10)
    names = [f"p{n}" for n in range(40)]
    run(store, random_records(rng, names), reference=reference)
    with reader_of(store) as reader:
        check(reader, reference)
        mapped = versions(store)
        # The same version, and its index gone from the disk: the mapped files still answer.
        shutil.rmtree(index_folder(store))
        check(reader, reference)
        for turn in range(4):
            changed = random_records(rng, names[turn * 5 : turn * 5 + 9], salt=f"-{turn}")
            run(store, changed, names[-turn - 1 :], reference)
            assert len(versions(store)) == 1
            assert versions(store) != mapped
            check(reader, reference)


def test_a_reader_that_skips_several_indexes_catches_up(make_store: MakeStore, eager: None) -> None:
    store, reference = make_store(), ReferenceStore()
    rng = np.random.default_rng(11)
    with reader_of(store) as reader:
        assert reader.search(random_unit(rng, 1), 5) == [[]]
        for turn in range(5):
            run(store, random_records(rng, [f"p{n}" for n in range(8)], salt=f"{turn}"),
                reference=reference)  # fmt: skip
        check(reader, reference)


def test_a_view_taken_before_a_rebuild_answers_from_its_snapshot(
    make_store: MakeStore, eager: None
) -> None:
    """A search that began before the purge must still find what its version holds."""
    store = make_store()
    rng = np.random.default_rng(12)
    before, after = ReferenceStore(), ReferenceStore()
    old = random_records(rng, [f"p{n}" for n in range(20)])
    run(store, old, reference=before)
    query = random_unit(rng, 1)
    with reader_of(store) as reader:
        with reader._snapshot() as (db, view):
            new = random_records(rng, [f"p{n}" for n in range(5, 25)], salt="-new")
            run(store, new, reference=after)
            ((regions, similarities),) = nearest_products(view, query, 50, select(view, None))
            before.check(read_hits(db, view, regions, similarities), query[0], 50)
        after.upsert([r for r in old if r.product.id in {f"p{n}" for n in range(5)}])
        after.check(reader.search(query, 50)[0], query[0], 50)


def test_labels_of_the_index_are_those_of_the_database(make_store: MakeStore, eager: None) -> None:
    """Products and pictures with names of every kind, found through the index alone."""
    store, reference = make_store(), ReferenceStore()
    rng = np.random.default_rng(13)
    names = ["", "🥿", "a\nb", "né", "x" * 256, "\x00", " "]
    records = [
        record(f"id {name}", *(picture(f"{name}{n}", random_unit(rng, 3)) for n in range(3)))
        for name in names
    ]
    run(store, records, reference=reference)
    check_all = random_unit(rng, 30)
    for query, hits in zip(check_all, store.search(check_all, 20), strict=True):
        reference.check(hits, query, 20)
