"""A shelf in a Milvus server, and what goes wrong with it."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "store"))  # the slow reference store

from milvus_place import MilvusPlace


@pytest.fixture(scope="session")
def _session_place(milvus_server: Any, tmp_path_factory: pytest.TempPathFactory) -> MilvusPlace:
    return MilvusPlace(milvus_server, tmp_path_factory.mktemp("features"), "cluster")


@pytest.fixture
def place(_session_place: MilvusPlace) -> Iterator[MilvusPlace]:
    """A place with a new, empty shelf."""
    _session_place.create()
    yield _session_place
    _session_place.close()
