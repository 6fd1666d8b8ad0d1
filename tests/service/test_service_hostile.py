"""Hostile requests: nothing gets in, nothing fails, nothing is shown that should not be."""

import base64
import json
from contextlib import suppress

import httpx
import pytest
from security_parts import png_that_says
from service_parts import draw, file_of, is_problem, png

TYPE = {"Content-Type": "image/png"}
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
HTML = b"<!doctype html><script>alert(1)</script>"


REFUSED = {
    "nothing that is a picture": b"hello",
    "one byte": b"\xff",
    "zeros": bytes(5000),
    "svg": SVG,
    "html": HTML,
    "a script behind the first bytes of a gif": b"GIF89a=1;alert(1)//",
    "a zip": b"PK\x03\x04" + bytes(100),
    "a pdf": b"%PDF-1.7\n" + bytes(100),
    "an executable": b"\x7fELF" + bytes(100),
    "a bmp": file_of(draw(0), "BMP"),
    "a tiff": file_of(draw(0), "TIFF"),
    "an ico": b"\x00\x00\x01\x00\x01\x00" + bytes(100),
    "postscript": b"%!PS-Adobe-3.0 EPSF-3.0\n",
    "a png cut short": png(0)[:60],
    "a jpeg cut short": file_of(draw(0, 300), "JPEG")[:700],
    "a webp cut short": file_of(draw(0), "WEBP")[:40],
    "a png with bytes turned": png(0)[:40] + b"\x00" * 30 + png(0)[70:],
    "a bomb: a png that says 60000 x 60000": png_that_says(60_000, 60_000),
    "a bomb: a png that says 2^31 x 2^31": png_that_says(2**31 - 1, 2**31 - 1),
    "a bomb: a png of no width": png_that_says(0, 5),
    "a bomb: a jpeg that says 65535 x 65535": b"\xff\xd8\xff\xc0\x00\x11\x08\xff\xff\xff\xff\x03"
    + bytes(200),
    "a bomb: a gif that says 65535 x 65535": b"GIF89a\xff\xff\xff\xff\x00\x00\x00" + bytes(50),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_good_picture_is_refused(client: httpx.Client, name: str) -> None:
    data = REFUSED[name]
    for answer in (
        client.post("/v1/search", content=data, headers=TYPE),
        client.post("/v1/detect", files={"picture": ("x.png", data, "image/png")}),
        client.post("/v1/search", json={"picture": base64.b64encode(data).decode()}),
    ):
        is_problem(answer, 422, "picture-refused")


def test_a_polyglot_is_read_as_a_picture_and_nothing_of_the_rest_comes_back(client) -> None:
    answer = client.post("/v1/search", content=png(1) + HTML + SVG, headers=TYPE)
    assert answer.status_code == 200
    assert "alert" not in answer.text
    assert answer.headers["content-type"] == "application/json"
    # So is what inflates far beyond the size that the header tells.
    bomb = png_that_says(4, 4, bytes(50_000_000))
    assert client.post("/v1/search", content=bomb, headers=TYPE).status_code == 200


@pytest.mark.parametrize("image", ["L", "1", "P", "RGBA", "LA"])
def test_pictures_of_every_mode_and_the_smallest_are_searched(client, image) -> None:
    for side in (1, 3, 48):
        data = file_of(draw(2, side).convert(image))
        assert client.post("/v1/search", content=data, headers=TYPE).status_code == 200


@pytest.mark.parametrize("name", ["../../etc/passwd", "<script>alert(1)</script>", "x\r\nA: b.png"])
def test_a_files_name_counts_for_nothing(client, name) -> None:
    answer = client.post("/v1/search", files={"picture": (name, png(1), "text/html")})
    assert answer.status_code == 200
    assert "passwd" not in answer.text
    assert "script" not in answer.text


PATHS = [
    *("/..%2f..%2fetc/passwd", "/v1/../../etc/passwd", "/%00", "/v1/search%00", "//evil.example/"),
    *("/v1/search/", "/docs", "/redoc", "/openapi.json", "/v1/product", "/static/../app.py"),
]


@pytest.mark.parametrize("path", PATHS)
def test_addresses_that_are_none_lead_nowhere(client: httpx.Client, path: str) -> None:
    # As it is: the client would read //evil.example/ as another host, and ask for /.
    url = client.base_url.copy_with(raw_path=path.encode())
    is_problem(client.get(url), 404, "not-found")


@pytest.mark.parametrize(
    "product", ["..%2F..%2Fetc%2Fpasswd", "%00", "'%20OR%201=1--", "%F0%9F%91%A0", "%ff", "a" * 256]
)
def test_ids_that_are_none_are_not_found(client: httpx.Client, product: str) -> None:
    for suffix in ("", "/similar", "/images/0"):
        answer = client.get(f"/v1/products/{product}{suffix}")
        is_problem(answer, 404, "not-found")


def test_what_is_too_long_is_refused(client: httpx.Client) -> None:
    assert client.get(f"/v1/products/{'a' * 300}").status_code == 422
    with suppress(httpx.TransportError):  # it may be let go before it has sent all
        answer = client.get("/v1/shelf", headers={"X-Long": "a" * 3_000_000})
        assert answer.status_code in (400, 431)
    assert client.get("/v1/shelf").status_code == 200


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/v1/search"), ("DELETE", "/v1/shelf"), ("TRACE", "/healthz")]
)
def test_other_methods_are_refused(client: httpx.Client, method: str, path: str) -> None:
    answer = client.request(method, path)
    is_problem(answer, 405, "wrong-method")
    assert answer.headers["allow"]


@pytest.mark.parametrize("given", ["a" * 65, "x y", "<b>", "é".encode().decode("latin-1")])
def test_a_request_id_that_is_none_is_replaced(client: httpx.Client, given: str) -> None:
    answer = client.get("/healthz", headers={"X-Request-ID": given.encode("latin-1")})
    assert answer.headers["x-request-id"] != given
    assert len(answer.headers["x-request-id"]) == 32


def test_a_proxys_request_id_is_kept(client: httpx.Client) -> None:
    answer = client.get("/healthz", headers={"X-Request-ID": "from-proxy.1"})
    assert answer.headers["x-request-id"] == "from-proxy.1"


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"X-Forwarded-Host": "evil.example"},
        {"X-Original-URL": "/metrics"},
        {"X-HTTP-Method-Override": "DELETE"},
        {"Range": "bytes=0-1"},
    ],
)
def test_tricks_with_headers_change_nothing(client: httpx.Client, headers) -> None:
    answer = client.get("/v1/shelf", headers=headers)
    assert answer.status_code == 200
    assert "evil" not in answer.text + str(answer.headers)


def test_every_answer_has_strict_headers(client: httpx.Client) -> None:
    for answer in (client.get("/healthz"), client.get("/none"), client.post("/v1/search")):
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-frame-options"] == "DENY"
        assert "server" not in answer.headers


FORMS = {
    "no boundary": ("multipart/form-data", b"--x\r\n\r\n"),
    "a boundary that does not come": ("multipart/form-data; boundary=x", b"abc"),
    "cut short": (
        "multipart/form-data; boundary=x",
        b'--x\r\nContent-Disposition: form-data; name="picture"; filename="a"\r\n\r\nabc',
    ),
    "no name": (
        "multipart/form-data; boundary=x",
        b'--x\r\nContent-Disposition: form-data; filename="a"\r\n\r\nabc\r\n--x--\r\n',
    ),
    "an endless header": (
        "multipart/form-data; boundary=x",
        b"--x\r\nA: " + b"b" * 500_000 + b"\r\n\r\nabc\r\n--x--\r\n",
    ),
    "an unknown charset": ("multipart/form-data; boundary=x; charset=nope", b"--x--\r\n"),
}


@pytest.mark.parametrize("name", FORMS)
def test_broken_forms_are_refused(client: httpx.Client, name: str) -> None:
    media, body = FORMS[name]
    answer = client.post("/v1/search", content=body, headers={"Content-Type": media})
    assert answer.status_code in (400, 422), answer.text
    is_problem(answer, answer.status_code, answer.json()["type"].rpartition(":")[2])


def test_forms_with_other_than_one_picture_are_refused(client: httpx.Client) -> None:
    two = [("picture", png(0)), ("picture", png(1))]
    is_problem(client.post("/v1/search", files=two), 400, "not-understood")
    wrong = client.post("/v1/search", files={"file": png(0)})
    assert "named 'picture'" in is_problem(wrong, 422, "invalid")
    many = client.post(
        "/v1/search", files={"picture": png(0)}, data={f"f{n}": "1" for n in range(99)}
    )
    is_problem(many, 400, "not-understood")


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[" * 100_000, b'{"picture": "\\ud800"}', b"\xff\xfe", b'{"top": 1e999}', b"NaN"],
)
def test_broken_json_is_refused(client: httpx.Client, body: bytes) -> None:
    answer = client.post("/v1/search", content=body, headers={"Content-Type": "application/json"})
    is_problem(answer, 422, "invalid")
    answer = client.post("/v1/events", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 422), answer.text


def test_a_body_of_no_type_is_refused(client: httpx.Client) -> None:
    for media in ("", "text/html", "application/xml", "application/x-www-form-urlencoded"):
        answer = client.post("/v1/search", content=png(0), headers={"Content-Type": media})
        is_problem(answer, 415, "wrong-type")


def test_scripts_in_titles_come_as_json_and_nothing_else(client: httpx.Client) -> None:
    answer = client.post("/v1/search", content=png(0), headers=TYPE)
    assert answer.headers["content-type"] == "application/json"
    assert json.loads(answer.content)
