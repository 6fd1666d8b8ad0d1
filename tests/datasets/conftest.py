"""Small data sets in published layouts, written by the tests."""

from pathlib import Path

import pytest

JPEG = b"\xff\xd8\xff"
"""Where a picture is only named, never decoded."""


@pytest.fixture
def write(tmp_path):
    """Write pictures below the test's folder, by their paths."""

    def write_files(*pictures: str) -> Path:
        for name in pictures:
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(JPEG)
        return tmp_path

    return write_files


@pytest.fixture
def listed(tmp_path):
    """Write a list: its path, and its lines."""

    def write_list(name: str, *lines: str, end: str = "\n", mark: str = "") -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes((mark + end.join(lines) + end).encode())
        return path

    return write_list
