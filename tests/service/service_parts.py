"""A small shop, its pictures, and a real server for it: what the tests here share."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import numpy as np
import uvicorn
from PIL import Image

from snapshelf.catalog import Catalog
from snapshelf.service import Settings, create_app
from snapshelf.service.running import server_config
from snapshelf.service.team_answers import WorkAnswer, WorkState
from snapshelf.shelf import Shelf
from snapshelf.store import EmbeddedStore
from snapshelf.systems import System

PRODUCTS = 6


def draw(number: int, side: int = 48) -> Image.Image:
    """A picture of 4 x 4 colours that no other number has."""
    colours = np.random.default_rng(number).integers(0, 256, (4, 4, 3), np.uint8)
    return Image.fromarray(colours).resize((side, side), Image.Resampling.NEAREST)


def file_of(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    stream = BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def png(number: int, side: int = 48) -> bytes:
    return file_of(draw(number, side))


def write_shop(folder: Path) -> Path:
    """Write a feed with `PRODUCTS` products P0, P1, ... and index it; gives the shelf's folder."""
    shop = folder / "shop"
    shop.mkdir()
    lines = []
    for number in range(PRODUCTS):
        draw(number).save(shop / f"{number}.png")
        fields = {
            "id": f"P{number}",
            "title": f"Product {number}",
            "image_link": f"{number}.png",
            "price": f"{10 * (number + 1)}.50 EUR",
            "brand": "Acme" if number % 2 else "Zenith",
            "product_type": "Shoes > Boots" if number < 3 else "Bags",
            "link": f"https://shop.example/{number}",
            "colour": "red" if number == 1 else "blue",
        }
        lines.append(json.dumps(fields))
    feed = shop / "feed.jsonl"
    feed.write_text("\n".join(lines) + "\n", encoding="utf-8")
    Shelf.build(Catalog.open(feed), folder / "shelf", System.load("classical")).close()
    return folder / "shelf"


@contextmanager
def serving(
    path: Path, settings: Settings, system: System | None = None, *, proxies: str = "127.0.0.1"
) -> Iterator[httpx.Client]:
    """Serve a shelf with uvicorn on a free port of this machine; gives a client of it."""
    with Shelf.open(path, system) as shelf:
        app = create_app(shelf, settings)
        listening = socket.create_server(("127.0.0.1", 0))
        server = uvicorn.Server(server_config(app, settings, proxies=proxies))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            ends = time.monotonic() + 240
            while not server.started:
                assert thread.is_alive(), "the server did not start"
                assert time.monotonic() < ends, "the server does not start"
                time.sleep(0.01)
            address = f"http://127.0.0.1:{listening.getsockname()[1]}"
            with httpx.Client(base_url=address, timeout=240, trust_env=False) as client:
                client.stop = lambda: setattr(server, "should_exit", True)
                yield client
        finally:
            server.should_exit = True
            thread.join(timeout=240)
            listening.close()


def raw(client: httpx.Client, head: str, *parts: bytes, pause: float = 0.0) -> bytes:
    """Send a request byte by byte as given, and read until the server closes."""
    sent = head.replace("\n", "\r\n").encode("latin-1") + b"\r\n\r\n"
    return raw_bytes(client, sent, *parts, pause=pause)


def raw_bytes(client: httpx.Client, *parts: bytes, pause: float = 0.0) -> bytes:
    """Send bytes, with pauses between, and read until the server closes."""
    place = urlsplit(str(client.base_url))
    with closing(socket.create_connection((place.hostname, place.port), timeout=20)) as wire:
        received = b""
        with suppress(ConnectionError):
            for number, part in enumerate(parts):
                if number > 1:
                    time.sleep(pause)
                wire.sendall(part)
        try:
            while got := wire.recv(65536):
                received += got
        except (ConnectionError, TimeoutError):
            pass
    return received


def ids(answer: Any, item: int = 0) -> list[str]:
    """The IDs of an item's matches."""
    return [match["product"]["id"] for match in answer["items"][item]["matches"]]


def is_problem(answer: httpx.Response, status: int, kind: str) -> str:
    """Check that an answer is a problem, and that it shows nothing it should not; its detail."""
    told = answer.json()
    assert answer.status_code == told["status"] == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert told["type"] == f"urn:snapshelf:problem:{kind}"
    assert told["request_id"] == answer.headers["x-request-id"]
    assert told["title"]
    assert "Traceback" not in answer.text
    assert "site-packages" not in answer.text
    return told["detail"]


def until_over(client: httpx.Client, answer: httpx.Response) -> dict[str, Any]:
    """Follow a job until it is over; gives it."""
    assert answer.status_code == 202, answer.text
    url = WorkAnswer.model_validate_json(answer.content).job.url
    assert answer.headers["location"] == url
    ends = time.monotonic() + 120
    while time.monotonic() < ends:
        told = client.get(url)
        assert told.status_code == 200, told.text
        if WorkState.model_validate_json(told.content).status in ("done", "failed", "cancelled"):
            return told.json()
        time.sleep(0.05)
    raise AssertionError(f"the job does not end: {told.text}")


def shelf_root(path: Path) -> Path:
    """The folder of a shelf's feed."""
    store = EmbeddedStore(path)
    try:
        return Path(store.properties["root"])
    finally:
        store.close()
