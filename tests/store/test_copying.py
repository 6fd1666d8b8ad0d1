"""Copying a shelf from one store to another, on two folders."""

from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from reference_store import DIMENSION, random_records, record

from snapshelf.catalog import Product
from snapshelf.errors import ShelfError, SystemMismatchError
from snapshelf.store import EmbeddedStore
from snapshelf.store.copying import check_copy, copy_shelf


@pytest.fixture
def source(make_store, tmp_path: Path) -> Path:
    store = make_store("source")
    rng = np.random.default_rng(0)
    run = store.begin_run("feed")
    store.upsert(random_records(rng, [f"p{n}" for n in range(600)]), run=run)
    store.note("root", "/somewhere")
    store.end_run(run=run)
    store.close()
    return tmp_path / "source"


def test_a_copy_is_the_same_and_made_once(source: Path, tmp_path: Path) -> None:
    target = tmp_path / "target"
    seen = []
    report = copy_shelf(source, str(target), on_progress=lambda done, total: seen.append(done))
    assert (report.copied, report.unchanged, report.removed) == (600, 0, 0)
    assert seen == [256, 512, 600]
    assert report.compared == 600
    assert report.equal_matches == 1.0
    again = copy_shelf(source, target)
    assert (again.copied, again.unchanged, again.removed) == (0, 600, 0)
    with closing(EmbeddedStore(target)) as copied:
        assert copied.properties["root"] == "/somewhere"


def test_what_changes_is_copied_and_what_is_gone_is_removed(
    source: Path, tmp_path: Path, make_store
) -> None:
    target = tmp_path / "target"
    copy_shelf(source, target)
    with closing(EmbeddedStore(source, write=True)) as store:
        changed = store.records(most=1).records[0]
        product = Product(id=changed.product.id, title="New", images=changed.product.images)
        store.upsert([record(product, *changed.pictures)], run=1)
        assert store.delete(["p5", "p6"]) == 2
    report = copy_shelf(source, target)
    assert (report.copied, report.unchanged, report.removed) == (1, 597, 2)


def test_a_target_of_another_system_is_refused(source: Path, tmp_path: Path) -> None:
    for name, changes in (
        ("fingerprint", {"fingerprint": "0" * 32}),
        ("system", {"system": "other"}),
    ):
        target = tmp_path / name
        noted = {"system": "none", "fingerprint": "f" * 32} | changes
        EmbeddedStore.create(target, dimension=DIMENSION, properties=noted)
        with pytest.raises(SystemMismatchError, match=f"with another system .{name}"):
            copy_shelf(source, target)
    target = tmp_path / "long"
    noted = {"system": "none", "fingerprint": "f" * 32}
    EmbeddedStore.create(target, dimension=DIMENSION + 1, properties=noted)
    with pytest.raises(SystemMismatchError, match="embeddings of 7 numbers"):
        copy_shelf(source, target)


def test_a_copy_that_differs_is_found_out(source: Path, tmp_path: Path) -> None:
    target = tmp_path / "target"
    copy_shelf(source, target)
    with (
        closing(EmbeddedStore(source)) as ours,
        closing(EmbeddedStore(target, write=True)) as theirs,
    ):
        one = theirs.records(most=1).records[0]
        shown = one.pictures[0]
        theirs.delete([one.product.id])
        with pytest.raises(ShelfError, match="the copy is not the same: the source holds"):
            check_copy(ours, theirs)
        turned = type(shown)(
            shown.source, shown.signature, shown.content, shown.regions, -shown.embeddings
        )
        theirs.upsert([record(one.product, turned, *one.pictures[1:])], run=1)
        with pytest.raises(ShelfError, match=r"embeddings of product 'p\d+' differ"):
            check_copy(ours, theirs)


def test_an_empty_shelf_and_one_that_is_not_there(make_store, tmp_path: Path) -> None:
    make_store("empty").close()
    report = copy_shelf(tmp_path / "empty", tmp_path / "copy")
    assert (report.copied, report.queries, report.equal_matches) == (0, 0, 1.0)
    with pytest.raises(ShelfError, match="there is no shelf in"):
        copy_shelf(tmp_path / "absent", tmp_path / "other")
