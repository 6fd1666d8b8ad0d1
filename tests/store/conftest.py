"""Stores to test."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from reference_store import DIMENSION

from snapshelf.matching import Distance
from snapshelf.store import EmbeddedStore

PROPERTIES = {"system": "none", "fingerprint": "f" * 32}


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
