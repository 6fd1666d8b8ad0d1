"""What every test can ask for."""

import importlib.util
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

# Processes share the tests, and threads of each would only wait for those of the others. It has to
# be said before NumPy or PyTorch is imported, and holds for the commands that tests start as well.
os.environ.setdefault("OMP_NUM_THREADS", "1")

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "scripts"))  # where the server of the next fixture is


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Names binary values by their length: what gzip packs holds the time of packing.

    The processes that share the tests each collect them, and have to name them alike.
    """
    if isinstance(val, bytes) and not (val.isascii() and val.decode("ascii").isprintable()):
        return f"{argname} of {len(val)} bytes"
    return None


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of development pictures and weights; the test is skipped without it."""
    folder = Path(os.environ.get("SNAPSHELF_DATA") or ROOT / ".." / "shared" / "data").resolve()
    if not folder.is_dir():
        pytest.skip(f"needs the development data: SNAPSHELF_DATA, {folder} is no folder")
    return folder


@pytest.fixture(scope="session")
def milvus_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A Milvus server, a `milvus_server.MilvusServer`, started once for all tests."""
    for module in ("milvus", "pymilvus"):
        if importlib.util.find_spec(module) is None:
            pytest.skip(f"needs the package {module}")
    from milvus_server import TOKEN, MilvusServer

    try:
        server = MilvusServer(tmp_path_factory.mktemp("milvus"))
    except OSError as error:
        pytest.skip(str(error))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SNAPSHELF_MILVUS_TOKEN", TOKEN)
        yield server
    server.close()
