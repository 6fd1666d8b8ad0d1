"""Studio2Shop's searches through a shelf, as users run them, against the plain contract.

A matcher learns as in bench_matcher.py, and a shelf holds an article's features as its embedding
and its part of the first layer as its description. Then `Shelf.search` finds the 20 best of all
articles, and of a shortlist of 1,000, from a picture to matches with their products; only the
encoder gives what was drawn before. By turns:

- kept: as the system does it, with the descriptions in memory from the search before;
- handed: by the re-ranker's plain `rerank`, which every search hands what it reads of the shelf;
- the scoring alone, of the same articles;
- eight items of one photo.

Each one's best turn counts, since other load only ever slows one down. top10 is how many queries
find the article that they are a likeness of, and overlap how many of the 20 that the plain network
finds best a search over all articles shows. Targets: ratio of handed to kept at least 8 over all
articles, overlap at least 0.98, the memory below 1 GB.
"""

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from bench_matcher import LIKENESS, TOP, like, measure, paper, train
from large_shelf import large_shelf
from memory_use import watched_memory
from numpy.typing import NDArray
from torch.nn.functional import normalize

from snapshelf.features.encoder import Domain
from snapshelf.locating import Region, WholePicture
from snapshelf.matching.assortment import Assortment
from snapshelf.matching.folded_matcher import FoldedMatcher
from snapshelf.matching.studio_reranking import EVERY, StudioReranker
from snapshelf.shelf import Shelf
from snapshelf.shelf.system_check import system_properties
from snapshelf.systems import System

DIMENSION = 128
SHORTLIST = 1000
ITEMS = 8


class DrawnEncoder:
    """Gives features that were drawn before: that of the number that is a picture's first pixel."""

    dimension = DIMENSION
    fingerprint = "drawn"

    def __init__(self, features: NDArray[np.float32]) -> None:
        self.features = features

    def prepare(self, picture: NDArray[np.uint8], domain: Domain) -> NDArray[np.uint8]:  # noqa: ARG002
        """Give the first pixel."""
        return picture[:1, :1]

    def encode(self, inputs: NDArray[np.uint8], _domain: Domain) -> NDArray[np.float32]:
        """Give the feature of each."""
        return self.features[inputs[:, 0, 0, 0]]


class Rows:
    """Finds an item in every row of pixels."""

    fingerprint = "rows"

    def locate(self, picture: NDArray[np.uint8]) -> tuple[Region, ...]:
        """Give the rows."""
        width = picture.shape[1]
        return tuple(Region((0, n, width, n + 1)) for n in range(len(picture)))

    candidates = locate


class Handed:
    """A re-ranker with nothing but the plain contract."""

    def __init__(self, inner: StudioReranker) -> None:
        self.depth, self.fingerprint = inner.depth, inner.fingerprint
        self.describe, self.rerank = inner.describe, inner.rerank


def main() -> None:
    """Print one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--articles", type=int, default=50_000)
    parser.add_argument("--queries", type=int, default=50, help="that the agreement is taken over")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    if not ITEMS <= options.queries <= 256:
        raise SystemExit(f"--queries must be in [{ITEMS}, 256], got {options.queries}")
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    torch.manual_seed(0)
    articles = normalize(torch.randn(options.articles, DIMENSION))
    network = train(articles)
    asked = like(articles[: options.queries])
    matcher = network.fold()
    drawn, asked_for = articles.numpy(), asked.numpy()
    parts = matcher.shop_parts(drawn)
    encoder = DrawnEncoder(asked_for)
    pictures = np.zeros((options.queries, 1, 1, 3), np.uint8)
    pictures[:, 0, 0, 0] = np.arange(options.queries)
    photo = pictures[:ITEMS, 0].copy()
    with tempfile.TemporaryDirectory(prefix="snapshelf-bench-") as folder:
        place = large_shelf(
            Path(folder),
            drawn,
            properties=system_properties(studio(encoder, matcher, EVERY)),
            descriptions=[part.astype("<f4").tobytes() for part in parts],
        )
        with watched_memory() as memory:
            every = Shelf.open(place, studio(encoder, matcher, EVERY))
            began = time.perf_counter()
            every.search(pictures[0], top=TOP)
            first = time.perf_counter() - began
            found = [shown(every, each) for each in pictures]
        short = Shelf.open(place, studio(encoder, matcher, SHORTLIST))
        several = Shelf(every.store, every.system)
        # Other items in the photos; the shelf's own pictures hold one each.
        several.system = replace(every.system, locator=Rows())
        plain = [Shelf(each.store, handed(each.system)) for each in (every, short)]
        kept = [shown(short, each) for each in pictures]
        assortment = Assortment(matcher, parts)
        street = matcher.street_parts(asked_for)
        ways: dict[str, Callable[[], object]] = {
            "every": lambda: every.search(pictures[0], top=TOP),
            "every_handed": lambda: plain[0].search(pictures[0], top=TOP),
            "every_scoring": lambda: assortment.best(street[:1], TOP),
            "eight_items": lambda: several.search(photo, top=TOP),
            "eight_scoring": lambda: assortment.best(street[:ITEMS], TOP),
            "shortlist": lambda: short.search(pictures[0], top=TOP),
            "shortlist_handed": lambda: plain[1].search(pictures[0], top=TOP),
        }
        seconds = measure(ways, options.rounds)
        for shelf in (every, short):
            shelf.close()
    right = [
        np.argsort(-paper(network, each, articles).numpy(), kind="stable")[:TOP].tolist()
        for each in asked
    ]
    overlap = [len({*a} & {*b}) / TOP for a, b in zip(right, found, strict=True)]
    top10 = {
        name: round(float(np.mean([n in rows[:10] for n, rows in enumerate(lists)])), 3)
        for name, lists in (("every", found), ("shortlist", kept))
    }
    result = {
        "benchmark": "studio_shelf",
        "articles": options.articles,
        "noise": LIKENESS,
        "cores": len(os.sched_getaffinity(0)),
        "precision": assortment.precision,
        "ms": {name: round(1e3 * value, 2) for name, value in seconds.items()},
        "first_ms": round(1e3 * first, 1),
        "ratio": round(seconds["every_handed"] / seconds["every"], 1),
        "ratio_shortlist": round(seconds["shortlist_handed"] / seconds["shortlist"], 1),
        "ratio_to_scoring": round(seconds["every"] / seconds["every_scoring"], 2),
        "ratio_of_eight": round(ITEMS * seconds["every"] / seconds["eight_items"], 2),
        "overlap": round(float(np.mean(overlap)), 4),
        "top10": top10,
        **memory.as_json("whole"),
        "target": "ratio >= 8, overlap >= 0.98, whole_own_mib < 950",
    }
    print(json.dumps(result))


def studio(encoder: DrawnEncoder, matcher: FoldedMatcher, depth: int) -> System:
    """Make the system: given features, the learned match."""
    reranker = StudioReranker(encoder, encoder, matcher, depth=depth)
    return System("drawn", WholePicture(), encoder, reranker=reranker)


def handed(system: System) -> System:
    """Make the same with the plain contract."""
    assert isinstance(system.reranker, StudioReranker)
    return replace(system, reranker=Handed(system.reranker))


def shown(shelf: Shelf, picture: NDArray[np.uint8]) -> list[int]:
    """Search; gives the numbers of the products that are shown."""
    (item,) = shelf.search(picture, top=TOP).items
    return [int(match.product.id[1:]) for match in item.matches]


if __name__ == "__main__":
    main()
