"""The embedded store's search against raw exact faiss over the same vectors, in the same run.

Both are measured warm: the index is in the page cache, as raw faiss has its vectors in memory
(`bench_open.py` starts from a cold disk).

Targets: top-20 of 50,000 x 128 at most 1.3 times the exact search; of 500,000 x 256 a median of
at most 0.1 of exact at recall >= 0.98; under an equality filter of 1 in 14 at most 0.5 of exact
at recall 1.
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

from snapshelf.store import EmbeddedStore, parse_filter

TOP = 20


def main() -> None:
    """Print one JSON line for each size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path("build/bench"))
    parser.add_argument("--queries", type=int, default=200)
    options = parser.parse_args()
    for rows, dimension, target in (
        (50_000, 128, "ratio <= 1.3"),
        (500_000, 256, "ratio <= 0.1 at recall >= 0.98; filtered_ratio <= 0.5 at recall 1"),
    ):
        result = measure(options.folder, rows, dimension, options.queries)
        print(json.dumps({"benchmark": "store", **result, "target": target}), flush=True)


def measure(folder: Path, rows: int, dimension: int, count: int) -> dict[str, object]:
    """Time the store and raw faiss in turns, query by query."""
    vectors = clustered(rows, dimension)
    queries = queries_near(vectors, count)
    place = large_shelf(folder, vectors)
    for file in place.rglob("*.faiss"):
        file.read_bytes()
    store = EmbeddedStore(place)
    exact = faiss.IndexFlatIP(dimension)
    exact.add(vectors)
    brand = 5
    members = np.arange(brand, rows, BRANDS)
    where = parse_filter(f'brand="{brand_of(brand)}"')

    start = time.perf_counter()
    store.search(queries[:1], TOP, where)
    first_filtered = time.perf_counter() - start
    store.search(queries[:1], TOP)
    times: dict[str, list[float]] = {"exact": [], "store": [], "filtered": []}
    recall, filtered_recall = [], []
    for number in range(count):
        query = queries[number : number + 1]
        _, truth = timed(times["exact"], lambda query=query: exact.search(query, TOP))
        found = timed(times["store"], lambda query=query: store.search(query, TOP))
        passed = timed(times["filtered"], lambda query=query: store.search(query, TOP, where))
        recall.append(overlap(found, truth[0]))
        best = members[np.argsort(-(vectors[members] @ query[0]), kind="stable")[:TOP]]
        filtered_recall.append(overlap(passed, best))
    store.close()
    medians = {name: statistics.median(values) for name, values in times.items()}
    return {
        "vectors": f"{rows}x{dimension}",
        "exact_ms": round(medians["exact"] * 1e3, 3),
        "store_ms": round(medians["store"] * 1e3, 3),
        "ratio": round(medians["store"] / medians["exact"], 3),
        "recall": round(float(np.mean(recall)), 4),
        "filtered_ms": round(medians["filtered"] * 1e3, 3),
        "filtered_ratio": round(medians["filtered"] / medians["exact"], 3),
        "filtered_recall": round(float(np.mean(filtered_recall)), 4),
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
