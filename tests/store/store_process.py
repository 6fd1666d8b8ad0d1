"""What the tests of several processes run in another one: ``store_process.py WHAT FOLDER``."""

# ruff: noqa: T201 - the parent process reads what is printed

import sys
import time
from pathlib import Path

import numpy as np
from reference_store import DIMENSION, picture, record

from snapshelf.store import EmbeddedStore, embedded

PRODUCTS = 24


def world(state: int) -> list:
    """Every product's one picture, which tells by its direction and name the state it is of."""
    angle = state * 0.01
    vector = np.zeros(DIMENSION, np.float32)
    vector[:2] = np.cos(angle), np.sin(angle)
    return [
        record(f"p{n}", picture(f"{state}.jpg", vector, content=f"{state}"))
        for n in range(PRODUCTS)
    ]


def search(folder: Path) -> None:
    """Search until the writer is done; every answer must be of one committed state."""
    store = EmbeddedStore(folder)
    query = np.zeros((1, DIMENSION), np.float32)
    query[0, 0] = 1
    states, last = set(), -1
    print("ready", flush=True)
    while not (folder.parent / "done").exists():
        (hits,) = store.search(query, 100)
        shown = {hit.source for hit in hits}
        assert len(hits) == PRODUCTS, f"{len(hits)} products"
        assert len(shown) == 1, f"an answer of several states: {shown}"
        state = int(shown.pop().removesuffix(".jpg"))
        assert state >= last, f"state {state} after {last}"
        assert abs(hits[0].similarity - np.cos(state * 0.01)) < 1e-5, "another state's vector"
        states.add(state)
        last = state
    print(len(states), flush=True)
    store.close()


def hold(folder: Path) -> None:
    """Keep the writer's lock until killed, in the middle of a run."""
    store = EmbeddedStore(folder, write=True)
    number = store.begin_run("the other feed")
    store.upsert(world(7), run=number)
    print("ready", flush=True)
    time.sleep(60)


def kill_in_transaction(folder: Path) -> None:
    """Die without warning while a transaction is open."""
    store = EmbeddedStore(folder, write=True)

    inside = embedded.put_product

    def put(db, one, **given):
        inside(db, one, **given)
        if one.product.id == f"p{PRODUCTS - 1}":
            print("ready", flush=True)
            time.sleep(60)

    embedded.put_product = put
    store.upsert(world(9), run=1)


if __name__ == "__main__":
    {"search": search, "hold": hold, "kill": kill_in_transaction}[sys.argv[1]](Path(sys.argv[2]))
