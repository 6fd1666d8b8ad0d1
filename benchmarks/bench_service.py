"""The service over loopback: what it adds to a search, and what micro-batches bring.

A search by the library and one over HTTP take turns, so that both meet the same machine; the kept
answers are switched off. Then 1, 4, 16 and 64 clients, in a process of their own, ask at once, with
micro-batches and with one item a batch. Photos are searched beside clips, the memory is looked at
after a tenth of many searches and after all, and services are killed in the middle of changes.
"""

import argparse
import io
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread
from typing import TypeVar

import av
import httpx
import numpy as np
import psutil
from PIL import Image
from service_clients import load

from snapshelf.catalog import Catalog
from snapshelf.features.encoder import Domain
from snapshelf.media.decode import decode_picture
from snapshelf.service.api_keys import add_key
from snapshelf.service.json_answer import write_json
from snapshelf.shelf import Shelf
from snapshelf.shelf.as_json import item_json
from snapshelf.shelf.query import Query, answer_query, prepare_query
from snapshelf.store import EmbeddedStore
from snapshelf.systems import System

T = TypeVar("T")

SERVER = """
import json, sys
from pathlib import Path
from snapshelf.service import Settings
from snapshelf.service.running import run_service
from snapshelf.shelf import Shelf
given = json.loads(sys.argv[2])
if "keys" in given:
    given["keys"] = Path(given["keys"])
settings = Settings(**given)
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
    parser.add_argument("--kills", type=int, default=3, help="times a service is killed")
    parser.add_argument("--quick", action="store_true", help="a tenth of it all")
    options = parser.parse_args()
    if options.quick:
        options.requests, options.soak, options.kills = 32, 200, 1
        options.clients = [1, 16]
    result: dict[str, object] = {"benchmark": "service", "system": options.system}
    with tempfile.TemporaryDirectory() as folder:
        shelf = make_shelf(Path(folder), options.system)
        photos = [photo(1000 + number) for number in range(64)]
        with serving(shelf, UNBOUND) as (client, process), Shelf.open(shelf) as library:
            address = str(client.base_url)
            result |= overhead(client, library, photos)
            result["cpu"] = cpu(library, photos)
            batched = {
                n: loaded(address, process, n, options.requests, photos) for n in options.clients
            }
            result["beside_clip"] = beside_clip(client, options.requests, photos)
            result["memory"] = growth(address, process, options.soak, photos)
        single = UNBOUND | {"batch_items": 1, "batch_wait_s": 0}
        with serving(shelf, single) as (client, process):
            address = str(client.base_url)
            plain = {
                n: loaded(address, process, n, options.requests, photos) for n in options.clients
            }
        result["kills"] = [kill(Path(folder), shelf, number) for number in range(options.kills)]
    result["clients"] = {
        n: {
            **batched[n],
            "without_batches": plain[n],
            "ratio": round(batched[n]["requests_per_s"] / plain[n]["requests_per_s"], 2),
            # Were the clients to take nothing and no processor idle for a moment.
            "most": round(
                1000 * (os.cpu_count() or 1) / batched[n]["cpu_ms"] / plain[n]["requests_per_s"], 2
            ),
        }
        for n in options.clients
    }
    result["target"] = (
        "added_ms <= 5, ratio at 16 clients >= 1.5 or near its most, memory's ratio <= 1.05, "
        "nothing lost by kills"
    )
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
def serving(
    shelf: Path, settings: dict[str, object], headers: dict[str, str] | None = None
) -> Iterator[tuple[httpx.Client, int]]:
    """Run a service as a process of its own; gives a client and the process's number."""
    command = [sys.executable, "-c", SERVER, str(shelf), json.dumps(settings)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        with httpx.Client(
            base_url=address, timeout=600, trust_env=False, headers=headers
        ) as client:
            while True:
                try:
                    client.get("/readyz").raise_for_status()
                    break
                except httpx.TransportError:
                    time.sleep(0.05)
            try:
                yield client, process.pid
            finally:
                process.terminate()


def loaded(
    address: str, process: int, clients: int, requests: int, photos: list[bytes]
) -> dict[str, float]:
    """Load a service as `load`; `cpu_ms` is what a request took of its process."""
    before = psutil.Process(process).cpu_times()
    told = load(address, clients, requests, photos)
    after = psutil.Process(process).cpu_times()
    taken = after.user + after.system - before.user - before.system
    return told | {"cpu_ms": round(1000 * taken / requests, 1)}


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


def cpu(library: Shelf, photos: list[bytes]) -> dict[str, float]:
    """Give the processor's milliseconds of a search's steps, and what batches could bring at most.

    Time of the whole process, since an encoder spreads a batch over threads of its own. One item
    after the other keeps one processor encoding while the others do the rest; batches of 16 keep
    all of them encoding. `most_by_batches` is the ratio of the two, were nothing else in the way;
    what HTTP takes, which would make it smaller yet, is left out.
    """
    system, store = library.system, library.store
    steps: dict[str, list[float]] = {}

    def timed(name: str, work: Callable[[], T], share: int = 1) -> T:
        start = time.process_time()
        done = work()
        steps.setdefault(name, []).append((time.process_time() - start) / share)
        return done

    for data in photos:
        picture = timed("decode", lambda data=data: decode_picture(data))
        query = timed("prepare", lambda picture=picture: prepare_query(system, picture))
        inputs = query.inputs[:1]
        embeddings = timed("encode", lambda i=inputs: system.encoder.encode(i, Domain.STREET))
        many = np.repeat(inputs, 16, axis=0)
        timed("encode_16", lambda i=many: system.encoder.encode(i, Domain.STREET), 16)
        query = Query(query.regions[:1], query.parts[:1], inputs)
        items, _ = timed(
            "find", lambda q=query, e=embeddings: answer_query(store, system, q, e, top=20)
        )
        timed("write", lambda items=items: write_json([item_json(item) for item in items]))
    taken = {name: 1000 * statistics.median(seconds) for name, seconds in steps.items()}
    rest = sum(taken[name] for name in ("decode", "prepare", "find", "write"))
    processors = os.cpu_count() or 1
    alone = max(taken["encode"], (rest + taken["encode"]) / processors)
    most = alone * processors / (rest + taken["encode_16"])
    return {name: round(value, 2) for name, value in taken.items()} | {
        "most_by_batches": round(most, 2)
    }


def beside_clip(client: httpx.Client, requests: int, photos: list[bytes]) -> dict[str, float]:
    """Compare a photo's search alone with one while clips are searched, and wait."""
    address, clip = str(client.base_url), moving()
    alone = load(address, 1, requests, photos)
    jobs = []
    for _ in range(2):
        answer = client.post("/v1/search", content=clip, headers={"Content-Type": "video/mp4"})
        jobs.append(answer.raise_for_status().json()["job"]["url"])
    beside = load(address, 1, requests, photos)
    statuses = [client.get(job).json()["status"] for job in jobs]
    for job in jobs:
        client.delete(job)
    return {
        "alone_p50_ms": alone["p50_ms"],
        "beside_p50_ms": beside["p50_ms"],
        "alone_p95_ms": alone["p95_ms"],
        "beside_p95_ms": beside["p95_ms"],
        "ratio": round(beside["p50_ms"] / alone["p50_ms"], 2),
        "clips_still_searched": sum(status in ("queued", "running") for status in statuses),
    }


def moving(seconds: int = 240) -> bytes:
    """Draw a clip whose shots change each second."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "clip.mp4"
        with av.open(str(file), "w") as container:
            stream = container.add_stream("libx264", rate=10, options={"preset": "ultrafast"})
            stream.width = stream.height = 320
            for number in range(10 * seconds):
                picture = np.asarray(Image.open(io.BytesIO(photo(number // 10))))
                container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
            container.mux(stream.encode(None))
        return file.read_bytes()


def growth(address: str, process: int, requests: int, photos: list[bytes]) -> dict[str, float]:
    """Give the process's memory after a tenth of the requests, and after all of them."""
    memory = []
    for count in (requests // 10, requests - requests // 10):
        load(address, 8, max(count, 1), photos)
        memory.append(psutil.Process(process).memory_info().rss)
    return {
        "requests": requests,
        "mib_after_a_tenth": round(memory[0] / 2**20, 1),
        "mib_after_all": round(memory[1] / 2**20, 1),
        "ratio": round(memory[1] / memory[0], 3),
    }


def kill(folder: Path, shelf: Path, number: int) -> dict[str, int]:
    """Kill a service in the middle of changes, and count what it had acknowledged and has lost."""
    keys = folder / "keys.json"
    key = {"Authorization": f"Bearer {add_key(keys, f'kill {number}', 'write', 10**9)}"}
    acknowledged: list[str] = []
    with serving(shelf, UNBOUND | {"keys": str(keys)}, key) as (client, process):

        def put() -> None:
            with suppress(httpx.TransportError):
                for count in range(10_000):
                    name = f"kill-{number}-{count}"
                    body = {"images": [f"{count % 200}.jpg"]}
                    if client.put(f"/v1/products/{name}", json=body).status_code == 201:
                        acknowledged.append(name)

        putting = Thread(target=put)
        putting.start()
        while len(acknowledged) < 20 + 7 * number:
            time.sleep(0.001)
        psutil.Process(process).kill()
        putting.join()
    store = EmbeddedStore(shelf, write=True)
    try:
        there = store.products(acknowledged)
    finally:
        store.close()
    return {"acknowledged": len(acknowledged), "lost": len(set(acknowledged) - set(there))}


if __name__ == "__main__":
    main()
