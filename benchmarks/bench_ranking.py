"""The exact ranking of an evaluation against raw exact faiss over the same embeddings.

Every query is compared with the whole gallery, in turns: by `product_ranks`, which tells the right
product's rank and the first `TOP`, and by a flat index of faiss, which gives the first `TOP`. By L2
distance L2-normalised embeddings rank as by cosine: faiss takes inner products for both.

Target, of 538,517 x 512, a published gallery's size: at most 1.1 times faiss.
"""

import argparse
import json
import time
from typing import get_args

import faiss
import numpy as np
from large_shelf import clustered, query_near_each

from snapshelf.evaluation.ranking import product_ranks
from snapshelf.matching import Distance

TOP = 20
METRICS: dict[Distance, int] = {
    "cosine": faiss.METRIC_INNER_PRODUCT,
    "l2": faiss.METRIC_INNER_PRODUCT,
    "l1": faiss.METRIC_L1,
}


def main() -> None:
    """Print one JSON line for each distance."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gallery", type=int, default=538_517)
    parser.add_argument("--dimension", type=int, default=512)
    parser.add_argument("--queries", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    gallery = clustered(options.gallery, options.dimension)
    rng = np.random.default_rng(1)
    right = rng.integers(0, options.gallery, options.queries)
    queries = query_near_each(gallery[right], rng)
    products = np.arange(options.gallery)
    relevant = [[number] for number in right.tolist()]
    for distance in get_args(Distance):
        index = faiss.IndexFlat(options.dimension, METRICS[distance])
        index.add(gallery)
        seconds = {"faiss": float("inf"), "ours": float("inf")}
        for _ in range(options.rounds):
            start = time.perf_counter()
            _, first = index.search(queries, TOP)
            middle = time.perf_counter()
            ranked = product_ranks(queries, gallery, products, relevant, distance=distance, top=TOP)
            end = time.perf_counter()
            seconds["faiss"] = min(seconds["faiss"], middle - start)
            seconds["ours"] = min(seconds["ours"], end - middle)
        del index
        result = {
            "benchmark": "ranking",
            "gallery": f"{options.gallery}x{options.dimension}",
            "distance": distance,
            "queries": options.queries,
            "faiss_ms_a_query": round(1e3 * seconds["faiss"] / options.queries, 2),
            "ranking_ms_a_query": round(1e3 * seconds["ours"] / options.queries, 2),
            "ratio": round(seconds["ours"] / seconds["faiss"], 3),
            "same_first": round(float((ranked.found == first).mean()), 4),
            "target": "ratio <= 1.1",
        }
        print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main()
