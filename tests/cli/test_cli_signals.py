"""Ctrl-C, `kill` and a full disk in the middle of indexing: nothing that was stored is lost."""

import resource
import signal
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler
from io import BytesIO
from pathlib import Path

import pytest
from small_shop import command, contents, draw, serve

from snapshelf.shelf import Shelf

PRODUCTS = 400
COMMITTED = 256  # pictures in a commit
SILENT_FROM = 390


class Pictures:
    """A web server with a picture for each product, silent from some number on until released."""

    def __init__(self, silent_from):
        self.asked = []
        self.silent = threading.Event()
        self.released = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                number = int(self.path.removeprefix("/").removesuffix(".png"))
                outer.asked.append(number)
                if number >= silent_from:
                    outer.silent.set()
                    outer.released.wait(60)
                file = BytesIO()
                draw(number, 16).save(file, "PNG")
                self.send_response(200)
                self.send_header("Content-Length", str(len(file.getvalue())))
                self.end_headers()
                self.wfile.write(file.getvalue())

            def log_message(self, *args):
                pass

        self.handler = Handler


@pytest.fixture
def pictures():
    pictures = Pictures(SILENT_FROM)
    yield pictures
    pictures.released.set()


def start(address, shelf):
    feed = Path("feed.csv")
    rows = [f"P{number},{address}/{number}.png" for number in range(PRODUCTS)]
    feed.write_text("\n".join(["id,image", *rows]) + "\n")
    arguments = ("index", feed, "--shelf", shelf, "--system", "classical", "--allow-private")
    # A background job of a shell may be started with SIGINT ignored; a foreground one is not.
    return subprocess.Popen(
        command(*arguments),
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )


def wait_for_commit(process, shelf):
    """Wait until the first commit is there."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        assert process.poll() is None, process.stderr.read()
        if (shelf / "shelf.sqlite").exists():
            with Shelf.open(shelf) as opened:
                if opened.count().products >= COMMITTED:
                    return
        time.sleep(0.05)
    pytest.fail("nothing was committed in half a minute")


def assert_usable(shelf):
    """The shelf finds what it held; gives how much that is."""
    draw(7, 16).save("query.png")
    with Shelf.open(shelf) as opened:
        best = opened.search(Path("query.png")).items[0].matches[0]
        assert best.product.id == "P7"
        assert best.similarity == pytest.approx(1, abs=1e-5)
        return opened.count().products


@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGINT, 130), (signal.SIGTERM, 143)],
    ids=["Ctrl-C", "kill"],
)
def test_a_signal_ends_in_order_and_the_same_command_goes_on(pictures, cli, number, code):
    shelf = Path("shelf")
    with serve(pictures.handler) as address:
        process = start(address, shelf)
        wait_for_commit(process, shelf)
        assert pictures.silent.wait(30)
        sent = time.monotonic()
        process.send_signal(number)
        _, told = process.communicate(timeout=30)
        assert time.monotonic() - sent < 10, "a silent server holds up nobody"
        assert process.returncode == code
        assert told == (
            f"error: stopped by {number.name}; what a shelf has stored so far is kept\n"
        )
        stored = assert_usable(shelf)
        before = contents(shelf)
        assert COMMITTED <= stored < SILENT_FROM

        pictures.released.set()
        done = cli("index", "feed.csv", "--shelf", shelf, "--allow-private", "--json")
    assert done.code == 0, done.err
    report = done.json
    assert report["shelf"]["products"] == PRODUCTS
    assert report["unchanged"] == stored
    assert report["pictures_embedded"] == PRODUCTS - stored
    assert set(before) <= set(contents(shelf))
    assert pictures.asked.count(0) == 1, "what is in the cache is not fetched again"


def test_two_signals_end_at_once(pictures):
    """The second finds the command still in order, or ending, or ended: all is well."""
    shelf = Path("shelf")
    with serve(pictures.handler) as address:
        process = start(address, shelf)
        wait_for_commit(process, shelf)
        assert pictures.silent.wait(30)
        sent = time.monotonic()
        process.send_signal(signal.SIGINT)
        time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=30)
        assert time.monotonic() - sent < 2
    assert process.returncode in (130, -signal.SIGINT)
    assert "Traceback" not in told
    assert assert_usable(shelf) >= COMMITTED


def test_a_command_that_cannot_end_in_order_ends_all_the_same():
    """Every thread waits for a server that says nothing, for as long as the server likes."""
    pictures = Pictures(silent_from=0)
    with serve(pictures.handler) as address:
        process = start(address, Path("shelf"))
        assert pictures.silent.wait(30)
        time.sleep(0.5)
        process.send_signal(signal.SIGTERM)
        _, told = process.communicate(timeout=10)
        pictures.released.set()
    assert process.returncode == 143
    assert told == "error: stopped by SIGTERM; what a shelf has stored so far is kept\n"
    with Shelf.open("shelf") as opened:
        assert opened.count().products == 0


def test_another_process_may_search_but_not_index_meanwhile(pictures, cli):
    shelf = Path("shelf")
    with serve(pictures.handler) as address:
        process = start(address, shelf)
        wait_for_commit(process, shelf)
        assert assert_usable(shelf) >= COMMITTED
        refused = cli("index", "feed.csv", "--shelf", shelf)
        assert refused.code == 1
        assert refused.err.startswith("error: shelf is being written to: process ")
        assert str(process.pid) in refused.err
        pictures.released.set()
        process.communicate(timeout=60)
        assert process.returncode == 0
    assert assert_usable(shelf) == PRODUCTS


def test_a_signal_that_is_ignored_stays_ignored(shop):
    """As under `nohup`, and in the background of a script."""
    process = subprocess.Popen(
        command("index", shop / "feed.csv", "--shelf", "shelf", "--system", "classical"),
        stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),
    )
    while process.poll() is None:
        process.send_signal(signal.SIGINT)
        time.sleep(0.05)
    process.communicate()
    assert process.returncode == 0


def test_a_full_disk_is_told_and_the_same_command_goes_on(shop, shelf, cli):
    """A limit on the size of a file fails as a full disk does."""
    before = contents(shelf)
    rows = ["id,image,title"]
    for number in range(150):
        draw(1000 + number, 16).save(shop / f"{number}.png")
        rows.append(f"N{number},{number}.png,{'x' * 900}")
    feed = shop / "large.csv"
    feed.write_text("\n".join(rows) + "\n")
    limit = (shelf / "shelf.sqlite").stat().st_size + 50_000
    done = subprocess.run(
        command("index", feed, "--shelf", shelf),
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"error: {shelf}")
    assert done.stderr.count("\n") == 1
    assert contents(shelf) == before

    again = cli("index", feed, "--shelf", shelf, "--json")
    assert again.code == 0, again.err
    assert again.json["shelf"]["products"] == 150
