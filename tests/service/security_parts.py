"""What the list of attacks shares: files that lie, and a watch over the server they are sent to."""

import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import httpx
import pillow_heif
from service_parts import draw, ids, png, serving

from snapshelf.service import Settings

TYPE = {"Content-Type": "image/png"}
SCRIPT = "<script>alert(1)</script>"

SHOWS = ("Traceback", "site-packages", 'File "', "root:x:0")
"""What no answer may hold."""


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_that_says(width: int, height: int, data: bytes = b"", *more: bytes) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = (chunk(b"IHDR", header), *more, chunk(b"IDAT", zlib.compress(data)))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts) + chunk(b"IEND", b"")


def webp_that_says(width: int, height: int, rest: bytes = bytes(64)) -> bytes:
    canvas = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    body = b"WEBPVP8X" + struct.pack("<I", 10) + bytes(4) + canvas + rest
    return b"RIFF" + struct.pack("<I", len(body)) + body


def gif_that_says(width: int, height: int, rest: bytes = bytes(50)) -> bytes:
    frame = b"\x2c" + struct.pack("<HHHH", 0, 0, width, height) + b"\x00\x08"
    return b"GIF89a" + struct.pack("<HH", 10, 10) + b"\x00\x00\x00" + frame + rest


def tiff_that_says(width: int, height: int) -> bytes:
    tags = ((256, width), (257, height), (259, 1), (273, 8), (278, height), (279, 8))
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    return b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + bytes(4)


def heic(number: int = 1, side: int = 64) -> bytes:
    stream = BytesIO()
    pillow_heif.from_pillow(draw(number, side)).save(stream, quality=90)
    return stream.getvalue()


def heic_that_says(width: int, height: int) -> bytes:
    """A HEIC file whose every `ispe` box tells another size than its picture has."""
    data = bytearray(heic())
    at = data.find(b"ispe")
    assert at > 0
    while at > 0:
        data[at + 8 : at + 16] = struct.pack(">II", width, height)
        at = data.find(b"ispe", at + 4)
    return bytes(data)


def form(*parts: tuple[str, bytes], boundary: str = "x") -> tuple[dict[str, str], bytes]:
    """A form, each part of it with the headers given; its own headers and its body."""
    written = b"".join(
        f"--{boundary}\r\n{headers}\r\n\r\n".encode("utf-8", "surrogateescape") + data + b"\r\n"
        for headers, data in parts
    )
    kind = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    return kind, written + f"--{boundary}--\r\n".encode()


def shows_nothing(text: str) -> None:
    assert not [each for each in SHOWS if each in text], text[:2000]


def check(answer: httpx.Response) -> None:
    """Whatever was sent, an answer is no failure, shows nothing, and is no page."""
    answer.read()
    if answer.status_code != 101 and "image/" not in answer.headers.get("content-type", ""):
        shows_nothing(answer.text)
    assert answer.status_code != 500, answer.text
    assert "html" not in answer.headers.get("content-type", "")


@contextmanager
def watched(
    path: Path, settings: Settings, *, proxies: str = "127.0.0.1"
) -> Iterator[httpx.Client]:
    """Serve a shelf; every answer to the client is checked."""
    with serving(path, settings, proxies=proxies) as client:
        client.event_hooks = {"response": [check]}
        yield client


def still_well(client: httpx.Client) -> None:
    """A right search is answered rightly, and nothing has failed so far."""
    answer = client.post("/v1/search", params={"top": 1}, content=png(1), headers=TYPE)
    assert answer.status_code == 200, answer.text
    assert ids(answer.json()) == ["P1"]
    measures = client.get("/metrics").text
    assert "snapshelf_errors_total{" not in measures, measures
