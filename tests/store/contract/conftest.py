"""The stores that keep the contract, each test against every one of them."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest
from milvus_place import PROPERTIES, MilvusPlace
from reference_store import DIMENSION

from snapshelf.matching import Distance
from snapshelf.store import EmbeddedStore, VectorStore


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


@pytest.fixture(scope="session")
def cluster(milvus_server: Any, tmp_path_factory: pytest.TempPathFactory) -> MilvusPlace:
    return MilvusPlace(milvus_server, tmp_path_factory.mktemp("features"), "contract")


@pytest.fixture(params=["embedded", pytest.param("milvus", marks=pytest.mark.cluster)])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """Where a store of this test may be; every store keeps the contract."""
    if request.param == "milvus":
        callspec = getattr(request.node, "callspec", None)
        if callspec is not None and 1 < callspec.params.get("seed", 0) < 6:
            pytest.skip("the first two random worlds are enough here")
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
