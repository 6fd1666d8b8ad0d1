"""Sessions of the pages: what a cookie may do, for whom, and for how long."""

import base64
import json
from pathlib import Path

import httpx
import pytest
from service_parts import is_problem, png

from snapshelf.service.api_keys import add_key
from snapshelf.service.sessions import Session, Sessions, is_own_page

OWN = {"Sec-Fetch-Site": "same-origin"}
SEARCH = {"Content-Type": "image/png", **OWN}


def test_a_cookie_is_read_as_it_was_made_and_not_when_it_has_ended():
    now = 1000.0
    sessions = Sessions(clock=lambda: now)
    session, cookie = sessions.begin("write", 60, "ab" * 32)
    assert session == Session(session.id, "write", 1060, "ab" * 32)
    assert sessions.read(cookie) == session
    now = 1060.0
    assert sessions.read(cookie) is None


def test_a_changed_cookie_and_one_of_another_process_are_none():
    sessions = Sessions()
    _, cookie = sessions.begin("read", 60)
    body, _, signed = cookie.rpartition(".")
    told = json.loads(base64.urlsafe_b64decode(body))
    told["scope"] = "write"
    forged = base64.urlsafe_b64encode(json.dumps(told).encode()).decode()
    for value in (f"{forged}.{signed}", f"{body}.", body, "", ".", "é.é", "\ud800.x", "x" * 9000):
        assert sessions.read(value) is None
    assert Sessions().read(cookie) is None
    assert Sessions("shared").read(Sessions("shared").begin("read", 60)[1]) is not None
    assert Sessions("shared").read(Sessions("other").begin("read", 60)[1]) is None


@pytest.mark.parametrize(
    ("fetch_site", "origin", "host", "own"),
    [
        ("same-origin", None, None, True),
        ("same-site", "https://shop.example", "shop.example", False),
        ("cross-site", "https://shop.example", "shop.example", False),
        ("none", None, "shop.example", False),
        (None, "https://shop.example", "shop.example", True),
        (None, "http://127.0.0.1:8000", "127.0.0.1:8000", True),
        (None, "http://127.0.0.1:8001", "127.0.0.1:8000", False),
        (None, "https://shop.example.evil.example", "shop.example", False),
        (None, "null", "shop.example", False),
        (None, "null", "null", False),
        (None, None, "shop.example", False),
    ],
)
def test_which_requests_come_from_our_pages(fetch_site, origin, host, own):
    assert is_own_page(fetch_site=fetch_site, origin=origin, host=host) is own


def test_the_page_gives_a_session_that_scripts_and_other_pages_do_not_get(start, tmp_path: Path):
    add_key(tmp_path / "keys.json", "a", "read")
    client = start(keys=tmp_path / "keys.json", page="open")
    is_problem(client.post("/v1/search", content=png(1), headers=SEARCH), 401, "key-missing")
    page = client.get("/")
    assert page.status_code == 200
    (cookie,) = page.headers.get_list("set-cookie")
    assert {"HttpOnly", "SameSite=strict", "Path=/"} <= set(cookie.split("; "))
    assert "Secure" not in cookie
    assert client.post("/v1/search", content=png(1), headers=SEARCH).status_code == 200
    assert client.get("/v1/products/P1/images/0").status_code == 200
    assert client.get("/v1/session").json()["scope"] == "read"
    told = is_problem(
        client.post("/v1/search", content=png(1), headers={"Content-Type": "image/png"}),
        403,
        "not-allowed",
    )
    assert "Bearer" in told
    is_problem(client.delete("/v1/products/P1", headers=OWN), 403, "not-allowed")
    assert client.get("/v1/products/P1").status_code == 200
    is_problem(client.get("/metrics"), 401, "key-missing")
    # A key of whatever name sees them.
    bearer = {"Authorization": f"Bearer {add_key(tmp_path / 'keys.json', 'page', 'read')}"}
    assert client.get("/metrics", headers=bearer).status_code == 200


def test_a_session_by_https_comes_back_by_https_only(start):
    client = start()
    page = client.get("/", headers={"X-Forwarded-Proto": "https"})
    assert "Secure" in page.headers["set-cookie"].split("; ")


def test_a_page_that_asks_for_a_key_takes_it_and_forgets_the_session_with_it(start, tmp_path: Path):
    keys = tmp_path / "keys.json"
    reader, writer = add_key(keys, "reader", "read"), add_key(keys, "writer", "write")
    client = start(keys=keys)
    page = client.get("/")
    assert 'id="gate"' in page.text
    assert "set-cookie" not in page.headers
    begin = {"url": "/v1/session", "headers": OWN}
    is_problem(client.post(json={}, **begin), 401, "key-missing")
    is_problem(client.post(json={"key": "sk_wrong"}, **begin), 401, "key-missing")
    is_problem(client.post(json={"key": reader, "scope": "write"}, **begin), 403, "not-allowed")
    is_problem(
        client.post(
            "/v1/session", json={"key": reader}, headers={"Origin": "https://evil.example"}
        ),
        403,
        "not-allowed",
    )
    assert client.post(json={"key": f" {reader}\n"}, **begin).json()["scope"] == "read"
    assert 'id="gate"' not in client.get("/").text
    is_problem(client.delete("/v1/products/P1", headers=OWN), 403, "not-allowed")

    assert client.post(json={"key": writer, "scope": "write"}, **begin).json()["scope"] == "write"
    crossing = {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}
    is_problem(client.delete("/v1/products/P1", headers=crossing), 403, "not-allowed")
    assert client.delete("/v1/products/P1", headers=OWN).json()["status"] == "deleted"

    written = json.loads(keys.read_text())
    written["keys"] = [key for key in written["keys"] if key["name"] != "writer"]
    keys.write_text(json.dumps(written))
    is_problem(client.delete("/v1/products/P2", headers=OWN), 401, "key-missing")
    is_problem(client.get("/v1/session"), 401, "key-missing")
    assert 'id="gate"' in client.get("/").text


def test_a_session_ends_when_it_is_told_to(start, tmp_path: Path):
    key = add_key(tmp_path / "keys.json", "a", "read")
    client = start(keys=tmp_path / "keys.json")
    client.post("/v1/session", json={"key": key}, headers=OWN)
    assert client.delete("/v1/session", headers=OWN).status_code == 204
    is_problem(client.get("/v1/session"), 401, "key-missing")


def test_sessions_have_rates_and_so_has_the_address_that_begins_them(start, tmp_path: Path):
    add_key(tmp_path / "keys.json", "a", "read")
    client = start(
        keys=tmp_path / "keys.json",
        page="open",
        requests_per_minute=5,
        page_requests_per_minute=12,
    )
    client.get("/")
    answers = [client.get("/v1/shelf") for _ in range(6)]
    assert [each.status_code for each in answers] == [200] * 5 + [429]
    assert int(answers[-1].headers["retry-after"]) >= 1
    for _ in range(12):
        client.cookies.clear()
        last = client.get("/")
    is_problem(last, 429, "too-many-requests")


def test_a_key_in_the_header_goes_before_the_session(start, tmp_path: Path):
    key = add_key(tmp_path / "keys.json", "a", "write")
    client = start(keys=tmp_path / "keys.json", page="open")
    client.get("/")
    bearer = {"Authorization": f"Bearer {key}"}
    assert client.delete("/v1/products/P1", headers=bearer).json()["status"] == "deleted"
    is_problem(
        client.get("/v1/shelf", headers={"Authorization": "Bearer sk_no"}), 401, "key-missing"
    )


def test_without_pages_there_are_no_sessions(start):
    client = start(page="off")
    is_problem(client.get("/"), 404, "not-found")
    is_problem(client.get("/static/page.css"), 404, "not-found")
    is_problem(client.post("/v1/session", json={}, headers=OWN), 403, "not-allowed")
    assert client.post("/v1/search", content=png(1), headers=SEARCH).status_code == 200


def test_without_keys_other_programs_need_no_session(start):
    client = start()
    assert client.get("/").headers["set-cookie"]
    plain = {"Content-Type": "image/png"}
    assert client.post("/v1/search", content=png(1), headers=plain).status_code == 200
    is_problem(client.delete("/v1/products/P1", headers=OWN), 403, "not-allowed")


def test_hostile_cookies_are_no_sessions(start, tmp_path: Path):
    add_key(tmp_path / "keys.json", "a", "read")
    client: httpx.Client = start(keys=tmp_path / "keys.json")
    for value in ("a.b", "." * 3000, "eyJ9.%00", '"', "\xff\xfe"):
        cookie = f"snapshelf_session={value}".encode("latin-1")
        is_problem(client.get("/v1/shelf", headers={b"Cookie": cookie}), 401, "key-missing")
