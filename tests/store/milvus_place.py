"""A shelf in Milvus to test with, empty at the beginning of each test."""

import uuid
from pathlib import Path
from typing import Any

import pytest
from reference_store import DIMENSION

from snapshelf.matching import Distance
from snapshelf.store.milvus import MilvusStore
from snapshelf.store.milvus.address import parse_milvus_address
from snapshelf.store.milvus.connection import Connection
from snapshelf.store.milvus.head import Gap, Head, write_head
from snapshelf.store.milvus.lease import HEAD, LEASE, find_head

PROPERTIES = {"system": "none", "fingerprint": "f" * 32}


class MilvusPlace:
    """A place for a shelf in Milvus, used for one test after the other.

    Making collections and loading them takes seconds; so an old shelf is made new, by a head that
    leaves all rows of before out of account.
    """

    def __init__(self, server: Any, features: Path, name: str) -> None:
        text = f"{server.address}{name}?features={features.as_uri()}"
        self.address = parse_milvus_address(text)
        self._opened: list[MilvusStore] = []

    def create(self, distance: Distance = "cosine") -> None:
        if distance == "l1":
            pytest.skip("Milvus has no L1 distance")
        if not MilvusStore.exists(self.address):
            MilvusStore.create(
                self.address, dimension=DIMENSION, properties=PROPERTIES, distance=distance
            )
            return
        connection = Connection(self.address)
        name, old, _ = find_head(connection, self.address)
        new = Head(
            shelf=uuid.uuid4().hex,
            dimension=DIMENSION,
            distance=distance,
            embeddings=old.embeddings,
            products=old.products,
            index=old.index,
            version=old.reserved,
            reserved=old.reserved + 1,
            timestamp=old.timestamp,
            gaps=(Gap(0, old.reserved - 1, 0),),
            notes=PROPERTIES,
        )
        connection.alter(name, {HEAD: write_head(new), LEASE: ""})
        connection.close()

    def open(self, *, write: bool = False) -> MilvusStore:
        self._opened.append(MilvusStore(self.address, write=write))
        return self._opened[-1]

    def close(self) -> None:
        for opened in self._opened:
            opened.close()
        self._opened.clear()
