"""Attacks with files: what lies about its size, swells, or is two things at once."""

import base64
import gzip
import time
import zipfile
import zlib
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import httpx
import psutil
import pytest
from security_parts import (
    SCRIPT,
    TYPE,
    chunk,
    form,
    gif_that_says,
    heic,
    heic_that_says,
    png_that_says,
    still_well,
    tiff_that_says,
    watched,
    webp_that_says,
)
from service_parts import draw, file_of, is_problem, png

from snapshelf.media.limits import Limits
from snapshelf.service import Settings

MIB = 1024 * 1024
ROOM = 400 * MIB
"""What an attack may make the process larger by, far below what it would take if it worked."""


@pytest.fixture(scope="module")
def server(made: Path) -> Iterator[httpx.Client]:
    limits = Limits(max_bytes=2 * MIB, max_pixels=20_000_000)
    with watched(made, Settings(limits=limits, requests_per_minute=1_000_000)) as client:
        yield client


@pytest.fixture(autouse=True)
def stays_well(server: httpx.Client) -> Iterator[None]:
    before = psutil.Process().memory_info().rss
    yield
    still_well(server)
    assert psutil.Process().memory_info().rss - before < ROOM


def swollen(size: int) -> bytes:
    """A deflated stream that inflates a thousandfold."""
    return zlib.compress(bytes(size), 9)


def zipped(size: int) -> bytes:
    stream = BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("a.png", bytes(size))
    return stream.getvalue()


BIG = 65_500
REFUSED = {
    "png that says it is huge": png_that_says(BIG, BIG),
    "png just above the bound": png_that_says(20_001, 1_000),
    "png of 2^31 x 1": png_that_says(2**31 - 1, 1),
    "png with a text chunk that inflates to 200 MiB": png_that_says(
        48, 48, b"", chunk(b"zTXt", b"a\0\0" + swollen(200 * MIB))
    ),
    "png with a profile that inflates to 200 MiB": png_that_says(
        48, 48, b"", chunk(b"iCCP", b"a\0\0" + swollen(200 * MIB))
    ),
    "webp that says it is huge": webp_that_says(16_384, 16_384),
    "webp whose canvas is 2^24 x 2^24": webp_that_says(1 << 24, 1 << 24),
    "webp whose frame is larger than its canvas": webp_that_says(
        8, 8, b"VP8 " + b"\x1e\0\0\0" + bytes(3) + b"\x9d\x01\x2a" + b"\xff\x3f\xff\x3f" + bytes(20)
    ),
    "gif whose frame says it is huge": gif_that_says(65_535, 65_535),
    "gif with a code table that is none": gif_that_says(48, 48, b"\xff" * 60),
    "tiff that says it is huge": tiff_that_says(BIG, BIG),
    "heic that says it is huge": heic_that_says(BIG, BIG),
    "heic that says it is of no size": heic_that_says(0, 0),
    "jpeg of very many scans": b"\xff\xd8\xff\xc2\x00\x11\x08\x10\x00\x10\x00\x03"
    b"\x01\x22\x00\x02\x11\x01\x03\x11\x01" + b"\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00" * 2_000,
    "zip bomb": zipped(100 * MIB),
    "gzip bomb": gzip.compress(bytes(100 * MIB), 9),
    "svg with a script": f'<svg xmlns="http://www.w3.org/2000/svg">{SCRIPT}</svg>'.encode(),
    "svg with outside entities": b'<?xml version="1.0"?><!DOCTYPE s [<!ENTITY x SYSTEM '
    b'"file:///etc/passwd">]><svg xmlns="http://www.w3.org/2000/svg">&x;</svg>',
    "svg of a billion laughs": b'<?xml version="1.0"?><!DOCTYPE s ['
    + b"".join(b'<!ENTITY l%d "%s">' % (n, b"&l%d;" % (n - 1) * 10) for n in range(1, 10))
    + b"]><svg>&l9;</svg>",
    "html": f"<!doctype html>{SCRIPT}".encode(),
    "html behind a byte order mark": b"\xef\xbb\xbf" + f"<html>{SCRIPT}".encode(),
    "an ImageMagick script": b"push graphic-context\nimage over 0,0 0,0 'ephemeral:/etc/passwd'\n",
    "a playlist that names a file": b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n",
    "a list that names a file": b"ffconcat version 1.0\nfile /etc/passwd\n",
}


@pytest.mark.parametrize("name", REFUSED)
def test_files_that_lie_or_swell_or_are_no_pictures_are_refused(server, name: str) -> None:
    data = REFUSED[name]
    assert len(data) < MIB
    start = time.monotonic()
    for path in ("/v1/search", "/v1/detect"):
        answer = server.post(path, content=data, headers=TYPE)
        is_problem(answer, 422, "picture-refused")
        assert "script" not in answer.text
    body = {"picture": base64.b64encode(data).decode()}
    is_problem(server.post("/v1/search", json=body), 422, "picture-refused")
    assert time.monotonic() - start < 60


def test_a_heic_that_says_less_than_it_holds_is_never_larger_than_it_says(server) -> None:
    answer = server.post("/v1/search", content=heic_that_says(16, 16), headers=TYPE)
    assert answer.status_code in (200, 422)
    if answer.status_code == 200:
        assert max(answer.json()["size"]) <= 64
    assert server.post("/v1/search", content=heic(), headers=TYPE).json()["size"] == [64, 64]


POLYGLOTS = {
    "png and html": png(2) + f"<html>{SCRIPT}".encode(),
    "png and zip": png(2) + zipped(1_000),
    "png with html in a text chunk": png(2)[:33]
    + chunk(b"tEXt", f"Comment\0{SCRIPT}".encode())
    + png(2)[33:],
    "jpeg with a script in its comment": file_of(
        draw(2), "JPEG", quality=95, comment=SCRIPT.encode()
    ),
    "gif and javascript": file_of(draw(2), "GIF") + b"=1;alert(1)",
    "png with php in it": png(2) + b"<?php system($_GET[0]); ?>",
}


@pytest.mark.parametrize("name", POLYGLOTS)
def test_polyglots_are_pictures_and_nothing_else_of_them_comes_back(server, name: str) -> None:
    answer = server.post("/v1/search", content=POLYGLOTS[name], headers={"Content-Type": "image/*"})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert not [each for each in ("script", "alert", "php", "PK") if each in answer.text]
    assert answer.headers["x-content-type-options"] == "nosniff"


TWICE_PACKED = gzip.compress(gzip.compress(bytes(100 * MIB), 9), 9)


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd", "gzip, gzip", "x\tgzip"])
def test_no_body_is_unpacked(server, coding: str) -> None:
    for kind, path, data in (
        ("image/png", "/v1/search", TWICE_PACKED),
        ("application/json", "/v1/search", TWICE_PACKED),
        ("application/json", "/v1/events", gzip.compress(b'{"type": "click"}')),
    ):
        headers = {"Content-Type": kind, "Content-Encoding": coding}
        answer = server.post(path, content=data, headers=headers)
        assert answer.status_code in (400, 415, 422), answer.text


@pytest.mark.parametrize(
    "name",
    ["../../../etc/passwd", SCRIPT, "a\0b.png", "CON", "a" * 100_000, "\u202egnp.exe", "\\\\x\\y"],
)
def test_a_files_name_is_neither_used_nor_shown(server, name: str) -> None:
    disposition = f'Content-Disposition: form-data; name="picture"; filename="{name}"'
    headers, body = form((f"{disposition}\r\nContent-Type: text/html", png(2)))
    answer = server.post("/v1/search", content=body, headers=headers)
    assert answer.status_code in (200, 400), answer.text
    assert not [each for each in ("passwd", "script", "CON", "exe") if each in answer.text]
