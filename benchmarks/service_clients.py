"""Clients of a service in a process of their own, so that they take no time of who measures.

``python service_clients.py ADDRESS CLIENTS REQUESTS < photos.json`` prints the seconds of each
request and of the whole, as JSON.
"""

import base64
import http.client
import json
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import local
from urllib.parse import urlsplit

__all__ = ["load"]

HEADERS = {"Content-Type": "image/jpeg"}
PLACES = {"p50_ms": 0.5, "p95_ms": 0.95, "p99_ms": 0.99}
THREAD = local()


def load(address: str, clients: int, requests: int, photos: list[bytes]) -> dict[str, float]:
    """Ask a service with many clients at once.

    Args:
        address: Of the service.
        clients: How many.
        requests: Of all clients together.
        photos: JPEG files, sent in turn.
    """
    command = [sys.executable, str(Path(__file__)), address, str(clients), str(requests)]
    given = json.dumps([base64.b64encode(data).decode() for data in photos])
    done = subprocess.run(command, input=given, capture_output=True, text=True, check=True)
    told = json.loads(done.stdout)
    seconds = sorted(told["seconds"])
    return {
        "requests_per_s": round(requests / told["wall"], 1),
        **{
            name: round(1000 * seconds[min(int(share * requests), requests - 1)], 1)
            for name, share in PLACES.items()
        },
    }


def _ask(host: str, data: bytes) -> float:
    """Search once; a service with too much to do is asked again."""
    if not hasattr(THREAD, "wire"):
        THREAD.wire = http.client.HTTPConnection(host, timeout=600)
    start = time.perf_counter()
    while True:
        THREAD.wire.request("POST", "/v1/search?top=20", data, HEADERS)
        answer = THREAD.wire.getresponse()
        answer.read()
        if answer.status == 200:
            return time.perf_counter() - start
        if answer.status != 429:
            raise RuntimeError(f"the service answers with {answer.status}")
        time.sleep(0.05)


def _main(address: str, clients: int, requests: int) -> None:
    photos = [base64.b64decode(text) for text in json.load(sys.stdin)]
    host = urlsplit(address).netloc
    start = time.perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        given = (photos[number % len(photos)] for number in range(requests))
        seconds = list(pool.map(lambda data: _ask(host, data), given))
    print(json.dumps({"seconds": seconds, "wall": time.perf_counter() - start}))


if __name__ == "__main__":
    _main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
