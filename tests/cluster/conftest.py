"""A Ray cluster and a shelf in a Milvus server, and what goes wrong with them."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

# The small encoder and the feeds of the tests of a shelf; the slow reference store.
sys.path.append(str(Path(__file__).parent.parent / "shelf"))
sys.path.insert(0, str(Path(__file__).parent.parent / "store"))

from milvus_place import MilvusPlace
from ray_parts import Nodes


@pytest.fixture(scope="module")
def nodes() -> Iterator[Nodes]:
    """Three nodes with room for one worker each."""
    pytest.importorskip("ray", reason="needs the extra `cluster`")
    with Nodes(1, 1, 1) as started:
        yield started


@pytest.fixture(scope="session")
def _session_place(milvus_server: Any, tmp_path_factory: pytest.TempPathFactory) -> MilvusPlace:
    return MilvusPlace(milvus_server, tmp_path_factory.mktemp("features"), "cluster")


@pytest.fixture
def place(_session_place: MilvusPlace) -> Iterator[MilvusPlace]:
    """A place with a new, empty shelf."""
    _session_place.create()
    yield _session_place
    _session_place.close()
