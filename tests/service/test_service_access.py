"""Who may do what, and how often: keys, scopes, rates and origins."""

import json
from pathlib import Path

import httpx
import pytest
from service_parts import is_problem, png

from snapshelf.service.api_keys import KeyFile, KeysError, add_key, hash_key, read_keys
from snapshelf.service.rates import Rates

TYPE = {"Content-Type": "image/png"}
OPEN = ("/healthz", "/readyz", "/v1/openapi.json")


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    return tmp_path / "keys.json"


# --- the file ------------------------------------------------------------------------------


def test_only_hashes_are_kept_and_only_the_owner_reads_them(keys: Path) -> None:
    secrets = [add_key(keys, "page", "read"), add_key(keys, "feed", "write", 30)]
    text = keys.read_text()
    assert not any(secret in text for secret in secrets)
    assert keys.stat().st_mode & 0o777 == 0o600
    assert len(set(secrets)) == 2
    assert all(len(secret) > 40 for secret in secrets)
    found = read_keys(keys)
    assert [(key.name, key.scope, key.per_minute) for key in found.values()] == [
        ("page", "read", None),
        ("feed", "write", 30),
    ]
    assert found[hash_key(secrets[1])].name == "feed"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("", "read"), "name"),
        (("a\nb", "read"), "name"),
        (("a", "all"), "scope"),
        (("a", "read", 0), "per"),
    ],
)
def test_keys_that_make_no_sense_are_refused(keys: Path, arguments, told) -> None:
    with pytest.raises(ValueError, match=told):
        add_key(keys, *arguments)
    assert not keys.exists()


def test_a_name_is_given_once(keys: Path) -> None:
    add_key(keys, "page", "read")
    with pytest.raises(KeysError, match="has a key named 'page'"):
        add_key(keys, "page", "write")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"keys": 3}',
        '{"keys": [{"name": "a"}]}',
        '{"keys": [{"name": "a", "hash": "x", "scope": "read"}]}',
        json.dumps({"keys": [{"name": "a", "hash": "0" * 64, "scope": "root"}]}),
    ],
)
def test_a_file_that_is_none_is_refused(keys: Path, text: str) -> None:
    keys.write_text(text)
    with pytest.raises(KeysError, match="no file of API keys"):
        KeyFile(keys)


def test_a_withdrawn_key_opens_nothing_and_a_broken_file_neither(keys: Path) -> None:
    page, feed = add_key(keys, "page", "read"), add_key(keys, "feed", "write")
    file = KeyFile(keys)
    assert file.find(page).name == "page"
    kept = [key for key in json.loads(keys.read_text())["keys"] if key["name"] == "feed"]
    keys.write_text(json.dumps({"keys": kept}))
    assert file.find(page) is None
    assert file.find(feed).name == "feed"
    keys.write_text("{")
    assert file.find(feed) is None
    keys.unlink()
    assert file.find(feed) is None
    add_key(keys, "other", "read")
    assert file.find(feed) is None


# --- rates ---------------------------------------------------------------------------------


def test_a_bucket_fills_with_time_and_never_beyond_its_rate() -> None:
    now = [0.0]
    rates = Rates(clock=lambda: now[0])
    assert [rates.take("a", 3) for _ in range(3)] == [0.0, 0.0, 0.0]
    assert rates.take("a", 3) == pytest.approx(20.0)
    assert rates.take("b", 3) == 0.0
    now[0] = 19.0
    assert rates.take("a", 3) == pytest.approx(1.0)
    now[0] = 20.5
    assert rates.take("a", 3) == 0.0
    now[0] = 10_000.0
    assert [rates.take("a", 3) > 0 for _ in range(4)] == [False, False, False, True]


def test_names_are_bounded() -> None:
    rates = Rates(most_names=2, clock=lambda: 0.0)
    assert rates.take("a", 1) == 0.0
    assert rates.take("a", 1) > 0
    rates.take("b", 1)
    rates.take("c", 1)
    assert rates.take("a", 1) == 0.0, "it is forgotten"


# --- over HTTP -----------------------------------------------------------------------------


def test_without_keys_anybody_reads_and_nobody_writes(client: httpx.Client) -> None:
    assert client.get("/v1/shelf").status_code == 200
    for answer in (
        client.put("/v1/products/X", json={"images": ["0.png"]}),
        client.delete("/v1/products/P0"),
        client.post("/v1/products:batch", json={"delete": ["P0"]}),
    ):
        assert "--keys" in is_problem(answer, 403, "not-allowed")
    assert client.get("/v1/products/P0").status_code == 200


def test_with_keys_everything_but_health_takes_one(start, keys: Path) -> None:
    page, feed = add_key(keys, "page", "read"), add_key(keys, "feed", "write")
    client: httpx.Client = start(keys=keys, failures_per_minute=100)
    for path in OPEN:
        assert client.get(path).status_code == 200
    reading = (
        lambda headers: client.get("/v1/shelf", headers=headers),
        lambda headers: client.get("/metrics", headers=headers),
        lambda headers: client.get("/v1/products/P0", headers=headers),
        lambda headers: client.get("/v1/products/P0/similar", headers=headers),
        lambda headers: client.get("/v1/products/P0/images/0", headers=headers),
        lambda headers: client.post("/v1/search", content=png(0), headers=TYPE | headers),
        lambda headers: client.post("/v1/detect", content=png(0), headers=TYPE | headers),
    )
    writing = (
        lambda headers: client.delete("/v1/products/none", headers=headers),
        lambda headers: client.post("/v1/products:batch", json={}, headers=headers),
    )
    wrong = ({}, bearer("sk_wrong"), {"Authorization": f"Basic {page}"}, bearer(hash_key(page)))
    for ask in (*reading, *writing):
        for headers in wrong:
            answer = ask(headers)
            is_problem(answer, 401, "key-missing")
            assert answer.headers["www-authenticate"] == "Bearer"
    for ask in reading:
        assert ask(bearer(page)).status_code == ask(bearer(feed)).status_code == 200
    for ask in writing:
        assert "may only read" in is_problem(ask(bearer(page)), 403, "not-allowed")
        assert ask(bearer(feed)).status_code in (200, 404)


def test_each_key_has_its_rate(start, keys: Path) -> None:
    slow, quick = add_key(keys, "slow", "read", 2), add_key(keys, "quick", "read", 100)
    client: httpx.Client = start(keys=keys)
    statuses = [client.get("/v1/shelf", headers=bearer(slow)).status_code for _ in range(3)]
    assert statuses == [200, 200, 429]
    refused = client.get("/v1/shelf", headers=bearer(slow))
    is_problem(refused, 429, "too-many-requests")
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert client.get("/v1/shelf", headers=bearer(quick)).status_code == 200


def test_guessing_keys_is_slowed_down(start, keys: Path) -> None:
    page = add_key(keys, "page", "read")
    client: httpx.Client = start(keys=keys, failures_per_minute=3)
    guesses = [client.get("/v1/shelf", headers=bearer(f"sk_{n}")).status_code for n in range(5)]
    assert guesses == [401, 401, 401, 429, 429]
    assert client.get("/v1/shelf", headers=bearer(page)).status_code == 200
    assert client.get("/v1/shelf").status_code == 401


def test_only_listed_origins_may_use_the_service(start) -> None:
    client: httpx.Client = start(allowed_origins=("https://shop.example",))
    asked = {
        "Origin": "https://shop.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type",
    }
    allowed = client.options("/v1/search", headers=asked)
    assert allowed.status_code == 200
    assert allowed.headers["access-control-allow-origin"] == "https://shop.example"
    for origin in ("https://evil.example", "null", "https://shop.example.evil.example"):
        refused = client.options("/v1/search", headers=asked | {"Origin": origin})
        assert "access-control-allow-origin" not in refused.headers
        answer = client.get("/v1/shelf", headers={"Origin": origin})
        assert "access-control-allow-origin" not in answer.headers
    answer = client.get("/v1/none", headers={"Origin": "https://shop.example"})
    assert answer.headers["access-control-allow-origin"] == "https://shop.example"
    assert "X-Request-ID" in answer.headers["access-control-expose-headers"]


def test_a_missing_file_of_keys_stops_the_start(start, keys: Path) -> None:
    with pytest.raises(KeysError, match="cannot be read"):
        start(keys=keys)
