"""The stores that keep the contract, each test against every one of them."""

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest
from reference_store import DIMENSION

from snapshelf.matching import Distance
from snapshelf.store import EmbeddedStore, VectorStore
from snapshelf.store.milvus import MilvusStore
from snapshelf.store.milvus.address import parse_milvus_address
from snapshelf.store.milvus.connection import Connection
from snapshelf.store.milvus.head import Gap, Head, write_head
from snapshelf.store.milvus.lease import HEAD, LEASE, find_head

PROPERTIES = {"system": "none", "fingerprint": "f" * 32}


class Place(Protocol):
    """Somewhere to keep one shelf."""

    def create(self, distance: Distance) -> None:
        """Make the shelf, empty."""

    def open(self, *, write: bool = False) -> VectorStore:
        """Open it once more; closed in the end."""


class Folder:
    """A place for an embedded store."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._opened: list[VectorStore] = []

    def create(self, distance: Distance) -> None:
        EmbeddedStore.create(
            self._folder, dimension=DIMENSION, properties=PROPERTIES, distance=distance
        )

    def open(self, *, write: bool = False) -> VectorStore:
        self._opened.append(EmbeddedStore(self._folder, write=write))
        return self._opened[-1]

    def close(self) -> None:
        for opened in self._opened:
            opened.close()


class Cluster:
    """A place for a shelf in Milvus, used for one test after the other.

    Making collections and loading them takes seconds; so an old shelf is made new, by a head that
    leaves all rows of before out of account.
    """

    def __init__(self, server: Any, features: Path) -> None:
        text = f"{server.address}contract?features={features.as_uri()}"
        self._address = parse_milvus_address(text)
        self._opened: list[VectorStore] = []

    def create(self, distance: Distance) -> None:
        if distance == "l1":
            pytest.skip("Milvus has no L1 distance")
        if not MilvusStore.exists(self._address):
            MilvusStore.create(
                self._address, dimension=DIMENSION, properties=PROPERTIES, distance=distance
            )
            return
        connection = Connection(self._address)
        name, old, _ = find_head(connection, self._address)
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

    def open(self, *, write: bool = False) -> VectorStore:
        self._opened.append(MilvusStore(self._address, write=write))
        return self._opened[-1]

    def close(self) -> None:
        for opened in self._opened:
            opened.close()
        self._opened.clear()


@pytest.fixture(scope="session")
def cluster(milvus_server: Any, tmp_path_factory: pytest.TempPathFactory) -> Cluster:
    return Cluster(milvus_server, tmp_path_factory.mktemp("features"))


@pytest.fixture(params=["embedded", pytest.param("milvus", marks=pytest.mark.cluster)])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """Where a store of this test may be; every store keeps the contract."""
    if request.param == "milvus":
        found = request.getfixturevalue("cluster")
    else:
        found = Folder(tmp_path / "shelf")
    yield found
    found.close()


@pytest.fixture
def store_by(place: Place) -> Callable[[Distance], VectorStore]:
    """Makes a new, empty store of `DIMENSION` that compares by a distance, open for writing."""

    def make(distance: Distance) -> VectorStore:
        place.create(distance)
        return place.open(write=True)

    return make


@pytest.fixture
def store(store_by: Callable[[Distance], VectorStore]) -> VectorStore:
    """A new, empty store of `DIMENSION`, open for writing."""
    return store_by("cosine")
