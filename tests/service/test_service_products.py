"""Products over HTTP: stored, deleted and looked at, while searches and other processes go on."""

import json
import subprocess
import sys
import threading
import time
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from service_parts import draw, ids, is_problem, png

from snapshelf.errors import ShelfLockedError
from snapshelf.service import product_changes
from snapshelf.service.api_keys import add_key
from snapshelf.store import EmbeddedStore

TYPE = {"Content-Type": "image/png"}


@pytest.fixture
def root(shelf: Path) -> Path:
    """The feed's folder, with some more pictures."""
    store = EmbeddedStore(shelf)
    folder = Path(store.properties["root"])
    store.close()
    for number in range(20, 24):
        draw(number).save(folder / f"{number}.png")
    return folder


@pytest.fixture
def writer(start, root: Path, tmp_path: Path) -> httpx.Client:
    secret = add_key(tmp_path / "keys.json", "all", "write")
    client = start(keys=tmp_path / "keys.json")
    client.headers["Authorization"] = f"Bearer {secret}"
    return client


def best(client: httpx.Client, number: int) -> str:
    answer = client.post("/v1/search", params={"top": 1}, content=png(number), headers=TYPE)
    return ids(answer.json())[0]


BODY = {
    "title": "New <b>one</b>",
    "category": "Shoes > Boots",
    "brand": "Acme",
    "price": "9.90 EUR",
    "availability": "in stock",
    "url": "https://shop.example/new",
    "images": ["20.png"],
    "attributes": {"colour": "red"},
}


def test_a_product_is_stored_found_changed_and_deleted(writer: httpx.Client) -> None:
    created = writer.put("/v1/products/NEW", json=BODY)
    assert (created.status_code, created.json()) == (
        201,
        {"id": "NEW", "status": "created", "problems": []},
    )
    assert best(writer, 20) == "NEW"
    shown = writer.get("/v1/products/NEW").json()
    assert shown["price"] == "9.90 EUR"
    assert shown["category"] == "Shoes > Boots"
    assert shown["availability"] == "in_stock"
    assert shown["attributes"] == {"colour": "red"}
    assert shown["images"] == [{"source": "20.png", "href": "/v1/products/NEW/images/0"}]
    changed = writer.put("/v1/products/NEW", json=BODY | {"images": ["21.png"]})
    assert (changed.status_code, changed.json()["status"]) == (200, "stored")
    assert best(writer, 21) == "NEW"
    assert best(writer, 20) != "NEW"
    assert writer.delete("/v1/products/NEW").json()["status"] == "deleted"
    assert best(writer, 21) != "NEW"
    is_problem(writer.delete("/v1/products/NEW"), 404, "not-found")
    is_problem(writer.get("/v1/products/NEW"), 404, "not-found")


@pytest.mark.parametrize("name", ["A/B", "a b", "é🥿", "%", "a?b#c", "x/similarly", "..a"])
def test_ids_of_every_kind_come_back(writer: httpx.Client, name: str) -> None:
    address = f"/v1/products/{quote(name, safe='')}"
    assert writer.put(address, json=BODY).status_code == 201
    shown = writer.get(address).json()
    assert shown["id"] == name
    assert writer.get(shown["images"][0]["href"]).headers["content-type"] == "image/jpeg"
    assert len(writer.get(f"{address}/similar?top=3").json()["matches"]) == 3
    assert writer.delete(address).status_code == 200


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"images": []}, "images"),
        ({"images": ["missing.png"]}, "no such file"),
        ({"images": ["../../../etc/passwd"]}, "leads out"),
        ({"images": ["/etc/passwd"]}, "relative"),
        ({"images": ["feed.jsonl"]}, "unknown format"),
        ({"images": ["file:///etc/passwd"]}, "http"),
        ({"images": ["http://127.0.0.1:9/x.png"]}, "127.0.0.1"),
        ({"images": ["http://169.254.169.254/latest"]}, "169.254.169.254"),
        ({"price": "cheap"}, "price"),
        ({"title": "x" * 2000}, "title"),
        ({"more": 1}, "more"),
        ({"attributes": {"title": "x"}}, "title"),
        ({"attributes": {"a": 1}}, "attributes"),
    ],
)
def test_a_bad_product_is_refused_and_nothing_is_stored(writer, change, told) -> None:
    answer = writer.put("/v1/products/BAD", json=BODY | change)
    assert told in is_problem(answer, 422, "invalid")
    assert "root:" not in answer.text
    is_problem(writer.get("/v1/products/BAD"), 404, "not-found")


def test_a_product_loses_a_bad_picture_only(writer: httpx.Client) -> None:
    answer = writer.put("/v1/products/NEW", json=BODY | {"images": ["20.png", "missing.png"]})
    assert answer.status_code == 201
    assert "missing.png" in answer.json()["problems"][0]


def test_a_batch_tells_of_each_what_became_of_it(writer: httpx.Client) -> None:
    body = {
        "products": [
            BODY | {"id": "B1"},
            BODY | {"id": "B2", "images": ["missing.png"]},
            BODY | {"id": "P1", "images": ["1.png"]},
            BODY | {"id": "B1", "title": "again"},
            BODY | {"id": "B3", "price": "?"},
        ],
        "delete": ["P0", "none"],
    }
    answer = writer.post("/v1/products:batch", json=body)
    assert answer.status_code == 200, answer.text
    told = [(each["id"], each["status"]) for each in answer.json()["items"]]
    assert told == [
        ("B1", "created"),
        ("B2", "refused"),
        ("P1", "stored"),
        ("B1", "refused"),
        ("B3", "refused"),
        ("P0", "deleted"),
        ("none", "not_found"),
    ]
    assert "again" not in writer.get("/v1/products/B1").text
    assert writer.get("/v1/shelf").json()["counts"]["products"] == 6
    assert writer.post("/v1/products:batch", json={}).json() == {"items": []}
    many = {"products": [BODY | {"id": str(n)} for n in range(101)]}
    is_problem(writer.post("/v1/products:batch", json=many), 422, "invalid")
    measures = writer.get("/metrics").text
    assert 'snapshelf_product_changes_total{status="refused"} 3.0' in measures


def test_what_is_no_product_of_a_batch_keeps_nothing_from_the_rest(writer: httpx.Client) -> None:
    without = {name: value for name, value in BODY.items() if name != "images"}
    body = {
        "products": [
            without | {"id": "C1"},
            BODY | {"id": 5},
            BODY,
            BODY | {"id": "C2", "colour": "red", "title": 1},
            "C3",
            {"id": "C4", "problems": []},
            BODY | {"id": "C5"},
        ],
        "delete": [7, "P0", "", None, "x" * 300],
    }
    answer = writer.post("/v1/products:batch", json=body)
    assert answer.status_code == 200, answer.text
    items = answer.json()["items"]
    assert [(each["id"], each["status"]) for each in items] == [
        ("C1", "refused"),
        ("", "refused"),
        ("", "refused"),
        ("C2", "refused"),
        ("", "refused"),
        ("C4", "refused"),
        ("C5", "created"),
        ("", "refused"),
        ("P0", "deleted"),
        ("", "refused"),
        ("", "refused"),
        ("x" * 256, "refused"),
    ]
    problems = [each["problems"] for each in items]
    assert problems[0] == ["images: is missing"]
    assert problems[1] == ["id: should be a valid string"]
    assert problems[2] == ["id: is missing"]
    assert problems[3][0] == "title: should be a valid string"
    assert problems[3][1].startswith("colour: is not known here; known are attributes,")
    assert problems[4] == ["should be a JSON object"]
    assert problems[7] == ["id: should be a valid string"]
    assert "known" in problems[5][1]
    for wrong in ({"products": {}}, {"products": [], "remove": ["P0"]}, []):
        is_problem(writer.post("/v1/products:batch", json=wrong), 422, "invalid")


@pytest.mark.parametrize("failure", [ShelfLockedError("locked"), OSError("no disk")])
def test_what_was_stored_is_told_where_deleting_fails(writer, monkeypatch, failure) -> None:
    def fail(*_: object) -> None:
        raise failure

    monkeypatch.setattr(product_changes, "remove_products", fail)
    body = {"products": [BODY | {"id": "D1"}], "delete": ["P0", 7]}
    answer = writer.post("/v1/products:batch", json=body)
    assert answer.status_code == 200, answer.text
    stored, failed, refused = answer.json()["items"]
    assert (stored["id"], stored["status"]) == ("D1", "created")
    assert (failed["id"], failed["status"]) == ("P0", "failed")
    assert refused["status"] == "refused"
    assert "no disk" not in answer.text
    expected = isinstance(failure, ShelfLockedError)
    assert ("another process" if expected else "the service's fault") in failed["problems"][0]
    alone = writer.post("/v1/products:batch", json={"delete": ["P0"]})
    assert alone.status_code == (503 if expected else 500)
    assert writer.get("/v1/products/D1").status_code == 200
    assert writer.get("/v1/products/P0").status_code == 200


def test_ids_that_no_address_can_hold_are_refused(writer: httpx.Client) -> None:
    batch = {"products": [BODY | {"id": each} for each in (".", " .. ", "...", "a/..")]}
    items = writer.post("/v1/products:batch", json=batch).json()["items"]
    assert [each["status"] for each in items] == ["refused", "refused", "created", "created"]
    assert "no address can hold" in items[0]["problems"][0]
    for name in ("...", "a/.."):
        shown = writer.get(f"/v1/products/{quote(name, safe='')}").json()
        assert writer.get(shown["images"][0]["href"]).status_code == 200


def test_only_an_id_and_a_picture_are_needed_as_in_a_feed(writer: httpx.Client) -> None:
    stored = writer.put("/v1/products/BARE", json={"images": ["20.png"]})
    assert stored.json() == {"id": "BARE", "status": "created", "problems": []}
    assert writer.get("/v1/products/BARE").json()["title"] == ""


def test_pictures_are_shown_anew_and_smaller_or_where_they_are(writer, root: Path) -> None:
    (root / "odd.png").write_bytes(png(22, 300) + b"<script>alert(1)</script>")
    writer.put("/v1/products/NEW", json=BODY | {"images": ["odd.png"]})
    answer = writer.get("/v1/products/NEW/images/0?side=64")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.content[:2] == b"\xff\xd8"
    assert b"script" not in answer.content
    is_problem(writer.get("/v1/products/NEW/images/1"), 404, "not-found")
    is_problem(writer.get("/v1/products/NEW/images/0?side=9999"), 422, "invalid")
    (root / "odd.png").write_bytes(b"gone")
    is_problem(writer.get("/v1/products/NEW/images/0"), 422, "picture-refused")


def test_similar_products_are_those_of_the_library(client: httpx.Client) -> None:
    told = client.get("/v1/products/P2/similar", params={"top": 3, "filter": "brand=Zenith"}).json()
    assert [match["product"]["id"] for match in told["matches"]] != []
    assert {match["product"]["brand"] for match in told["matches"]} == {"Zenith"}
    assert [match["rank"] for match in told["matches"]] == [1, 2]
    similarities = [match["similarity"] for match in told["matches"]]
    assert similarities == sorted(similarities, reverse=True)
    bad = client.get("/v1/products/P2/similar", params={"filter": "price<"})
    is_problem(bad, 422, "invalid")


def test_another_process_indexes_while_searches_go_on(writer, shelf: Path, root: Path) -> None:
    feed = root / "feed.jsonl"
    lines = feed.read_text().splitlines()[:4]
    lines.append(json.dumps({"id": "FED", "image_link": "22.png", "title": "Fed"}))
    (root / "next.jsonl").write_text("\n".join(lines) + "\n")
    statuses: list[int] = []
    done = threading.Event()

    def keep_searching() -> None:
        while not done.is_set():
            answer = writer.post("/v1/search?top=1", content=png(1), headers=TYPE)
            statuses.append(answer.status_code)
            time.sleep(0.1)  # a key has 600 requests a minute

    searching = threading.Thread(target=keep_searching)
    searching.start()
    command = [sys.executable, "-m", "snapshelf", "index", root / "next.jsonl", "--shelf", shelf]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    done.set()
    searching.join()
    assert ended.returncode == 0, ended.stderr
    assert statuses
    assert set(statuses) == {200}
    assert best(writer, 22) == "FED"
    is_problem(writer.get("/v1/products/P5"), 404, "not-found")
    assert writer.get("/v1/shelf").json()["last_run"]["feed"] == "next.jsonl"


def test_while_another_process_writes_changes_are_put_off(writer, shelf: Path) -> None:
    other = EmbeddedStore(shelf, write=True)
    try:
        answer = writer.put("/v1/products/NEW", json=BODY)
        assert "another process" in is_problem(answer, 503, "locked")
        assert int(answer.headers["retry-after"]) >= 1
        assert str(shelf) not in answer.text
        is_problem(writer.delete("/v1/products/P1"), 503, "locked")
        assert best(writer, 1) == "P1"
    finally:
        other.close()
    assert writer.put("/v1/products/NEW", json=BODY).status_code == 201
