"""What every test can ask for."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of development pictures and weights; the test is skipped without it."""
    folder = Path(os.environ.get("SNAPSHELF_DATA") or ROOT / ".." / "shared" / "data").resolve()
    if not folder.is_dir():
        pytest.skip(f"needs the development data: SNAPSHELF_DATA, {folder} is no folder")
    return folder
