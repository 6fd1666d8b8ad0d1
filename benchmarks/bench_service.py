"""The service over loopback: what it adds to a search, and what micro-batches bring.

A search by the library and one over HTTP take turns, so that both meet the same machine; the kept
answers are switched off. Then 1, 4, 16 and 64 clients ask at once, with micro-batches and with one
item a batch. Targets: at most 5 ms more at one client, 1.5 times the throughput at 16 clients.
"""

import argparse
import io
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
import numpy as np
import psutil
from PIL import Image

from snapshelf.catalog import Catalog
from snapshelf.features.encoder import Domain
from snapshelf.shelf import Shelf
from snapshelf.systems import System

SERVER = """
import json, sys
from pathlib import Path
from snapshelf.service import Settings
from snapshelf.service.running import run_service
from snapshelf.shelf import Shelf
settings = Settings(**json.loads(sys.argv[2]))
with Shelf.open(Path(sys.argv[1])) as shelf:
    run_service(shelf, settings, host="127.0.0.1", port=0, on_start=lambda a: print(a, flush=True))
"""
UNBOUND = {"cached_bytes": 0, "cached_pictures": 0, "requests_per_minute": 10**9}
HEADERS = {"Content-Type": "image/jpeg"}


def main() -> None:
    """Print one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--system", default="compact")
    parser.add_argument("--requests", type=int, default=256, help="for each number of clients")
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 4, 16, 64])
    parser.add_argument("--soak", type=int, default=5000, help="requests for the memory's growth")
    options = parser.parse_args()
    result: dict[str, object] = {"benchmark": "service", "system": options.system}
    with tempfile.TemporaryDirectory() as folder:
        shelf = make_shelf(Path(folder), options.system)
        photos = [photo(1000 + number) for number in range(64)]
        with serving(shelf, UNBOUND) as (client, process), Shelf.open(shelf) as library:
            result |= overhead(client, library, photos)
            result["encoder_ratio"] = encoder_ratio(library.system)
            batched = {n: load(client, n, options.requests, photos) for n in options.clients}
            result["memory_growth"] = growth(client, process, options.soak, photos)
        with serving(shelf, UNBOUND | {"batch_items": 1, "batch_wait_s": 0}) as (client, _):
            single = {n: load(client, n, options.requests, photos) for n in options.clients}
    result["clients"] = {
        n: {
            **batched[n],
            "without_batches": single[n],
            "ratio": round(batched[n]["requests_per_s"] / single[n]["requests_per_s"], 2),
        }
        for n in options.clients
    }
    result["target"] = "added_ms <= 5, ratio at 16 clients >= 1.5, memory_growth <= 1.05"
    print(json.dumps(result))


def photo(number: int, side: int = 320) -> bytes:
    """A picture of soft colours, as JPEG."""
    colours = np.random.default_rng(number).integers(0, 256, (6, 6, 3), np.uint8)
    stream = io.BytesIO()
    Image.fromarray(colours).resize((side, side), Image.Resampling.BICUBIC).save(stream, "JPEG")
    return stream.getvalue()


def make_shelf(folder: Path, system: str) -> Path:
    """Index 200 drawn products."""
    lines = []
    for number in range(200):
        (folder / f"{number}.jpg").write_bytes(photo(number))
        lines.append(json.dumps({"id": str(number), "image_link": f"{number}.jpg"}))
    (folder / "feed.jsonl").write_text("\n".join(lines) + "\n")
    Shelf.build(Catalog.open(folder / "feed.jsonl"), folder / "shelf", System.load(system)).close()
    return folder / "shelf"


@contextmanager
def serving(shelf: Path, settings: dict[str, float]) -> Iterator[tuple[httpx.Client, int]]:
    """Run a service as a process of its own; gives a client and the process's number."""
    command = [sys.executable, "-c", SERVER, str(shelf), json.dumps(settings)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        limits = httpx.Limits(max_connections=64)
        with httpx.Client(base_url=address, timeout=600, trust_env=False, limits=limits) as client:
            while True:
                try:
                    client.get("/readyz").raise_for_status()
                    break
                except httpx.TransportError:
                    time.sleep(0.05)
            yield client, process.pid
        process.terminate()


def ask(client: httpx.Client, data: bytes) -> float:
    """Search once; gives the seconds. A service with too much to do is asked again."""
    start = time.perf_counter()
    while True:
        answer = client.post("/v1/search?top=20", content=data, headers=HEADERS)
        if answer.status_code != 429:
            answer.raise_for_status()
            return time.perf_counter() - start
        time.sleep(0.05)


def overhead(client: httpx.Client, library: Shelf, photos: list[bytes]) -> dict[str, float]:
    """Compare one client's searches with the library's, turn by turn."""
    seconds: dict[str, list[float]] = {"library": [], "http": []}
    for data in photos:
        start = time.perf_counter()
        library.search(data)
        seconds["library"].append(time.perf_counter() - start)
        seconds["http"].append(ask(client, data))
    plain, served = (1000 * statistics.median(seconds[name]) for name in ("library", "http"))
    return {
        "library_ms": round(plain, 2),
        "http_ms": round(served, 2),
        "added_ms": round(served - plain, 2),
        "ratio": round(served / plain, 3),
    }


def encoder_ratio(system: System) -> float:
    """Give how much less 16 items take in one batch than one by one: the most batches can bring."""
    inputs = np.stack(
        [
            system.encoder.prepare(np.full((64, 64, 3), 10 * number, np.uint8), Domain.STREET)
            for number in range(16)
        ]
    )
    seconds: dict[int, list[float]] = {1: [], 16: []}
    for _ in range(5):
        for size, taken in seconds.items():
            start = time.perf_counter()
            for first in range(0, 16, size):
                system.encoder.encode(inputs[first : first + size], Domain.STREET)
            taken.append(time.perf_counter() - start)
    return round(min(seconds[1]) / min(seconds[16]), 2)


def load(
    client: httpx.Client, clients: int, requests: int, photos: list[bytes]
) -> dict[str, float]:
    """Ask with many clients at once."""
    given = [photos[number % len(photos)] for number in range(requests)]
    start = time.perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        seconds = sorted(pool.map(lambda data: ask(client, data), given))
    wall = time.perf_counter() - start
    places = {"p50_ms": 0.5, "p95_ms": 0.95, "p99_ms": 0.99}
    return {
        "requests_per_s": round(requests / wall, 1),
        **{
            name: round(1000 * seconds[min(int(share * requests), requests - 1)], 1)
            for name, share in places.items()
        },
    }


def growth(client: httpx.Client, process: int, requests: int, photos: list[bytes]) -> float:
    """Give the process's memory after all requests, as a share of that after a tenth of them."""
    memory = []
    for count in (requests // 10, requests - requests // 10):
        load(client, 8, max(count, 1), photos)
        memory.append(psutil.Process(process).memory_info().rss)
    return round(memory[1] / memory[0], 3)


if __name__ == "__main__":
    main()
