"""A feed indexed over HTTP, while searches go on."""

import csv
import gzip
import io
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import httpx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from service_parts import draw, ids, is_problem, png, serving, shelf_root, until_over

from snapshelf.service import Settings
from snapshelf.service.api_keys import add_key
from snapshelf.service.own_folder import OwnFolder
from snapshelf.service.team_answers import IndexResult
from snapshelf.store import EmbeddedStore

TYPE = {"Content-Type": "image/png"}


@pytest.fixture
def root(shelf: Path) -> Path:
    """The feed's folder, with some more pictures."""
    folder = shelf_root(shelf)
    for number in range(30, 36):
        draw(number).save(folder / f"{number}.png")
    return folder


@pytest.fixture
def begin(start, root: Path, tmp_path: Path):
    secret = add_key(tmp_path / "keys.json", "all", "write")

    def with_settings(**settings: object) -> httpx.Client:
        client = start(keys=tmp_path / "keys.json", **settings)
        client.headers["Authorization"] = f"Bearer {secret}"
        return client

    return with_settings


@pytest.fixture
def writer(begin) -> httpx.Client:
    return begin()


ROWS = [
    {"id": f"N{n}", "title": f"New {n}", "image_link": f"{n}.png", "price": "5 EUR"}
    for n in range(30, 36)
]


def as_csv(rows=ROWS) -> bytes:
    text = io.StringIO()
    out = csv.DictWriter(text, rows[0])
    out.writeheader()
    out.writerows(rows)
    return text.getvalue().encode()


def as_lines(rows=ROWS) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def as_parquet(rows=ROWS) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), out)
    return out.getvalue()


def as_xml(rows=ROWS) -> bytes:
    items = "".join(
        f"<item><g:id>{row['id']}</g:id><title>{row['title']}</title>"
        f"<g:image_link>{row['image_link']}</g:image_link></item>"
        for row in rows
    )
    return (
        f'<?xml version="1.0"?><rss xmlns:g="http://base.google.com/ns/1.0"><channel>{items}'
        "</channel></rss>"
    ).encode()


def as_shopify(rows=ROWS) -> bytes:
    lines = "".join(f"{row['id']},{row['title']},{row['image_link']},5\n" for row in rows)
    return f"Handle,Title,Image Src,Variant Price\n{lines}".encode()


def send(client: httpx.Client, data: bytes, name: str = "feed.csv", **options: str):
    return client.post("/v1/index", files={"feed": (name, data)}, data=options)


def products(client: httpx.Client) -> list[str]:
    return [each["id"] for each in client.get("/v1/products?limit=100").json()["products"]]


NEW = [row["id"] for row in ROWS]


@pytest.mark.parametrize(
    ("write", "name", "kind"),
    [
        (as_csv, "feed.csv", "csv"),
        (as_lines, "..\\..\\feed.jsonl", "jsonl"),
        (as_parquet, "/etc/feed.parquet", "parquet"),
        (as_xml, "merchant.xml", "google-xml"),
        (as_shopify, "products_export.csv", "shopify"),
        (lambda: gzip.compress(as_csv()), "feed.csv.gz", "csv"),
    ],
)
def test_a_feed_of_each_format_becomes_the_shelf(writer, write, name, kind) -> None:
    job = until_over(writer, send(writer, write(), name))
    assert job["status"] == "done", job
    result = IndexResult.model_validate(job["result"])
    assert result.format == kind
    assert result.feed == name.replace("\\", "/").rpartition("/")[2]
    assert (result.report.read, result.report.changed, result.report.removed) == (6, 6, 6)
    assert job["progress"] == 1.0
    assert products(writer) == NEW
    found = writer.post("/v1/search?top=1", content=png(33), headers=TYPE)
    assert ids(found.json()) == ["N33"]


def test_the_shelfs_own_feed_is_read_again(writer, root: Path) -> None:
    writer.delete("/v1/products/P1")
    writer.put("/v1/products/OTHER", json={"images": ["30.png"]})
    until_over(writer, send(writer, as_csv(), whole="false"))
    assert len(products(writer)) == 12
    job = until_over(writer, writer.post("/v1/index", json={"sure": True}))
    assert job["result"]["feed"] == "feed.jsonl"
    assert job["result"]["report"]["removed"] == 7
    assert products(writer) == [f"P{n}" for n in range(6)]
    feed = root / "feed.jsonl"  # of all tests
    aside = feed.rename(root / "aside.jsonl")
    try:
        failed = until_over(writer, writer.post("/v1/index", json={}))
    finally:
        aside.rename(feed)
    assert failed["error"]["detail"] == (
        "feed.jsonl does not exist; send the feed, or run `snapshelf index` once more where the "
        "service runs"
    )


def test_what_is_skipped_is_told(writer) -> None:
    rows = [
        *ROWS,
        {"id": "", "title": "nameless", "image_link": "30.png", "price": ""},
        {"id": "OUT", "title": "=cmd()", "image_link": "../../../etc/passwd", "price": ""},
        {"id": "ABS", "title": "", "image_link": "/etc/passwd", "price": ""},
        {"id": "FILE", "title": "", "image_link": "file:///etc/passwd", "price": ""},
        {"id": "NET", "title": "", "image_link": "http://169.254.169.254/x.png", "price": ""},
        {"id": "N30", "title": "again", "image_link": "31.png", "price": ""},
        {"id": "=1+1", "title": "", "image_link": "none.png", "price": ""},
        {"id": "PRICE", "title": "", "image_link": "35.png", "price": "cheap"},
    ]
    job = until_over(writer, send(writer, as_csv(rows)))
    result = IndexResult.model_validate(job["result"])
    assert set(NEW) <= set(products(writer))
    # Too many rows do not tell what they are about, so nothing is taken for gone.
    assert "do not tell their product's ID" in result.report.not_removed
    assert "P1" in products(writer)
    assert result.problem_count >= 8
    lines = writer.get(result.problem_files["jsonl"])
    told = [json.loads(line) for line in lines.text.splitlines()]
    assert len(told) == result.problem_count
    assert {each["product_id"] for each in told} >= {"OUT", "ABS", "FILE", "NET", "N30", "=1+1"}
    reasons = {each["product_id"]: each["reason"] for each in reversed(told)}
    assert "leads out" in reasons["OUT"]
    assert "169.254.169.254" in reasons["NET"]
    table = writer.get(result.problem_files["csv"])
    assert table.headers["content-type"] == "text/csv; charset=utf-8"
    read = list(csv.DictReader(io.StringIO(table.text)))
    assert len(read) == len(told)
    assert "'=1+1" in {row["product_id"] for row in read}
    assert "root:" not in lines.text + table.text
    assert writer.get("/v1/shelf").json()["last_run"]["feed"] == "feed.csv"


def test_a_feed_that_would_remove_most_asks_first(writer) -> None:
    before = products(writer)
    job = until_over(writer, send(writer, as_csv(ROWS[:2])))
    assert job["status"] == "failed"
    assert "2 products and the shelf 6" in job["error"]["detail"]
    assert "form field `whole=false`" in job["error"]["detail"]
    assert job["error"]["type"].endswith(":conflict")
    assert products(writer) == before
    until_over(writer, send(writer, as_csv(ROWS[:2]), whole="false"))
    assert products(writer) == [*NEW[:2], *before]
    until_over(writer, send(writer, as_csv(ROWS[:2]), sure="true"))
    assert products(writer) == NEW[:2]


@pytest.mark.parametrize("option", ["whole=false", "sure=true", "Whole=false", "dry=1"])
def test_an_option_in_the_address_removes_nothing(writer, option: str) -> None:
    before = products(writer)
    sent = writer.post(f"/v1/index?{option}", files={"feed": ("feed.csv", as_csv())})
    told = is_problem(sent, 422, "invalid")
    name = option.partition("=")[0]
    assert told.startswith(f"query.{name}: is no option")
    assert ("curl -F" in told) == (name in ("whole", "sure"))
    is_problem(writer.post(f"/v1/index?{option}", json={"sure": True}), 422, "invalid")
    assert writer.get("/v1/index").json() == {"job": None}
    assert products(writer) == before


@pytest.mark.parametrize(
    ("data", "name", "told"),
    [
        (b"\xff\xd8\xff\xe0 not a feed", "x.csv", "a picture"),
        (b"<!doctype html><html><body>Log in</body></html>", "feed.xml", "web page"),
        (b"PK\x03\x04" + bytes(100), "feed.xlsx", "Excel"),
        (b"title,price\nx,1\n", "feed.csv", "id"),
        (b"PAR1" + bytes(50) + b"PAR1", "feed.parquet", "cannot be read"),
        (b"\x00" * 1000, "feed.csv", "NUL"),
    ],
)
def test_what_is_no_feed_changes_nothing(writer, data, name, told) -> None:
    job = until_over(writer, send(writer, data, name))
    assert job["status"] == "failed"
    assert told in job["error"]["detail"]
    assert "/tmp" not in job["error"]["detail"]
    assert len(products(writer)) == 6


@pytest.mark.parametrize(
    ("data", "name", "told"),
    [
        (
            b"no known feed",
            "data.bin",
            "data.bin is none of the known feeds; it begins with 'no known feed'; send its format "
            "in the form field `format` if you know it: csv, google-tsv, google-xml, "
            "jsonl, parquet or shopify",
        ),
        (
            b"feed,title\nx,1\n",
            "products.csv",
            "its columns are 'feed', 'title'; name the right column of the feed so, and send it",
        ),
        (
            b"id,image,gr\xf6\xdfe\n",
            "shop.csv",
            "shop.csv: its header line is not valid UTF-8; send it as UTF-8, or its encoding in "
            "the form field `encoding` (`utf-16-le`, `cp1252`)",
        ),
        (b"<rss><channel><item>", "my feed.xml", "my feed.xml is not well-formed XML in line 1"),
    ],
)
def test_a_feeds_errors_name_it_and_what_a_client_can_do(writer, data, name, told) -> None:
    job = until_over(writer, send(writer, data, name))
    detail = (job["error"] or {}).get("detail") or job["result"]["report"]["stopped"]
    assert told in detail
    assert "--column" not in detail
    assert "folder" not in detail


def test_feeds_are_bounded(begin) -> None:
    client = begin(feed_bytes=20_000, feed_rows=5)
    is_problem(send(client, b"x" * 50_000), 413, "too-large")
    bomb = gzip.compress(bytes(5_000_000))
    assert len(bomb) < 20_000
    is_problem(send(client, bomb), 413, "too-large")
    is_problem(send(client, gzip.compress(as_csv())[:-9]), 422, "invalid")
    is_problem(send(client, b"\x1f\x8b" + bytes(50)), 422, "invalid")
    is_problem(send(client, b""), 422, "invalid")
    job = until_over(client, send(client, as_csv()))
    assert "more than 5 rows" in job["error"]["detail"]
    assert len(products(client)) == 6


@pytest.mark.parametrize(
    "options",
    [
        {"format": "folders"},
        {"format": "x"},
        {"currency": "euro"},
        {"whole": "maybe"},
        {"root": "/"},
        {"encoding": "x" * 200},
    ],
)
def test_bad_options_are_refused(writer, options) -> None:
    is_problem(send(writer, as_csv(), **options), 422, "invalid")


def test_an_encoding_that_is_not_known(writer) -> None:
    job = until_over(writer, send(writer, as_csv(), encoding="klingon"))
    assert "klingon" in job["error"]["detail"]


def test_bad_bodies_are_refused(writer, client) -> None:
    is_problem(writer.post("/v1/index"), 415, "wrong-type")
    is_problem(writer.post("/v1/index", content=as_csv()), 415, "wrong-type")
    is_problem(writer.post("/v1/index", json={"path": "/etc/passwd"}), 422, "invalid")
    is_problem(writer.post("/v1/index", json=[]), 422, "invalid")
    wrong = {"file": ("feed.csv", as_csv())}
    is_problem(writer.post("/v1/index", files=wrong), 422, "invalid")
    two = [("feed", ("a.csv", as_csv())), ("feed", ("b.csv", as_csv()))]
    is_problem(writer.post("/v1/index", files=two), 400, "not-understood")
    is_problem(client.post("/v1/index", json={}), 403, "not-allowed")


def test_a_feed_that_cannot_be_kept(writer, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: OwnFolder) -> Path:
        raise OSError(28, "No space left on device", "/tmp/snapshelf-feeds-x")

    monkeypatch.setattr(OwnFolder, "path", full)
    answer = send(writer, as_csv())
    assert "is the disk full" in is_problem(answer, 503, "unavailable")
    assert int(answer.headers["retry-after"]) >= 1
    assert len(products(writer)) == 6


def large_feed(folder: Path, count: int) -> bytes:
    """A feed that takes a while: every picture is another one."""
    for number in range(count):
        draw(1000 + number, 400).save(folder / f"large{number}.png")
    return as_lines([{"id": f"L{n:03}", "image_link": f"large{n}.png"} for n in range(count)])


def test_one_at_a_time_given_up_safely_while_searches_go_on(writer, root: Path) -> None:
    data = large_feed(root, 120)
    begun = send(writer, data, "large.jsonl")
    url = begun.json()["job"]["url"]
    assert "is being indexed" in is_problem(send(writer, as_csv()), 409, "conflict")
    is_problem(writer.post("/v1/index", json={}), 409, "conflict")
    is_problem(writer.get(f"{url}/problems.csv"), 409, "conflict")
    answer = writer.post("/v1/search?top=1", content=png(1), headers=TYPE)
    assert ids(answer.json()) == ["P1"]
    assert writer.delete(url).status_code == 200
    job = until_over(writer, begun)
    assert job["status"] == "cancelled"
    held = products(writer)
    assert {f"P{n}" for n in range(6)} <= set(held)  # nothing is removed by what was given up
    assert writer.put("/v1/products/AFTER", json={"images": ["30.png"]}).status_code == 201
    job = until_over(writer, send(writer, data, "large.jsonl"))
    assert job["status"] == "done", job
    report = job["result"]["report"]
    assert report["pictures_embedded"] == 120 - sum(name.startswith("L") for name in held)
    assert writer.get("/v1/shelf").json()["counts"]["products"] == 120


def feeds(temporary: Path) -> list[Path]:
    """Feeds that lie in a temporary folder."""
    return [*temporary.glob("snapshelf-feeds-*/*/*.jsonl")]


def test_a_kill_loses_nothing_that_was_acknowledged_and_leaves_nothing_for_long(
    shelf: Path, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = add_key(tmp_path / "keys.json", "all", "write")
    data = large_feed(root, 60)
    command = [sys.executable, "-m", "snapshelf", "serve", "--shelf", str(shelf), "--port", "0"]
    command += ["--keys", str(tmp_path / "keys.json")]
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    environment = {**os.environ, "TMPDIR": str(temporary)}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as served:
        try:
            line = served.stderr.readline()
            while " on http" not in line:
                assert line, "the service ended"
                line = served.stderr.readline()
            threading.Thread(target=served.stderr.read, daemon=True).start()
            with httpx.Client(base_url=line.split(" on ")[1].strip(), timeout=60) as client:
                client.headers["Authorization"] = f"Bearer {secret}"
                put = client.put("/v1/products/KEPT", json={"images": ["30.png"]})
                assert put.status_code == 201
                begun = send(client, data, "large.jsonl", whole="false")
                assert begun.status_code == 202
                time.sleep(0.3)
        finally:
            served.send_signal(signal.SIGKILL)
    assert feeds(temporary), "the feed is left behind"
    with monkeypatch.context() as patched:
        patched.setattr(tempfile, "tempdir", str(temporary))
        with serving(shelf, Settings()):
            assert not feeds(temporary)
    assert not list(temporary.glob("snapshelf-*"))
    store = EmbeddedStore(shelf)
    try:
        assert "KEPT" in store.known(["KEPT"])
        assert {p.id for p in store.listed(limit=100)} >= {f"P{n}" for n in range(6)}
    finally:
        store.close()


def test_a_stop_gives_the_run_up_in_order(root: Path, shelf: Path, tmp_path: Path) -> None:
    secret = add_key(tmp_path / "keys.json", "all", "write")
    with serving(shelf, Settings(keys=tmp_path / "keys.json")) as client:
        client.headers["Authorization"] = f"Bearer {secret}"
        assert send(client, large_feed(root, 120), "large.jsonl", whole="false").is_success
    store = EmbeddedStore(shelf, write=True)
    try:
        assert store.last_run().finished
        assert 6 <= store.count().products <= 126
    finally:
        store.close()
