"""Stores to test."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from reference_store import DIMENSION

from snapshelf.matching import Distance
from snapshelf.store import EmbeddedStore, VectorStore

PROPERTIES = {"system": "none", "fingerprint": "f" * 32}


@pytest.fixture(params=["embedded"])
def store_by(
    request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[Callable[[Distance], VectorStore]]:
    """Makes a new, empty store of `DIMENSION` that compares by a distance, open for writing."""
    assert request.param == "embedded"
    made: list[EmbeddedStore] = []

    def make(distance: Distance) -> EmbeddedStore:
        EmbeddedStore.create(
            tmp_path / "shelf", dimension=DIMENSION, properties=PROPERTIES, distance=distance
        )
        made.append(EmbeddedStore(tmp_path / "shelf", write=True))
        return made[-1]

    yield make
    for opened in made:
        opened.close()


@pytest.fixture
def store(store_by: Callable[[Distance], VectorStore]) -> VectorStore:
    """A new, empty store of `DIMENSION`, open for writing; every store keeps the contract."""
    return store_by("cosine")


@pytest.fixture
def make_store(tmp_path: Path) -> Iterator[Callable[..., EmbeddedStore]]:
    """Makes embedded stores below `tmp_path` and closes them in the end."""
    made: list[EmbeddedStore] = []

    def make(
        name: str = "shelf", dimension: int = DIMENSION, distance: Distance = "cosine"
    ) -> EmbeddedStore:
        folder = tmp_path / name
        if not EmbeddedStore.exists(folder):
            EmbeddedStore.create(
                folder, dimension=dimension, properties=PROPERTIES, distance=distance
            )
        made.append(EmbeddedStore(folder, write=True))
        return made[-1]

    yield make
    for opened in made:
        opened.close()
