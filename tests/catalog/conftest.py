"""Feeds written to files and read back."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from snapshelf.catalog import Catalog, Entry, Problem, Product

ReadFeed = Callable[..., tuple[list[Product], list[Problem]]]


@pytest.fixture
def write_feed(tmp_path: Path) -> Callable[[str, str | bytes], Path]:
    def write(name: str, content: str | bytes) -> Path:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


@pytest.fixture
def read_feed(write_feed: Callable[[str, str | bytes], Path]) -> ReadFeed:
    def read(name: str, content: str | bytes, **options: Any) -> tuple[list[Any], list[Any]]:
        found = list(Catalog.open(write_feed(name, content), **options))
        products = [item.product for item in found if isinstance(item, Entry)]
        return products, [item for item in found if isinstance(item, Problem)]

    return read
