"""The embedded store's search against raw exact faiss over the same vectors, in the same run.

All are measured warm: the index is in the page cache, as raw faiss has its vectors in memory
(`bench_open.py` starts from a cold disk). Up to 100,000 embeddings the store's search is exact;
above, it walks a graph, and compares exactly under a filter and where more than 1,000 matches are
asked for. "exact" here is such a search for 1,001, against raw faiss asked for as many.

Targets: top-20 of 50,000 x 128 at most 1.3 times the exact search; of 500,000 x 256 a median of
at most 0.1 of exact at recall >= 0.98; under an equality filter of 1 in 14 at most 0.5 of exact
at recall 1. Of 538,517 x 512, a published gallery's size, exact at most 1.1 times raw faiss, and
the graph at most 0.1 of exact at recall >= 0.98; L1 distance is measured beside it (L2 ranks
L2-normalised embeddings as cosine does, and shares its index).
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import faiss
import numpy as np
from large_shelf import BRANDS, brand_of, clustered, large_shelf, queries_near
from numpy.typing import NDArray

from snapshelf.matching.distances import Distance, compare_embeddings
from snapshelf.store import EmbeddedStore, parse_filter
from snapshelf.store.view import GRAPH_UP_TO

TOP = 20
WIDE = GRAPH_UP_TO + 1
METRICS = {"cosine": faiss.METRIC_INNER_PRODUCT, "l1": faiss.METRIC_L1}
GRAPH_TARGET = "ratio <= 0.1 at recall >= 0.98"
SIZES: tuple[tuple[int, int, Distance, str], ...] = (
    (50_000, 128, "cosine", "ratio <= 1.3"),
    (500_000, 256, "cosine", f"{GRAPH_TARGET}; filtered_ratio <= 0.5 at recall 1"),
    (538_517, 512, "cosine", f"exact_ratio <= 1.1; {GRAPH_TARGET}"),
    (538_517, 512, "l1", f"exact_ratio <= 1.1; {GRAPH_TARGET}"),
)


def main() -> None:
    """Print one JSON line for each size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path("build/bench"))
    parser.add_argument("--queries", type=int, default=200)
    parser.add_argument("--only", help="one size, such as 538517x512")
    options = parser.parse_args()
    for rows, dimension, distance, target in SIZES:
        if options.only in (None, f"{rows}x{dimension}"):
            result = measure(options.folder, rows, dimension, distance, options.queries)
            print(json.dumps({"benchmark": "store", **result, "target": target}), flush=True)


def measure(
    folder: Path, rows: int, dimension: int, distance: Distance, count: int
) -> dict[str, object]:
    """Time the store and raw faiss in turns, query by query."""
    vectors = clustered(rows, dimension)
    queries = queries_near(vectors, count)
    place = large_shelf(folder, vectors, distance=distance)
    for file in place.rglob("*.faiss"):
        file.read_bytes()
    store = EmbeddedStore(place)
    exact = faiss.IndexFlat(dimension, METRICS[distance])
    exact.add(vectors)
    brand = 5
    members = np.arange(brand, rows, BRANDS)
    of_brand = vectors[members]
    del vectors
    where = parse_filter(f'brand="{brand_of(brand)}"')

    start = time.perf_counter()
    store.search(queries[:1], TOP, where)
    first_filtered = time.perf_counter() - start
    store.search(queries[:1], TOP)
    store.search(queries[:1], WIDE)
    ways = ("raw", "store", "filtered", "raw_wide", "store_wide")
    times: dict[str, list[float]] = {way: [] for way in ways}
    recalls: dict[str, list[float]] = {"store": [], "filtered": [], "store_wide": []}
    for number in range(count):
        query = queries[number : number + 1]
        _, truth = timed(times["raw"], lambda query=query: exact.search(query, TOP))
        found = timed(times["store"], lambda query=query: store.search(query, TOP))
        passed = timed(times["filtered"], lambda query=query: store.search(query, TOP, where))
        recalls["store"].append(overlap(found, truth[0]))
        similarities = compare_embeddings(query, of_brand, distance)[0]
        best = members[np.argsort(-similarities, kind="stable")[:TOP]]
        recalls["filtered"].append(overlap(passed, best))
        _, truth = timed(times["raw_wide"], lambda query=query: exact.search(query, WIDE))
        found = timed(times["store_wide"], lambda query=query: store.search(query, WIDE))
        recalls["store_wide"].append(overlap(found, truth[0]))
    store.close()
    ms = {name: 1e3 * statistics.median(values) for name, values in times.items()}
    recall = {name: round(float(np.mean(values)), 4) for name, values in recalls.items()}
    return {
        "vectors": f"{rows}x{dimension}",
        "distance": distance,
        "raw_ms": round(ms["raw"], 3),
        "store_ms": round(ms["store"], 3),
        "ratio": round(ms["store"] / ms["raw"], 3),
        "recall": recall["store"],
        "exact_raw_ms": round(ms["raw_wide"], 3),
        "exact_store_ms": round(ms["store_wide"], 3),
        "exact_ratio": round(ms["store_wide"] / ms["raw_wide"], 3),
        "exact_recall": recall["store_wide"],
        "filtered_ms": round(ms["filtered"], 3),
        "filtered_ratio": round(ms["filtered"] / ms["raw"], 3),
        "filtered_recall": recall["filtered"],
        "filtered_first_ms": round(first_filtered * 1e3, 1),
    }


def timed(times: list[float], search: Callable[[], object]) -> object:
    """Run a search and note how long it took."""
    start = time.perf_counter()
    found = search()
    times.append(time.perf_counter() - start)
    return found


def overlap(found: list, truth: NDArray[np.int64]) -> float:
    """Give the share of the true products that a search found."""
    return len({hit.product_id for hit in found[0]} & {f"P{n:07d}" for n in truth}) / len(truth)


if __name__ == "__main__":
    main()
