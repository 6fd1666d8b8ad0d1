"""Stores to test."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from reference_store import DIMENSION

from snapshelf.store import EmbeddedStore, VectorStore

PROPERTIES = {"system": "none", "fingerprint": "f" * 32}


@pytest.fixture(params=["embedded"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[VectorStore]:
    """A new, empty store of `DIMENSION`, open for writing; every store keeps the contract."""
    assert request.param == "embedded"
    EmbeddedStore.create(tmp_path / "shelf", dimension=DIMENSION, properties=PROPERTIES)
    opened = EmbeddedStore(tmp_path / "shelf", write=True)
    yield opened
    opened.close()


@pytest.fixture
def make_store(tmp_path: Path) -> Iterator[Callable[..., EmbeddedStore]]:
    """Makes embedded stores below `tmp_path` and closes them in the end."""
    made: list[EmbeddedStore] = []

    def make(name: str = "shelf", dimension: int = DIMENSION) -> EmbeddedStore:
        folder = tmp_path / name
        if not EmbeddedStore.exists(folder):
            EmbeddedStore.create(folder, dimension=dimension, properties=PROPERTIES)
        made.append(EmbeddedStore(folder, write=True))
        return made[-1]

    yield make
    for opened in made:
        opened.close()
