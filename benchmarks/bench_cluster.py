"""The cluster store against the embedded one on the same vectors, and what larger clusters take.

Both hold the same products. Loading is through `upsert` in batches of 2,000 and the end of the
run, which indexes; searching is for the 20 most similar products, warm, one query at a time. Then
shards: the time of one is measured as above, and a search of S of them is simulated as the slowest
of S drawn times, a hop through the network and the merge of S short rankings, which is measured.

The server is Milvus 2.3.5, standalone, on this machine, behind a relay of Python's. Several nodes
cannot be shown on one machine: what a cluster of them takes is arithmetic over these figures.

Target: recall@20 >= 0.98 of exact, and a median of at most 40 times the embedded store's.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

import numpy as np
from cluster_sizing import Measured
from large_shelf import clustered, queries_near
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parent.parent / "scripts"))
from milvus_server import TOKEN, MilvusServer

from snapshelf.catalog import Product
from snapshelf.locating import Region
from snapshelf.store import (
    EmbeddedStore,
    PictureRecord,
    ProductRecord,
    VectorStore,
    parse_filter,
)
from snapshelf.store.milvus import MilvusStore
from snapshelf.store.milvus.address import parse_milvus_address

TOP = 20
BATCH = 2_000
BRANDS = 14
HOP_MS = 0.5
"""A round trip between machines of one place, assumed."""


def main() -> None:
    """Print JSON lines: the two stores, then simulated clusters."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=50_000)
    parser.add_argument("--dimension", type=int, default=128)
    parser.add_argument("--queries", type=int, default=100)
    parser.add_argument("--index", default="hnsw")
    parser.add_argument("--out", type=Path, help="Write what `cluster_sizing.py` reads.")
    options = parser.parse_args()
    os.environ["SNAPSHELF_MILVUS_TOKEN"] = TOKEN
    vectors = clustered(options.rows, options.dimension)
    queries = queries_near(vectors, options.queries)
    with tempfile.TemporaryDirectory() as folder:
        try:
            server = MilvusServer(Path(folder) / "milvus", size_mb=12_000)
        except (ImportError, OSError) as error:
            print(json.dumps({"benchmark": "cluster", "skipped": str(error)}))
            return
        with closing(server):
            before = server.memory_mb, server.disk_mb
            address = parse_milvus_address(f"{server.address}bench?index={options.index}")
            given = {"dimension": options.dimension, "properties": {}}
            EmbeddedStore.create(Path(folder) / "shelf", **given)
            MilvusStore.create(address, **given)
            with (
                closing(EmbeddedStore(Path(folder) / "shelf", write=True)) as embedded,
                closing(MilvusStore(address, write=True)) as cluster,
            ):
                result = compare(embedded, cluster, vectors, queries)
                times = result.pop("times")
            grown = server.memory_mb - before[0], server.disk_mb - before[1]
    megabyte = 1 << 20
    result |= {
        "rows": options.rows,
        "dimension": options.dimension,
        "index": options.index,
        "memory_bytes_a_row": round(grown[0] * megabyte / options.rows),
        "disk_bytes_a_row": round(grown[1] * megabyte / options.rows),
    }
    print(json.dumps({"benchmark": "cluster", **result, "target": "recall >= 0.98; ratio <= 40"}))
    simulate(times, options.rows)
    if options.out is not None:
        measured = Measured(
            rows=options.rows,
            dimension=options.dimension,
            memory_bytes_a_row=result["memory_bytes_a_row"],
            disk_bytes_a_row=result["disk_bytes_a_row"],
            milliseconds=result["cluster_ms"],
        )
        options.out.write_text(json.dumps(measured.__dict__, indent=1) + "\n")


def compare(
    embedded: VectorStore,
    cluster: VectorStore,
    vectors: NDArray[np.float32],
    queries: NDArray[np.float32],
) -> dict[str, object]:
    """Load both stores and search them in turns."""
    seconds = {"embedded": load(embedded, vectors), "cluster": load(cluster, vectors)}
    where = parse_filter("brand=brand 3")
    times: dict[str, list[float]] = {}
    found = total = filtered = filtered_total = 0
    similarities = queries @ vectors.T
    for store in (embedded, cluster):  # warm, and everything written is waited for
        store.search(queries[:8], TOP)
        store.search(queries[:8], TOP, where)
    for query, all_similarities in zip(queries, similarities, strict=True):
        exact = {f"p{n}" for n in np.argsort(-all_similarities)[:TOP]}
        hits = {}
        for name, store in (("embedded", embedded), ("cluster", cluster)):
            for kind, condition in (("", None), ("_filtered", where)):
                start = time.perf_counter()
                (hits[name + kind],) = store.search(query[None], TOP, condition)
                times.setdefault(name + kind, []).append(1_000 * (time.perf_counter() - start))
        found += len({hit.product_id for hit in hits["cluster"]} & exact)
        total += TOP
        ours, theirs = hits["cluster_filtered"], hits["embedded_filtered"]
        filtered += len({h.product_id for h in ours} & {h.product_id for h in theirs})
        filtered_total += len(theirs)
    medians = {f"{name}_ms": round(statistics.median(each), 2) for name, each in times.items()}
    return {
        "load_seconds": {name: round(each, 1) for name, each in seconds.items()},
        **medians,
        "ratio": round(medians["cluster_ms"] / medians["embedded_ms"], 2),
        "recall": round(found / total, 4),
        "filtered_recall": round(filtered / filtered_total, 4),
        "times": times["cluster"],
    }


def load(store: VectorStore, vectors: NDArray[np.float32]) -> float:
    """Store a product of each vector; gives the seconds."""
    start = time.perf_counter()
    run = store.begin_run("benchmark")
    region = (Region((0.0, 0.0, 100.0, 100.0)),)
    for first in range(0, len(vectors), BATCH):
        store.upsert(
            [
                ProductRecord(
                    Product(id=f"p{n}", brand=f"brand {n % BRANDS}", images=(f"{n}.jpg",)),
                    (PictureRecord(f"{n}.jpg", "", f"{n}", region, vectors[n : n + 1]),),
                )
                for n in range(first, min(first + BATCH, len(vectors)))
            ],
            run=run,
        )
    store.end_run(run=run)
    return time.perf_counter() - start


def simulate(times: list[float], rows: int) -> None:
    """Print what a search of many shards of the measured size takes, up to 10^9 vectors."""
    rng = np.random.default_rng(0)
    for vectors in (10**6, 10**7, 10**8, 10**9):
        shards = -(-vectors // rows)
        rankings = rng.random((shards, TOP))
        start = time.perf_counter()
        best = np.argpartition(rankings.ravel(), TOP - 1)[:TOP]
        assert len(best) == TOP
        merge = 1_000 * (time.perf_counter() - start)
        slowest = [max(rng.choice(times, min(shards, 4_096))) for _ in range(200)]
        total = [each + merge + 2 * HOP_MS for each in slowest]
        print(
            json.dumps(
                {
                    "benchmark": "cluster_simulated",
                    "vectors": vectors,
                    "shards": shards,
                    "rows_a_shard": rows,
                    "merge_ms": round(merge, 3),
                    "hops_ms": 2 * HOP_MS,
                    "median_ms": round(statistics.median(total), 2),
                    "p99_ms": round(float(np.quantile(total, 0.99)), 2),
                    "arithmetic": "slowest of the shards' measured times + merge + 2 hops",
                }
            )
        )


if __name__ == "__main__":
    main()
