"""A shelf with local features: its size a picture, and a re-ranked search's time and memory.

Every picture has an embedding and the key points and colours of one of `PRINTS` drawn prints, as
the verified re-ranker describes it, dealt out in turn; SQLite keeps each of them whole. The shelf
is written in commits of 256 pictures as `snapshelf index` does, then searched in a fresh process
with nothing of it in the page cache: `Shelf.search` of drawn photos, from pixels to re-ranked
matches, with an encoder that gives embeddings made before. At the end a search compares under a
filter, and one without the graph, which touches every page of the index.

A gallery of 538,517 pictures (`--pictures 538517`) takes some 40 GB of disk while this runs; by
default fewer are made, and sizes grow in proportion. The shelf is removed at the end.

Targets: 538,517 pictures within 64 GB of disk, and searched within 4 GiB of memory.
"""

import argparse
import json
import multiprocessing
import shutil
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from bench_open import drop
from bench_reranking import draw_print, photograph
from large_shelf import brand_of, clustered, large_shelf, query_near_each
from memory_use import watched_memory
from numpy.typing import NDArray

from snapshelf.features.encoder import Domain
from snapshelf.locating.whole_picture import WholePicture
from snapshelf.matching.local.fusion import Fusion
from snapshelf.matching.local.settings import LocalSettings
from snapshelf.matching.local.verified_reranking import VerifiedReranker
from snapshelf.shelf import Match, Shelf
from snapshelf.shelf.system_check import system_properties
from snapshelf.store.view import GRAPH_UP_TO
from snapshelf.systems import System

PUBLISHED = 538_517
PRINTS = 300
SIDE = 400
DIMENSION = 512
TOP = 20
VECTORS = "described-vectors.npy"
ALLOWANCE = 75_000
"""Bytes of disk a picture that must be free, for the shelf and what is written on the way."""


class GivenEncoder:
    """Gives an embedding that was set before, of whatever picture."""

    dimension = DIMENSION
    fingerprint = "given"
    embedding: NDArray[np.float32]

    def prepare(self, picture: NDArray[np.uint8], domain: Domain) -> NDArray[np.uint8]:  # noqa: ARG002
        """Give a pixel."""
        return picture[:1, :1]

    def encode(self, inputs: NDArray[np.uint8], _domain: Domain) -> NDArray[np.float32]:
        """Give the embedding for each picture."""
        return np.repeat(self.embedding[None], len(inputs), axis=0)


def main() -> None:
    """Print one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path("build/bench"))
    parser.add_argument("--pictures", type=int, default=20_000)
    parser.add_argument("--searches", type=int, default=50)
    parser.add_argument("--spare-gb", type=float, default=20, help="disk that must be left free")
    parser.add_argument("--keep", action="store_true", help="leave the shelf there")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(options.folder).free / 1e9
    wanted = options.pictures * ALLOWANCE / 1e9 + options.spare_gb
    if free < wanted:
        raise SystemExit(
            f"{options.folder} has {free:.0f} GB free, {wanted:.0f} are wanted for "
            f"{options.pictures} pictures: give fewer --pictures, or another --folder"
        )
    place = options.folder / f"shelf-{options.pictures}x{DIMENSION}-described"
    shutil.rmtree(place, ignore_errors=True)
    targets, queries = prepare(options.folder / VECTORS, options.pictures, options.searches)
    try:
        built = in_fresh_process(build, options.folder)
        files = [file for file in place.rglob("*") if file.is_file()]
        drop(files)
        sizes = {file: file.stat().st_size for file in files}
        searched = in_fresh_process(search, place, targets, queries)
    finally:
        (options.folder / VECTORS).unlink()
        if not options.keep:
            shutil.rmtree(place, ignore_errors=True)
    total = sum(sizes.values())
    index = sum(size for file, size in sizes.items() if "index" in file.parts)
    result = {
        "benchmark": "described_shelf",
        "pictures": options.pictures,
        "embedding_bytes": 4 * DIMENSION,
        **built,
        "database_bytes_a_picture": round((total - index) / options.pictures),
        "index_bytes_a_picture": round(index / options.pictures),
        "disk_gb": round(total / 1e9, 2),
        f"disk_gb_for_{PUBLISHED}": round(total / options.pictures * PUBLISHED / 1e9, 1),
        **searched,
        "target": f"disk_gb_for_{PUBLISHED} <= 64; of {PUBLISHED}, search_resident_mib <= 4096",
    }
    print(json.dumps(result))


def in_fresh_process(work: Callable[..., dict[str, Any]], *arguments: object) -> dict[str, Any]:
    """Call a function in a process that has done nothing before."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(work, arguments)


def system() -> System:
    """Give the system: given embeddings, verified key points."""
    reranker = VerifiedReranker(LocalSettings(), Fusion(weight=0.1, colour=0.05, chance=5))
    return System("given", WholePicture(), GivenEncoder(), reranker=reranker)


def prepare(file: Path, pictures: int, searches: int) -> tuple[list[int], NDArray[np.float32]]:
    """Write the embeddings to a file; gives numbers of pictures, and a query near each."""
    vectors = clustered(pictures, DIMENSION)
    np.save(file, vectors)
    rng = np.random.default_rng(1)
    targets = rng.integers(0, pictures, searches)
    return targets.tolist(), query_near_each(vectors[targets], rng)


def build(folder: Path) -> dict[str, Any]:
    """Write the shelf; tells the seconds, the size of a description, and the memory taken."""
    given = system()
    assert given.reranker is not None
    descriptions = [
        given.reranker.describe(draw_print(number, SIDE), Domain.SHOP) for number in range(PRINTS)
    ]
    # Mapped, so that they do not count as the store's own memory.
    vectors = np.load(folder / VECTORS, mmap_mode="r")
    start = time.perf_counter()
    with watched_memory() as memory:
        large_shelf(folder, vectors, properties=system_properties(given), descriptions=descriptions)
    seconds = time.perf_counter() - start
    return {
        "features_bytes": round(statistics.mean(len(each) for each in descriptions)),
        "build_s": round(seconds),
        "build_pictures_per_s": round(len(vectors) / seconds),
        "build_own_mib": round(memory.own),
    }


def search(place: Path, targets: list[int], queries: NDArray[np.float32]) -> dict[str, Any]:
    """Search for photos of prints; tells how long it took, how many were right, and the memory."""
    given = system()
    cold: list[float] = []
    warm: list[float] = []
    right = 0
    with watched_memory() as memory:
        start = time.perf_counter()
        shelf = Shelf.open(place, given)
        opened = time.perf_counter() - start

        def find(number: int, times: list[float], **options: Any) -> list[Match]:
            target = targets[number]
            photo = photograph(draw_print(target % PRINTS, SIDE), target)
            given.encoder.embedding = queries[number]
            start = time.perf_counter()
            found = shelf.search(photo, **options)
            times.append(time.perf_counter() - start)
            return list(found.items[0].matches)

        for number, target in enumerate(targets):
            right += find(number, cold, top=TOP)[0].product.id == f"P{target:07d}"
        for number in range(len(targets)):
            find(number, warm, top=TOP)
        graph_use = memory.as_json("search")
        filtered: list[float] = []
        find(0, filtered, top=TOP, filter=f'brand="{brand_of(targets[0])}"')
        exact: list[float] = []
        find(0, exact, top=GRAPH_UP_TO + 1)
    return {
        "first_search_ms": round(1e3 * (opened + cold[0]), 1),
        "search_cold_p50_ms": round(1e3 * statistics.median(cold), 1),
        "search_p50_ms": round(1e3 * statistics.median(warm), 1),
        "top1": round(right / len(targets), 3),
        **graph_use,
        "filtered_first_ms": round(1e3 * filtered[0], 1),
        "exact_first_ms": round(1e3 * exact[0], 1),
        **memory.as_json("any_search"),
    }


if __name__ == "__main__":
    main()
