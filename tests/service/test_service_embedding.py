"""Keys that stand in other pages, and passes for pictures."""

import json
from pathlib import Path

import httpx
import pytest
from service_parts import is_problem, png

from snapshelf.service.api_keys import KeysError, add_key, check_origin, read_keys
from snapshelf.service.picture_passes import PASS_S, PicturePasses

SHOP = "https://shop.example"
TYPE = {"Content-Type": "image/png"}


def asks(secret: str, origin: str | None = SHOP) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"} | ({} if origin is None else {"Origin": origin})


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    return tmp_path / "keys.json"


@pytest.mark.parametrize(
    "origin",
    ["https://shop.example", "http://127.0.0.1:8080", "https://[::1]:8443", "HTTPS://Shop.Example"],
)
def test_origins_are_kept_as_browsers_write_them(keys: Path, origin: str) -> None:
    add_key(keys, "page", "read", None, [origin, origin])
    (key,) = read_keys(keys).values()
    assert key.origins == (origin.lower(),)


@pytest.mark.parametrize(
    "origin",
    [
        *("", "shop.example", "https://", "https://shop.example/", "https://shop.example/x", "*"),
        *("https://*.shop.example", "ftp://shop.example", "https://a@shop.example", "null"),
        *("https://shop.example:port", "https://shop.example?x", "file:///x"),
    ],
)
def test_what_is_no_origin_is_refused(keys: Path, origin: str) -> None:
    with pytest.raises(ValueError, match="an origin must be"):
        check_origin(origin)
    with pytest.raises(ValueError, match="an origin must be"):
        add_key(keys, "page", "read", None, [origin])
    assert not keys.exists()


def test_a_key_of_a_page_may_only_read(keys: Path) -> None:
    with pytest.raises(ValueError, match="its scope must be read"):
        add_key(keys, "page", "write", None, [SHOP])
    for origins in ("https://shop.example", [1], ["x"], {"a": 1}):
        keys.write_text(
            json.dumps(
                {"keys": [{"name": "a", "hash": "0" * 64, "scope": "read", "origins": origins}]}
            )
        )
        with pytest.raises(KeysError):
            read_keys(keys)
    old = {"keys": [{"name": "a", "hash": "0" * 64, "scope": "write", "origins": [SHOP]}]}
    keys.write_text(json.dumps(old))
    with pytest.raises(KeysError, match="must be read"):
        read_keys(keys)


@pytest.fixture
def opened(start, keys: Path) -> tuple[httpx.Client, str, str]:
    """A service with a key of a page and one of a program."""
    page = add_key(keys, "page", "read", None, [SHOP, "http://127.0.0.1:9000"])
    program = add_key(keys, "program", "read")
    return start(keys=keys), page, program


def test_a_key_of_a_page_opens_nothing_elsewhere(opened) -> None:
    client, page, program = opened
    answer = client.post("/v1/search?top=1", content=png(1), headers=asks(page) | TYPE)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == SHOP
    assert "access-control-allow-credentials" not in answer.headers
    for origin in (
        None,
        "null",
        "https://evil.example",
        f"{SHOP}.evil.example",
        "http://shop.example",
    ):
        refused = client.get("/v1/products", headers=asks(page, origin))
        is_problem(refused, 403, "not-allowed")
        assert "access-control-allow-origin" not in refused.headers
        assert client.get("/v1/products", headers=asks(program, origin)).status_code == 200
    is_problem(client.put("/v1/products/X", json={}, headers=asks(page)), 403, "not-allowed")
    session = client.post(
        "/v1/session", json={"key": page}, headers={"Sec-Fetch-Site": "same-origin"}
    )
    is_problem(session, 403, "not-allowed")


def test_browsers_are_told_which_pages_may_ask(opened, keys: Path) -> None:
    client, *_ = opened
    asked = {
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type",
    }
    allowed = client.options("/v1/search", headers=asked | {"Origin": SHOP})
    assert allowed.status_code == 200
    assert allowed.headers["access-control-allow-origin"] == SHOP
    for origin in ("https://evil.example", "null"):
        refused = client.options("/v1/search", headers=asked | {"Origin": origin})
        assert "access-control-allow-origin" not in refused.headers
    add_key(keys, "other", "read", None, ["https://other.example"])
    other = client.options("/v1/search", headers=asked | {"Origin": "https://other.example"})
    assert other.headers["access-control-allow-origin"] == "https://other.example"
    keys.write_text('{"keys": []}')
    gone = client.options("/v1/search", headers=asked | {"Origin": SHOP})
    assert "access-control-allow-origin" not in gone.headers


def test_each_visitor_has_the_rate_of_the_key(start, keys: Path) -> None:
    page = add_key(keys, "page", "read", 2, [SHOP])
    client = start(keys=keys)
    for address, statuses in (("192.0.2.1", [200, 200, 429]), ("192.0.2.2", [200])):
        told = {"X-Forwarded-For": address}
        got = [client.get("/v1/shelf", headers=asks(page) | told).status_code for _ in statuses]
        assert got == statuses


def test_a_pass_shows_pictures_in_other_pages_and_nothing_else(opened, keys: Path) -> None:
    client, page, _ = opened
    is_problem(client.get("/v1/picture-pass"), 401, "key-missing")
    is_problem(client.get("/v1/picture-pass", headers=asks(page, None)), 403, "not-allowed")
    told = client.get("/v1/picture-pass", headers=asks(page)).json()
    assert PASS_S <= told["seconds"] <= 2 * PASS_S
    written = told["pass"]
    assert page not in written
    shown = client.get("/v1/products/P1/images/0", params={"pass": written, "side": 64})
    assert shown.headers["content-type"] == "image/jpeg"
    assert shown.headers["cross-origin-resource-policy"] == "cross-origin"
    own = client.get("/v1/products/P1/images/0", headers=asks(page))
    assert own.headers["cross-origin-resource-policy"] == "same-origin"
    for path in ("/v1/products/P1", "/v1/products", "/v1/shelf", "/v1/products/P1/similar"):
        is_problem(client.get(path, params={"pass": written}), 401, "key-missing")
    cookie = {"Cookie": f"snapshelf_session={written}"}
    is_problem(client.get("/v1/shelf", headers=cookie), 401, "key-missing")
    ends, key, signed = written.split(".")
    for bad in (
        *("", "x", f"{int(ends) + 9}.{key}.{signed}", f"{ends}.open.{signed}", f"{ends}.{key}."),
        *(f"{ends}.{key}.{'0' * 64}", f"{ends}.{key}.{signed[:-1]}é", "9" * 300),
    ):
        refused = client.get("/v1/products/P1/images/0", params={"pass": bad})
        assert refused.status_code in (401, 422), bad
    keys.write_text('{"keys": []}')
    gone = client.get("/v1/products/P1/images/0", params={"pass": written})
    is_problem(gone, 401, "key-missing")


def test_passes_end() -> None:
    now = [1_000_000.0]
    passes = PicturePasses("secret", clock=lambda: now[0])
    written, seconds = passes.make("a" * 64)
    assert passes.read(written).key == "a" * 64
    now[0] += 60
    assert passes.make("a" * 64)[0] == written
    assert PicturePasses("other", clock=lambda: now[0]).read(written) is None
    now[0] += seconds - 61
    assert passes.read(written) is not None
    now[0] += 1
    assert passes.read(written) is None


def test_the_script_is_for_any_page(opened) -> None:
    client, *_ = opened
    for headers in ({}, {"Origin": SHOP}, {"Origin": "https://evil.example"}):
        script = client.get("/embed.js", headers=headers)
        assert script.headers["content-type"] == "text/javascript; charset=utf-8"
        assert script.headers["access-control-allow-origin"] in ("*", SHOP)
        assert script.headers["cross-origin-resource-policy"] == "cross-origin"
    again = client.get("/embed.js", headers={"If-None-Match": script.headers["etag"]})
    assert again.status_code == 304
