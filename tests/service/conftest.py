"""What the tests of the service can ask for."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest
from service_parts import serving, write_shop

from snapshelf.service import Settings
from snapshelf.systems import System

Start = Callable[..., httpx.Client]


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_shop(tmp_path_factory.mktemp("made"))


@pytest.fixture
def shelf(made: Path, tmp_path: Path) -> Path:
    """A shelf of the small shop, of the test's own."""
    return Path(shutil.copytree(made, tmp_path / "shelf"))


@pytest.fixture
def start(shelf: Path) -> Iterator[Start]:
    """Starts servers for the test's shelf; keyword arguments are `Settings`."""
    with ExitStack() as stack:

        def begin(system: System | None = None, **settings: object) -> httpx.Client:
            return stack.enter_context(serving(shelf, Settings(**settings), system))

        yield begin


@pytest.fixture(scope="module")
def client(made: Path) -> Iterator[httpx.Client]:
    """A client of a server that nobody changes, without keys."""
    with serving(made, Settings(requests_per_minute=1_000_000)) as client:
        yield client
