"""What the tests of a cluster can ask for."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

# The small encoder and the feeds of the tests of a shelf.
sys.path.append(str(Path(__file__).parent.parent / "shelf"))

from ray_parts import Nodes


@pytest.fixture(scope="module")
def nodes() -> Iterator[Nodes]:
    """Three nodes with room for one worker each."""
    pytest.importorskip("ray", reason="needs the extra `cluster`")
    with Nodes(1, 1, 1) as started:
        yield started
