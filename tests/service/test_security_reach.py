"""Attacks on what the service reaches and keeps: addresses, keys, origins, answers, logs, files."""

import gzip
import http.server
import json
import logging
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from io import StringIO
from pathlib import Path
from types import SimpleNamespace

import httpx
import numpy as np
import pytest
from PIL import Image
from security_parts import SCRIPT, TYPE, check, png_that_says, still_well, watched
from service_parts import draw, file_of, ids, is_problem, png

from snapshelf.media import guarded_network
from snapshelf.media.addresses import is_public
from snapshelf.service import Settings
from snapshelf.service.api_keys import KeyFile, add_key, hash_key
from snapshelf.service.logs import JsonFormatter
from snapshelf.store import EmbeddedStore

PUBLIC, PRIVATE = "127.0.0.2", "127.0.0.1"
"""Two addresses of this machine; for the tests of this file the first is taken for public."""


@pytest.fixture
def begin(shelf: Path) -> Iterator[Callable[..., httpx.Client]]:
    """Starts watched servers for the test's shelf, and sees that they are well at the end."""
    with ExitStack() as stack:

        def start(*, proxies: str = PRIVATE, key: str | None = None, **settings) -> httpx.Client:
            client = stack.enter_context(watched(shelf, Settings(**settings), proxies=proxies))
            if key is not None:
                client.headers["Authorization"] = f"Bearer {key}"
            stack.callback(still_well, client)
            return client

        yield start


# --- addresses that the service fetches from -------------------------------------------------


@contextmanager
def web(address: str, answers: dict[str, object]) -> Iterator[SimpleNamespace]:
    """A small web server; its answers are pictures, headers, or where to go instead."""
    asked: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            answer = answers.get(self.path, png(1))
            if isinstance(answer, str):
                self.send_response(302)
                self.send_header("Location", answer)
                body = b""
            elif isinstance(answer, tuple):
                body = answer[1]
                self.send_response(200)
                self.send_header("Content-Encoding", answer[0])
            else:
                body = answer
                self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer((address, 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield SimpleNamespace(port=server.server_port, asked=asked)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="module")
def reach(made: Path) -> Iterator[SimpleNamespace]:
    """A service that fetches, a public host with many ways on, and a private one with a secret."""
    patch = pytest.MonkeyPatch()
    answered: dict[str, list[list[str]]] = {}

    def resolve(host: str, port: int) -> list[str]:
        del port
        several = answered.get(host, [[host]])
        return several.pop(0) if len(several) > 1 else several[0]

    patch.setattr(guarded_network, "is_public", lambda one: one == PUBLIC or is_public(one))
    patch.setattr(guarded_network, "resolve", resolve)
    with ExitStack() as stack:
        stack.callback(patch.undo)
        private = stack.enter_context(web(PRIVATE, {}))
        there = f"{PRIVATE}:{private.port}/secret.png"
        ways = {
            "/good": png(1),
            "/there": f"http://{there}",
            "/decimal": f"http://2130706433:{private.port}/secret.png",
            "/hex": f"http://0x7f000001:{private.port}/secret.png",
            "/octal": f"http://0177.0.0.1:{private.port}/secret.png",
            "/short": f"http://127.1:{private.port}/secret.png",
            "/mapped": f"http://[::ffff:{PRIVATE}]:{private.port}/secret.png",
            "/wide": f"http://１２７.0.0.1:{private.port}/secret.png",
            "/user": f"http://good.example@{there}",
            "/file": "file:///etc/passwd",
            "/gopher": f"gopher://{there}",
            "/data": "data:image/png;base64,AAAA",
            "/script": "javascript:alert(1)",
            "/break": f"http://{PRIVATE}:{private.port}/secret.png%0d%0aX: y",
            "/metadata": "http://169.254.169.254/latest/meta-data/",
            "/round": "/round",
            "/name": f"http://inside.example:{private.port}/secret.png",
            "/swells": ("gzip", gzip.compress(bytes(100 * 1024 * 1024), 9)),
            "/lies": png_that_says(60_000, 60_000),
            "/page": f"<!doctype html>{SCRIPT}".encode(),
        }
        public = stack.enter_context(web(PUBLIC, ways))
        client = stack.enter_context(watched(made, Settings(fetch_urls=True)))
        yield SimpleNamespace(
            client=client, private=private, public=public, ways=ways, answered=answered
        )


def fetched(reach: SimpleNamespace, url: str) -> httpx.Response:
    return reach.client.post("/v1/search", json={"url": url, "top": 1})


def test_a_picture_of_the_web_is_searched(reach) -> None:
    answer = fetched(reach, f"http://{PUBLIC}:{reach.public.port}/good")
    assert ids(answer.json()) == ["P1"], "else the tests below show nothing"


WAYS = (
    *("there", "decimal", "hex", "octal", "short", "mapped", "wide", "user", "file", "gopher"),
    *("data", "script", "break", "metadata", "round", "name", "swells", "lies", "page"),
)


@pytest.mark.parametrize("way", WAYS)
def test_no_redirect_leads_inside_and_no_answer_swells(reach, way: str) -> None:
    reach.answered["inside.example"] = [[PRIVATE]]
    answer = fetched(reach, f"http://{PUBLIC}:{reach.public.port}/{way}")
    is_problem(answer, 422, "picture-refused")
    assert reach.private.asked == []
    assert SCRIPT not in answer.text
    still_well(reach.client)


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "localhost", "2130706433", "0x7f.1", "0177.1", "127.1", "0", "0.0.0.0"),
        *("[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[64:ff9b::7f00:1]", "[::]"),
        "[::127.0.0.1]",
        *("10.0.0.1", "169.254.169.254", "100.64.0.1", "[fe80::1%25eth0]", "[fd00::1]"),
        "224.0.0.1",
        *("①②⑦.0.0.1", "127。0。0。1", "user:pass@127.0.0.1", "good.example#@127.0.0.1"),
        "127.0.0.1\\@good.example",
    ],
)
def test_no_address_inside_is_fetched_from_however_it_is_written(reach, host: str) -> None:
    for scheme in ("http", "https"):
        answer = fetched(reach, f"{scheme}://{host}:{reach.private.port}/secret.png")
        is_problem(answer, 422, "picture-refused")
    assert reach.private.asked == []


@pytest.mark.parametrize(
    "url",
    ["file:///etc/passwd", "gopher://x/_GET", "ftp://x/a", "dict://x:11211/", "", "//x/a", "\0"],
)
def test_only_http_is_spoken(reach, url: str) -> None:
    is_problem(fetched(reach, url), 422, "picture-refused")
    still_well(reach.client)


def test_a_name_that_changes_its_address_gains_nothing(reach) -> None:
    port = reach.private.port
    reach.answered |= {
        "both.example": [[PUBLIC, PRIVATE]],
        "rebinds.example": [[PUBLIC], [PRIVATE]],
        "nothing.example": [[]],
    }
    for name in ("both.example", "rebinds.example", "rebinds.example", "nothing.example"):
        is_problem(fetched(reach, f"http://{name}:{port}/secret.png"), 422, "picture-refused")
    assert reach.private.asked == []
    reach.answered["turns.example"] = [[PUBLIC], [PRIVATE]]
    first = fetched(reach, f"http://turns.example:{reach.public.port}/good")
    assert ids(first.json()) == ["P1"], "the address that was checked is the one that is asked"


# --- what a feed may name --------------------------------------------------------------------


@pytest.fixture
def writer(begin, shelf: Path, tmp_path: Path) -> httpx.Client:
    return begin(keys=tmp_path / "keys.json", key=add_key(tmp_path / "keys.json", "all", "write"))


@pytest.mark.parametrize(
    "image",
    [
        "../../../../etc/passwd",
        "/etc/passwd",
        "file:///etc/passwd",
        "..\\..\\etc\\passwd",
        "0.png\0.txt",
        "./../shelf/shelf.sqlite",
        "leads.png",
        "/proc/self/environ",
        "/dev/zero",
        "http://127.0.0.1/a.png",
        "http://shop.example/\r\nSet-Cookie: a=1",
        "javascript:alert(1)",
        "~/.ssh/id_rsa",
    ],
)
def test_a_products_pictures_stay_in_the_feeds_folder(writer, shelf, tmp_path, image: str) -> None:
    store = EmbeddedStore(shelf)
    root = Path(store.properties["root"])
    store.close()
    outside = tmp_path / "outside.png"
    draw(9).save(outside)
    if not (root / "leads.png").is_symlink():
        (root / "leads.png").symlink_to(outside)
    answer = writer.put("/v1/products/EVIL", json={"title": "x", "images": [image]})
    (root / "leads.png").unlink()
    is_problem(answer, 422, "invalid")
    is_problem(writer.get("/v1/products/EVIL"), 404, "not-found")


def test_scripts_in_products_come_back_as_text_in_json_only(writer) -> None:
    body = {
        "title": SCRIPT,
        "description": '"><img src=x onerror=alert(1)>',
        "brand": "</script><b>",
        "category": f"{SCRIPT} > b",
        "url": "javascript:alert(1)",
        "images": ["1.png"],
        "attributes": {SCRIPT: "\u2028{{7*7}}"},
    }
    assert writer.put("/v1/products/EVIL", json=body).status_code in (200, 201)
    for answer in (
        writer.get("/v1/products/EVIL"),
        writer.post("/v1/search", content=png(1), headers=TYPE),
        writer.get("/v1/products/P1/similar"),
    ):
        assert answer.headers["content-type"] == "application/json"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        json.loads(answer.content)
    shown = writer.get("/v1/products/EVIL").json()
    assert (shown["title"], shown["url"]) == (SCRIPT, None)
    found = writer.post("/v1/search", content=png(1), headers=TYPE).json()["items"][0]["matches"]
    assert {match["product"]["url"] for match in found if match["product"]["id"] == "EVIL"} == {
        None
    }
    assert writer.delete("/v1/products/EVIL").status_code == 200


# --- keys ------------------------------------------------------------------------------------


def test_what_is_nearly_a_key_opens_nothing(begin, tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    key = add_key(file, "page", "read")
    client = begin(keys=file, key=key, failures_per_minute=10_000)
    near = [
        *(key[:-1], key + "a", key + "=", key.lower(), key.upper(), key[3:], f"sk_sk_{key}"),
        *(key + "\x80", f"{key},{key}", hash_key(key), "null", "undefined", "*", "%", "' OR 1=1--"),
        *("[object Object]", "sk_" + "A" * 43, "A" * 20_000),
    ]
    for text in near:
        for kind in (f"Bearer {text}", f"bearer {text}", f"Basic {text}", text):
            answer = httpx.get(
                f"{client.base_url}/v1/shelf", headers={"Authorization": kind.encode("latin-1")}
            )
            check(answer)
            assert answer.status_code in (400, 401), kind[:60]
    for way in ({"params": {"key": key, "access_token": key}}, {"cookies": {"key": key}}):
        assert httpx.get(f"{client.base_url}/v1/shelf", **way).status_code == 401
    assert httpx.get(f"{client.base_url}/v1/shelf", headers={"X-Api-Key": key}).status_code == 401


def test_guesses_are_counted_however_the_client_calls_itself(begin, tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    key = add_key(file, "page", "read")
    client = begin(keys=file, key=key, failures_per_minute=5, proxies="203.0.113.9")
    statuses = []
    for number in range(12):
        headers = {
            "Authorization": f"Bearer sk_{number}",
            "X-Forwarded-For": f"198.51.100.{number}",
            "X-Real-IP": f"198.51.100.{number}",
            "Forwarded": f"for=198.51.100.{number}",
        }
        statuses.append(httpx.get(f"{client.base_url}/v1/shelf", headers=headers).status_code)
    assert statuses == [401] * 5 + [429] * 7


def test_the_time_for_a_key_tells_nothing_of_how_near_it_is(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    key = add_key(file, "page", "read")
    keys = KeyFile(file)
    guesses = {"near": key[:-1] + ("a" if key[-1] != "a" else "b"), "far": "sk_" + "0" * 43}
    seconds: dict[str, list[float]] = {name: [] for name in guesses}
    for _ in range(2_000):
        for name, guess in guesses.items():
            start = time.perf_counter()
            assert keys.find(guess) is None
            seconds[name].append(time.perf_counter() - start)
    near, far = (statistics.median(seconds[name]) for name in ("near", "far"))
    assert 0.5 < near / far < 2


def test_a_reader_changes_nothing_whatever_the_request_is_called(begin, tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    client = begin(keys=file, key=add_key(file, "page", "read"))
    override = {"X-HTTP-Method-Override": "DELETE"}
    client.post("/v1/products/P2", headers=override)
    client.get("/v1/products/P2?_method=DELETE", headers=override)
    client.post("/v1/search", data={"_method": "DELETE"}, files={"picture": png(1)})
    for path in (
        "/v1/products/P2",
        "/v1/products/P2/",
        "/v1/products//P2",
        "/v1/products/P2?x=/v1/search",
    ):
        assert client.delete(path).status_code in (403, 404)
    assert client.get("/v1/products/P2").status_code == 200


# --- origins and kept answers ----------------------------------------------------------------


def test_other_origins_get_no_leave(begin) -> None:
    client = begin(allowed_origins=("https://shop.example",))
    preflight = {"Access-Control-Request-Method": "DELETE"}
    for origin in (
        *("null", "https://evil.example", "https://shop.example.evil.example"),
        "https://shop.example:1",
        *(
            "http://shop.example",
            "https://SHOP.example",
            "https://evilshop.example",
            "file://",
            "*",
        ),
        "https://shop.example\u200b".encode().decode("latin-1"),
    ):
        sent = {"Origin": origin.encode("latin-1")}
        for answer in (
            client.get("/v1/shelf", headers=sent),
            client.options("/v1/search", headers=sent | preflight),
        ):
            assert "access-control-allow-origin" not in answer.headers
            assert "access-control-allow-credentials" not in answer.headers
    allowed = client.get("/v1/shelf", headers={"Origin": "https://shop.example"})
    assert allowed.headers["access-control-allow-origin"] == "https://shop.example"
    assert "origin" in allowed.headers["vary"].lower()
    assert "access-control-allow-credentials" not in allowed.headers


def test_a_kept_answer_is_for_the_same_request_only(begin) -> None:
    client = begin()

    def asked(data: bytes = png(4), headers: dict[str, str] | None = None, **options) -> dict:
        sent = TYPE | (headers or {})
        return client.post("/v1/search", params=options, content=data, headers=sent).json()

    plain = asked()
    poison = {"X-Forwarded-Host": "evil.example", "X-Request-ID": "evil", "Origin": "evil.example"}
    again = asked(headers=poison)
    assert again["cached"] == "exact"
    assert again["items"] == plain["items"]
    assert asked()["request_id"] not in ("evil", plain["request_id"])
    for options in (
        {"filter": "brand=Acme"},
        {"top": 1},
        {"in_catalogue": 0},
        {"boxes": "0,0,9,9"},
    ):
        assert asked(**options)["cached"] is None
    # A picture made to be taken for a copy of another's: half of it is another product's.
    mixed = np.array(draw(4))
    mixed[:, 24:] = np.array(draw(5))[:, 24:]
    assert asked(file_of(Image.fromarray(mixed)))["cached"] is None
    assert client.get("/v1/shelf").headers["cache-control"] == "no-store"


# --- what is kept and told -------------------------------------------------------------------


def test_events_do_not_flood(begin, tmp_path: Path) -> None:
    file = tmp_path / "e.jsonl"
    client = begin(events=file, event_bytes=2_000, event_files=2, requests_per_minute=60)
    event = {"type": "click", "request_id": "a", "product_id": '\n\u2028"}{' + "é" * 200}
    statuses = [client.post("/v1/events", json=event).status_code for _ in range(70)]
    assert statuses.count(200) >= 50
    assert statuses[-1] == 429
    files = list(tmp_path.glob("e.jsonl*"))
    assert len(files) <= 2
    for each in files:
        assert each.stat().st_size < 2_000 + 4_000
        for line in each.read_bytes().splitlines():
            assert json.loads(line)["product_id"] == event["product_id"]
    ends = time.monotonic() + 30  # until the watch's own requests are let in again
    while client.get("/v1/shelf").status_code == 429 and time.monotonic() < ends:
        time.sleep(0.5)
    time.sleep(2.5)


def test_nothing_that_is_sent_makes_a_line_of_the_log(begin) -> None:
    stream = StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter())
    logger = logging.getLogger("snapshelf.service")
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    forged = '"}\n{"event": "forged", "status": 200}'
    try:
        client = begin()
        for path in (
            "/v1/products/%0a%7b%22event%22:%22forged%22%7d",
            "/%1b[2Jforged",
            "/%0d%0aforged",
        ):
            client.get(path)
        client.get("/v1/shelf", headers={"X-Forwarded-For": '"},{forged', "User-Agent": "forged"})
        client.post("/v1/events", json={"type": forged, "request_id": forged})
        client.request("FORGED", "/v1/shelf")
        client.post("/v1/search", params={"filter": forged}, content=png(1), headers=TYPE)
        client.post("/v1/search", files={"picture": (forged, png(1))})
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before)
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert len(lines) >= 8
    assert {line["event"] for line in lines} == {"request"}
    assert all("\x1b" not in str(line) for line in lines)
    told = [{**line, "client": ""} for line in lines]  # which a proxy that is believed may choose
    assert "forged" not in json.dumps(told).lower()


def test_measures_tell_nothing_of_products_and_do_not_grow(begin, tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    client = begin(keys=file, key=add_key(file, "page", "read", 100_000))
    assert httpx.get(f"{client.base_url}/metrics").status_code == 401
    client.get("/v1/products/SECRET-1")
    client.get("/secret-2")
    client.request("SECRET3", "/v1/shelf")
    series = len(client.get("/metrics").text.splitlines())
    for number in range(100):
        client.get(f"/v1/products/SECRET-{number}")
        client.get(f"/secret-{number}")
        client.request(f"SECRET{number}", "/v1/shelf")
    text = client.get("/metrics").text
    assert len(text.splitlines()) <= series + 40, "one more route at most"
    assert "secret" not in text.lower()
    assert "page" not in text
    assert str(file.parent) not in text
