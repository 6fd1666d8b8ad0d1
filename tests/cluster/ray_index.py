"""Indexes on a Ray cluster in a process of its own: ``ray_index.py ADDRESS FEED SHELF LOG``.

Prints the report as JSON, with what was skipped and how the cluster did.
"""

# ruff: noqa: T201 - the parent process reads what is printed

import argparse
import json
import os
import time
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from ray_parts import BLOCK, DEADLY
from shelf_parts import FakeEncoder, Reversing, fake_system

from snapshelf.catalog import Catalog
from snapshelf.cluster import ray_embedder as embedder_module
from snapshelf.cluster.indexing import open_source, ray_embedder
from snapshelf.cluster.worker_pool import WorkerSettings
from snapshelf.shelf import Shelf, update
from snapshelf.systems import System


class Deadly(FakeEncoder):
    """Ends its process on some pictures, and begins when so many processes are there.

    Args:
        together: A file of processes, and how many they are to be.
    """

    def __init__(self, *, together: tuple[Path, int] | None = None, **given: Any) -> None:
        super().__init__(**given)
        self._together = together

    def encode(self, inputs: np.ndarray, domain: object) -> np.ndarray:
        if self._together is not None:
            file, many = self._together
            with file.open("a") as there:
                there.write(f"{os.getpid()}\n")
            while len(set(file.read_text().split())) < many:
                time.sleep(0.05)
            self._together = None
        if any((one[0, 0] == (DEADLY, 0, 0)).all() for one in inputs):
            os._exit(1)
        return super().encode(inputs, domain)


def make_system(
    log: str, seconds: float, fingerprint: str = "fake", together: int | None = None
) -> System:
    encoder = Deadly(
        log=Path(log),
        seconds=seconds,
        fingerprint=fingerprint,
        together=None if together is None else (Path(f"{log}.processes"), together),
    )
    return fake_system(encoder, halves=True, reranker=Reversing())


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("address")
    parser.add_argument("feed", type=Path)
    parser.add_argument("shelf", type=Path)
    parser.add_argument("log")
    parser.add_argument("--seconds", type=float, default=0.0)
    parser.add_argument("--other", action="store_true", help="another system on the workers")
    parser.add_argument("--elsewhere", action="store_true", help="no feed on the workers")
    parser.add_argument("--workers", type=int, default=3)
    parser.add_argument("--together", type=int, help="begin when so many workers are there")
    parser.add_argument("--patience", type=float, default=60.0)
    options = parser.parse_args()
    # Small steps, so that what ends in the middle does end in the middle.
    update.COMMIT_PICTURES, embedder_module.BLOCK = 8, BLOCK
    catalog, problems = Catalog.open(options.feed), []
    system = make_system(options.log, options.seconds)
    build = partial(
        Shelf.build, catalog, options.shelf, system, on_problem=lambda p: problems.append(asdict(p))
    )
    print("ready", flush=True)
    throughput = None
    if options.address == "none":
        shelf = build()
    else:
        seen_at = 0.0 if options.elsewhere else catalog.path.stat().st_mtime
        source = partial(open_source, catalog.path, catalog.root, None, seen_at=seen_at)
        fingerprint = "other" if options.other else "fake"
        with ray_embedder(
            options.address,
            WorkerSettings(count=options.workers, patience_s=options.patience),
            system=system,
            open_source=source,
            load=partial(make_system, options.log, options.seconds, fingerprint, options.together),
        ) as embedder:
            shelf = build(embedder=embedder)
            throughput = embedder.throughput(2.0).to_json()
    report = asdict(shelf.updated) | {"seconds": None}
    print(json.dumps({"report": report, "problems": problems, "ray": throughput}), flush=True)


if __name__ == "__main__":
    main()
