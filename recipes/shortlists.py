"""What the length of a shortlist costs and loses: a system's re-ranker on the first N products.

Prints a JSON line for each length, and for Studio2Shop, whose similarities are probabilities, one
that says how far they can be believed: over all pairs of a photo and a product that were looked at,
as they are and with the odds brought from the share of right pairs in training to that in the shop.
"""

import argparse
import json
import time
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from snapshelf.datasets import open_dataset
from snapshelf.evaluation.calibration import reliability
from snapshelf.features.encoder import Domain
from snapshelf.matching.reranker import Candidate, Reranker
from snapshelf.systems import System
from snapshelf.systems.wrapping import embed_and_describe

TOPS = (1, 5, 10, 20, 50)


def main() -> None:
    """Embed and describe everything once, and rank it for each length."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--system", required=True)
    parser.add_argument("--data", required=True, help="NAME:DIR")
    parser.add_argument("--split", default="val")
    parser.add_argument("--lengths", default="50,100,200,500,1000", help="besides all products")
    parser.add_argument("--share", type=float, help="of right pairs in training, for probabilities")
    options = parser.parse_args()
    system, data = System.load(options.system), open_dataset(options.data)
    assert system.reranker is not None, "the system has no re-ranker"
    queries, products = data.queries(options.split), data.products()
    # A product stands by its first picture, as the articles of these data sets do.
    titles = [(data.root / product.images[0], None) for product in products]
    photos = [(query.picture, query.box) for query in queries]
    describe = system.reranker.describe
    shop, parts = embed_and_describe(
        system, titles, Domain.SHOP, lambda picture: describe(picture, Domain.SHOP)
    )
    street, described = embed_and_describe(
        system, photos, Domain.STREET, lambda picture: describe(picture, Domain.STREET)
    )
    right = np.array([[product.id in query.products for product in products] for query in queries])
    lengths = [int(length) for length in options.lengths.split(",")]
    for length in (*(each for each in lengths if each < len(products)), len(products)):
        found = [
            ranked(system.reranker, row, query, parts, length)
            for row, query in zip(street @ shop.T, described, strict=True)
        ]
        places = np.array(
            [
                1 + np.flatnonzero(own[order])[0]
                for own, (order, *_) in zip(right, found, strict=True)
            ]
        )
        print(
            json.dumps(
                {
                    "shortlist": length,
                    "products": len(products),
                    **{f"top{top}": round(float(np.mean(places <= top)), 4) for top in TOPS},
                    "median_rank": float(np.median(places)),
                    "rerank_ms": round(1e3 * float(np.median([each[2] for each in found])), 3),
                }
            )
        )
    if options.share is not None:
        shown = np.stack([own[order] for own, (order, *_) in zip(right, found, strict=True)])
        believed = np.stack([similarities for _, similarities, _ in found])
        print(json.dumps(calibration(believed, shown, options.share)))


def ranked(
    reranker: Reranker,
    similarities: NDArray[np.float32],
    query: bytes,
    parts: Sequence[bytes],
    length: int,
) -> tuple[NDArray[np.int64], NDArray[np.float64], float]:
    """Rank all products, those of the shortlist by the re-ranker.

    Returns:
        (N,) int64, the products' rows, best first; (length,) float64, what the re-ranker says of
        the first of them; and its seconds.
    """
    order = np.argsort(-similarities, kind="stable")
    head = order[:length]
    candidates = [Candidate(float(similarities[row]), parts[row]) for row in head]
    start = time.perf_counter()
    judged = np.array([each.similarity for each in reranker.rerank(query, candidates)])
    seconds = time.perf_counter() - start
    best = np.argsort(-judged, kind="stable")
    return np.concatenate([head[best], order[length:]]), judged[best], seconds


def calibration(
    believed: NDArray[np.float64], shown: NDArray[np.bool_], trained: float
) -> dict[str, float]:
    """Compare probabilities with how often they were right.

    Args:
        believed: (Q, N) float64, probabilities of pairs.
        shown: (Q, N) bool, whether the photo shows the product.
        trained: Share of right pairs in training.

    Returns:
        Expected calibration errors of all pairs and of each photo's likeliest product, and shares.
    """
    share = float(shown.mean())
    odds = believed / np.clip(1 - believed, 1e-9, None)
    brought = odds * (share / (1 - share)) / (trained / (1 - trained))
    moved = brought / (1 + brought)
    return {
        "share_right": round(share, 5),
        "error_all_pairs": round(reliability(believed.ravel(), shown.ravel()).error, 4),
        "error_all_pairs_moved": round(reliability(moved.ravel(), shown.ravel()).error, 4),
        "first_right": round(float(shown[:, 0].mean()), 4),
        "first_believed": round(float(believed[:, 0].mean()), 4),
        "first_believed_moved": round(float(moved[:, 0].mean()), 4),
        "error_first": round(reliability(believed[:, 0], shown[:, 0]).error, 4),
        "error_first_moved": round(reliability(moved[:, 0], shown[:, 0]).error, 4),
    }


if __name__ == "__main__":
    main()
