"""Indexing on a Ray cluster of this machine: one worker, two workers, and no cluster.

Each worker takes one processor. The ratio of two workers to one is bounded by the processors that
are free and by what the one command does itself for each picture: looking up, deciding, storing.
That part is measured apart, as the command's own processor time, and tells how many such workers
one command could feed. The start of workers and of the cluster is left out of the rates and told.
Target: a ratio of at least 1.6 on two free cores.
"""

import argparse
import json
import os
import shutil
import tempfile
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from snapshelf.catalog import Catalog
from snapshelf.cluster.indexing import open_source, ray_embedder
from snapshelf.cluster.worker_pool import WorkerSettings
from snapshelf.features.computing import Computing, computing
from snapshelf.shelf import Shelf
from snapshelf.systems import System


@dataclass(frozen=True)
class Took:
    """What one indexing run took.

    Attributes:
        rate: Pictures a second.
        own_seconds: Processor time of the command itself.
        start_seconds: Until the first worker was ready.
    """

    rate: float
    own_seconds: float
    start_seconds: float = 0.0


def main() -> None:
    """Print one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--system", default="compact")
    options = parser.parse_args()
    source = Path(os.environ.get("SNAPSHELF_DATA", "../shared/data")) / "grocery" / "train"
    if not source.is_dir():
        print(json.dumps({"benchmark": "ray", "skipped": f"no pictures in {source}"}))
        return
    with computing(Computing(threads=1)):
        single = System.load(options.system)
    runs: dict[str, list[Took]] = {"plain": [], "one": [], "two": []}
    with tempfile.TemporaryDirectory() as place:
        feed = Path(place) / "pictures"
        feed.mkdir()
        for number, file in enumerate(sorted(source.rglob("*.jpg"))[: options.pictures]):
            shutil.copyfile(file, feed / f"{number:05d}.jpg")
        for number in range(options.rounds):
            shelf = Path(place) / f"shelf-{number}"
            runs["plain"].append(without(single, feed, shelf.with_suffix(".plain")))
            runs["one"].append(spread(single, feed, shelf.with_suffix(".one"), 1))
            runs["two"].append(spread(single, feed, shelf.with_suffix(".two"), 2))
    best = {name: max(each, key=lambda took: took.rate) for name, each in runs.items()}
    own = min(took.own_seconds for took in runs["two"]) / options.pictures
    result = {
        "benchmark": "ray",
        "system": options.system,
        "pictures": options.pictures,
        "processors": os.cpu_count(),
        "load_average": round(os.getloadavg()[0], 1),
        "one_process_pictures_per_s": round(best["plain"].rate, 1),
        "one_worker_pictures_per_s": round(best["one"].rate, 1),
        "two_workers_pictures_per_s": round(best["two"].rate, 1),
        "ratio": round(best["two"].rate / best["one"].rate, 2),
        "start_seconds": round(best["two"].start_seconds, 1),
        "own_ms_per_picture": round(1000 * own, 2),
        "workers_one_command_could_feed": int(1 / own / best["one"].rate),
        "target": "ratio >= 1.6 on two free cores",
    }
    print(json.dumps(result))


def without(system: System, feed: Path, shelf: Path) -> Took:
    """Index in this process, with one thread for the encoder."""
    own, start = time.process_time(), time.perf_counter()
    with Shelf.build(Catalog.open(feed, format="pictures"), shelf, system) as built:
        seconds = time.perf_counter() - start
        embedded = built.updated.pictures_embedded
    return Took(embedded / seconds, time.process_time() - own)


def spread(system: System, feed: Path, shelf: Path, workers: int) -> Took:
    """Index with so many workers of one processor each."""
    catalog = Catalog.open(feed, format="pictures")
    source = partial(open_source, feed, catalog.root, None, seen_at=feed.stat().st_mtime)
    settings = WorkerSettings(count=workers)
    with ray_embedder("local", settings, system=system, open_source=source) as embedder:
        own = time.process_time()
        Shelf.build(catalog, shelf, system, embedder=embedder).close()
        own = time.process_time() - own
        throughput = embedder.throughput()
    return Took(throughput.pictures_per_second, own, throughput.start_seconds)


if __name__ == "__main__":
    main()
