"""Finding the rows of a shelf that look the same, against a range search of raw exact faiss.

Both compare all rows with all others and give the pairs at least as similar as asked for, in
turns; `find_look_alikes` goes through each pair once, and joins them to groups. Each way's best
turn counts.

Target, of 100,000 x 257: not slower than faiss, and 64 MiB beside the embeddings themselves.
"""

import argparse
import json
import time

import faiss
import numpy as np
from large_shelf import clustered
from memory_use import watched_memory

from snapshelf.matching.look_alikes import find_look_alikes

LEAST = 0.95


def main() -> None:
    """Print one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--dimension", type=int, default=257)
    parser.add_argument("--rounds", type=int, default=2)
    options = parser.parse_args()
    rng = np.random.default_rng(1)
    vectors = clustered(options.rows, options.dimension)
    # Every hundredth row is nearly another.
    copies = vectors[::100] + 0.01 * rng.standard_normal(vectors[::100].shape, np.float32)
    vectors[rng.permutation(options.rows)[: len(copies)]] = copies
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    contents = range(options.rows)
    owners = np.arange(options.rows)
    seconds = {"faiss": float("inf"), "ours": float("inf")}
    with watched_memory() as memory:
        memory.look()
        before = memory.own
        for _ in range(options.rounds):
            start = time.perf_counter()
            found = find_look_alikes(vectors, owners, contents, distance="cosine", least=LEAST)
            seconds["ours"] = min(seconds["ours"], time.perf_counter() - start)
        memory.look()
        beside = memory.own - before
    index = faiss.IndexFlatIP(options.dimension)
    index.add(vectors)
    for _ in range(options.rounds):
        start = time.perf_counter()
        limits, _, others = index.range_search(vectors, LEAST)
        seconds["faiss"] = min(seconds["faiss"], time.perf_counter() - start)
    limits = limits.astype(np.int64)
    foreign = others != np.repeat(owners, np.diff(limits))
    with_other = np.add.reduceat(foreign, limits[:-1])
    result = {
        "benchmark": "look_alikes",
        "rows": f"{options.rows}x{options.dimension}",
        "least": LEAST,
        "faiss_s": round(seconds["faiss"], 2),
        "ours_s": round(seconds["ours"], 2),
        "ratio": round(seconds["ours"] / seconds["faiss"], 3),
        "beside_mib": round(beside),
        "embeddings_mib": round(vectors.nbytes / 2**20),
        "found": int((found.row >= 0).sum()),
        "same_rows": round(float(((found.row >= 0) == with_other).mean()), 5),
        "target": "ratio <= 1, beside <= 64 MiB",
    }
    print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main()
