"""A small shop, its feed and shelf, and two ways to run the command: here, or as a process."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from small_shop import (
    GROCERY_HEADER,
    PRODUCTS,
    Outcome,
    command,
    draw,
    row,
    serve,
    write_feed,
)

from snapshelf.cli.main import main


@pytest.fixture(autouse=True)
def _own_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in the test's folder; the user's cache and models stay untouched."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    for name in ("COLUMNS", "FORCE_COLOR", "TTY_COMPATIBLE", "SNAPSHELF_WEIGHTS"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def _made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shop and its shelf, to be copied."""
    from snapshelf.catalog import Catalog
    from snapshelf.shelf import Shelf
    from snapshelf.systems import System

    made = tmp_path_factory.mktemp("made")
    pictures = made / "shop" / "pics"
    pictures.mkdir(parents=True)
    for number in range(PRODUCTS):
        draw(number).save(pictures / f"{number}.png")
    draw(3, 160).save(made / "shop" / "street.jpg", quality=95)
    feed = write_feed(made / "shop", [row(number) for number in range(PRODUCTS)])
    Shelf.build(Catalog.open(feed), made / "shelf", System.load("classical")).close()
    return made


@pytest.fixture
def shop(_made: Path, tmp_path: Path) -> Path:
    """A folder with `feed.csv`, `pics/0.png` to `pics/5.png`, and `street.jpg`, which shows P3."""
    return Path(shutil.copytree(_made / "shop", tmp_path / "shop"))


@pytest.fixture
def shelf(_made: Path, tmp_path: Path) -> Path:
    """A shelf of that shop, made with the system `classical`."""
    return Path(shutil.copytree(_made / "shelf", tmp_path / "shelf"))


Cli = Callable[..., Outcome]


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Cli]:
    """Run the command in this process, which costs next to nothing."""
    handlers = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)}

    def run(*arguments: object) -> Outcome:
        capsys.readouterr()
        monkeypatch.setattr(sys, "argv", ["snapshelf", *map(str, arguments)])
        try:
            main()
            code = 0
        except SystemExit as end:
            code = int(end.code or 0)
        captured = capsys.readouterr()
        return Outcome(code, captured.out, captured.err)

    yield run
    for each, handler in handlers.items():
        signal.signal(each, handler)


@pytest.fixture
def process() -> Cli:
    """Run the command as users do; keyword arguments go to the environment."""

    def run(*arguments: object, **environment: str) -> Outcome:
        done = subprocess.run(
            command(*arguments),
            env=os.environ | environment,
            capture_output=True,
            timeout=60,
            check=False,
        )
        out, err = (each.decode(errors="surrogateescape") for each in (done.stdout, done.stderr))
        return Outcome(done.returncode, out, err)

    return run


@pytest.fixture
def server(shop: Path) -> Iterator[str]:
    """The shop's files on a web server of this machine; gives its address."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

    with serve(partial(Quiet, directory=str(shop))) as address:
        yield address


@pytest.fixture
def grocery(tmp_path: Path) -> Path:
    """A data set in the layout of the Grocery Store Dataset: 4 products, 2 photos of each."""
    root = tmp_path / "grocery"
    classes, photos = [GROCERY_HEADER], []
    for number, name in enumerate(["Royal-Gala", "Pink-Lady", "Oat-Milk", "Leek"]):
        group = ("Fruit/Apple", "Fruit/Apple", "Packages/Milk", "Vegetables/Leek")[number]
        folder = root / "iconic-images-and-descriptions" / group / name
        folder.mkdir(parents=True)
        draw(number).save(folder / f"{name}_Iconic.jpg", quality=95)
        (folder / f"{name}_Description.txt").write_text("Fresh.", encoding="utf-8")
        inside = folder.relative_to(root)
        classes.append(
            f"{name},{number},{group.split('/')[1]},0,/{inside}/{name}_Iconic.jpg,"
            f"/{inside}/{name}_Description.txt"
        )
        for each in range(2):
            photo = root / "test" / group / name / f"{name}_{each}.jpg"
            photo.parent.mkdir(parents=True, exist_ok=True)
            # The last product's photos show the first product: they are found last or nearly so.
            draw(number % 3, 100 + 20 * each).save(photo, quality=95)
            photos.append(f"{photo.relative_to(root)}, {number}, 0")
    (root / "classes.csv").write_text("\n".join(classes) + "\n", encoding="utf-8")
    for split in ("train", "val", "test"):
        (root / f"{split}.txt").write_text("\n".join(photos) + "\n", encoding="utf-8")
    return root
