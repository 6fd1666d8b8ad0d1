"""What the tests of a shelf can ask for."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from shelf_parts import Bench


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    made.store.close()
