"""A small shop's files, how a command ended, and a web server: what the tests here share."""

import json
import os
import sqlite3
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

PRODUCTS = 6
HEADER = "id,title,image,price,brand,category,link,colour"


GROCERY_HEADER = (
    "Class Name (str),Class ID (int),Coarse Class Name (str),Coarse Class ID (int),"
    "Iconic Image Path (str),Product Description Path (str)"
)


@dataclass(frozen=True)
class Outcome:
    """How a command ended, and what it printed."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def row(number: int, **changes: str) -> str:
    """A line of the feed."""
    fields = {
        "id": f"P{number}",
        "title": f"Product {number}",
        "image": f"pics/{number}.png",
        "price": f"{10 * (number + 1)}.50 EUR",
        "brand": "Acme" if number % 2 else "Zenith",
        "category": "Shoes > Boots" if number < 3 else "Bags",
        "link": f"https://shop.example/{number}",
        "colour": "red" if number == 1 else "blue",
    }
    return ",".join((fields | changes).values())


def write_feed(folder: Path, rows: list[str], name: str = "feed.csv") -> Path:
    feed = folder / name
    feed.write_text("\n".join([HEADER, *rows]) + "\n", encoding="utf-8")
    return feed


def draw(number: int, side: int = 48) -> Image.Image:
    """A picture of 4 x 4 colours that no other number has."""
    colours = np.random.default_rng(number).integers(0, 256, (4, 4, 3), np.uint8)
    return Image.fromarray(colours).resize((side, side), Image.Resampling.NEAREST)


def contents(shelf: Path) -> list[tuple[Any, ...]]:
    """Everything that a search could find in a shelf, read without the package."""
    with closing(sqlite3.connect(shelf / "shelf.sqlite")) as db:
        return db.execute(
            "SELECT product.id, body, source, content, vector FROM product"
            " JOIN picture ON picture.product = product.number AND removed IS NULL"
            " JOIN region ON region.picture = picture.number"
            " JOIN embedding ON embedding.region = region.number ORDER BY 1, 3"
        ).fetchall()


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "snapshelf", *map(os.fspath, map(_text, arguments))]


def _text(argument: object) -> str | Path:
    return argument if isinstance(argument, Path) else str(argument)


class WebServer(ThreadingHTTPServer):
    """A server that lets many ask at once, and does not mind when they go away."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass


@contextmanager
def serve(handler: Any) -> Iterator[str]:
    with WebServer(("127.0.0.1", 0), handler) as web:
        thread = threading.Thread(target=web.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"http://127.0.0.1:{web.server_port}"
        finally:
            web.shutdown()
            thread.join()
