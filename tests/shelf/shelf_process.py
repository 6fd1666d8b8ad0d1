"""Builds or searches a shelf in a process of its own: ``shelf_process.py build FEED SHELF LOG``."""

# ruff: noqa: T201 - the parent process reads what is printed

import sys
from functools import partial
from pathlib import Path

from shelf_parts import FakeEncoder, Reversing, fake_system, pixels

from snapshelf.catalog import Catalog
from snapshelf.shelf import Shelf, update
from snapshelf.shelf import shelf as shelf_module

# Small steps, so that a kill falls into every kind of moment.
update.COMMIT_PICTURES = 8
shelf_module.update_shelf = partial(update.update_shelf, batch_size=4)


def build(feed: str, shelf: str, log: str, seconds: str) -> None:
    encoder = FakeEncoder(log=Path(log), seconds=float(seconds))
    system = fake_system(encoder, reranker=Reversing())
    print("ready", flush=True)
    Shelf.build(Catalog.open(feed), shelf, system).close()
    print("built", flush=True)


def search(shelf: str, stop: str) -> None:
    """Search until told to stop; print the number of searches and of different answers."""
    opened = Shelf.open(shelf, fake_system(reranker=Reversing()))
    print("ready", flush=True)
    searches, sizes = 0, []
    while not Path(stop).exists():
        (item,) = opened.search(pixels(0), top=1_000).items
        sizes.append(len(item.matches))
        assert sizes == sorted(sizes), "products that were committed have vanished"
        assert [m.rank for m in item.matches] == list(range(1, len(item.matches) + 1))
        searches += 1
    print(searches, len(set(sizes)), flush=True)


if __name__ == "__main__":
    {"build": build, "search": search}[sys.argv[1]](*sys.argv[2:])
