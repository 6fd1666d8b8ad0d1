"""A graph over the embeddings finds nearly what the exact store does; filters lose nothing."""

from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from milvus_place import PROPERTIES
from reference_store import picture, random_product, record

from snapshelf.store import EmbeddedStore, parse_filter
from snapshelf.store.copying import check_copy, copy_shelf
from snapshelf.store.milvus import MilvusStore
from snapshelf.store.milvus.address import parse_milvus_address

pytestmark = pytest.mark.cluster

DIMENSION = 64
PRODUCTS = 2_500
QUERIES = 50
TOP = 20
FILTERS = (
    None,
    "category=shoes",
    "brand=acme,price<50",
    "colour!=red",
    "availability=preorder",
    "id=p7|p8",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An embedded shelf: products of two pictures each, in clusters as real ones are."""
    rng = np.random.default_rng(0)
    centres = rng.standard_normal((100, DIMENSION))
    kinds = rng.integers(100, size=2 * PRODUCTS)
    vectors = centres[kinds] + 0.7 * rng.standard_normal((2 * PRODUCTS, DIMENSION))
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    made = tmp_path_factory.mktemp("recall") / "shelf"
    EmbeddedStore.create(made, dimension=DIMENSION, properties=PROPERTIES)
    with closing(EmbeddedStore(made, write=True)) as store:
        run = store.begin_run("feed")
        for start in range(0, PRODUCTS, 500):
            store.upsert(
                [
                    record(
                        random_product(rng, f"p{n}", (f"{n}a", f"{n}b")),
                        picture(f"{n}a", vectors[2 * n]),
                        picture(f"{n}b", vectors[2 * n + 1]),
                    )
                    for n in range(start, start + 500)
                ],
                run=run,
            )
        store.end_run(run=run)
    return made


def test_recall_and_filters_against_the_exact_store(folder: Path, milvus_server) -> None:
    address = parse_milvus_address(f"{milvus_server.address}recall?index=hnsw")
    report = copy_shelf(folder, address)
    assert (report.copied, report.unchanged, report.removed) == (PRODUCTS, 0, 0)
    rng = np.random.default_rng(1)
    with closing(EmbeddedStore(folder)) as exact, closing(MilvusStore(address)) as cluster:
        assert cluster.index == "hnsw"
        held = exact.embeddings().vectors
        queries = held[rng.integers(len(held), size=QUERIES)]
        queries = queries + 0.3 * rng.standard_normal(queries.shape).astype(np.float32)
        queries /= np.linalg.norm(queries, axis=1, keepdims=True)
        for text in (
            None,
            "category=shoes",
            "brand=acme,price<50",
            "colour!=red",
            "availability=preorder",
            "id=p7|p8",
        ):
            where = None if text is None else parse_filter(text)
            assert cluster.count(where) == exact.count(where)
            found = total = 0
            for ours, theirs in zip(
                cluster.search(queries, TOP, where), exact.search(queries, TOP, where), strict=True
            ):
                assert len(ours) == len(theirs)
                found += len({h.product_id for h in ours} & {h.product_id for h in theirs})
                total += len(theirs)
            assert found / total >= 0.98, (text, found / total)
    MilvusStore.drop(address)


def test_a_copy_goes_on_where_it_stopped_and_comes_back_the_same(
    folder: Path, milvus_server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = parse_milvus_address(f"{milvus_server.address}copied?partitions=4")
    inside, calls = MilvusStore.upsert, [0]

    def breaks_off(self, records, *, run):
        calls[0] += 1
        if calls[0] > 3:
            raise KeyboardInterrupt
        inside(self, records, run=run)

    with monkeypatch.context() as patch:
        patch.setattr(MilvusStore, "upsert", breaks_off)
        with pytest.raises(KeyboardInterrupt):
            copy_shelf(folder, address)
    with closing(MilvusStore(address)) as part:
        there = part.count().products
    assert 0 < there < PRODUCTS
    report = copy_shelf(folder, address)
    assert (report.copied, report.unchanged) == (PRODUCTS - there, there)
    assert report.equal_matches == 1.0
    assert report.compared >= 500
    back = copy_shelf(address, tmp_path / "back")
    assert back.copied == PRODUCTS
    with closing(EmbeddedStore(folder)) as one, closing(EmbeddedStore(tmp_path / "back")) as two:
        check_copy(one, two)
        assert two.properties["fingerprint"] == PROPERTIES["fingerprint"]
        # In a cluster whose rows are kept apart by category, filters by it read a part only.
        with closing(MilvusStore(address)) as parted:
            assert parted._states.latest().partitioned
            for text in ("category=shoes", "category=bags>shoes|shoes > boots", "category!=shoes"):
                assert parted.count(parse_filter(text)) == one.count(parse_filter(text))
    MilvusStore.drop(address)
