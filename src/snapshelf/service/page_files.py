"""The files of the pages: style sheets, modules, drawings, held in memory with their digests."""

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable

from starlette.datastructures import Headers
from starlette.responses import Response

__all__ = ["PageFile", "PageFiles", "answer_file"]

TYPES: Mapping[str, str] = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".json": "application/json",
    ".webmanifest": "application/manifest+json",
}
"""What the pages are made of; a file of another kind is not served."""

FOREVER = "public, max-age=31536000, immutable"
ASK_AGAIN = "no-cache"


@dataclass(frozen=True, slots=True)
class PageFile:
    """A file.

    Attributes:
        data: Its bytes.
        packed: The same by gzip; empty where that is hardly smaller.
        media_type: For the browser.
        digest: SHA-256 of the bytes, hex.
    """

    data: bytes
    packed: bytes
    media_type: str
    digest: str


class PageFiles:
    """All files of the pages; nothing else can be asked for, whatever the address says.

    Args:
        made: Further files by name, such as a theme's colours.

    Attributes:
        version: Another text whenever a file is another. It stands in the addresses of files, so
            that browsers may keep them for good.
    """

    def __init__(self, made: Mapping[str, str]) -> None:
        package = files("snapshelf.pages")
        found = dict(_below(package / "static", ""))
        # The same look as the reports that the command line writes.
        found["page.css"] = (package / "templates" / "page.css").read_bytes()
        found.update({name: text.encode() for name, text in made.items()})
        self._files = {name: _page_file(name, data) for name, data in found.items()}
        all_digests = "".join(f"{name} {self._files[name].digest}\n" for name in sorted(found))
        self.version = hashlib.sha256(all_digests.encode()).hexdigest()[:12]

    def find(self, name: str) -> PageFile | None:
        """Give a file, None if there is none of that name."""
        return self._files.get(name)


def answer_file(file: PageFile, headers: Headers, *, keep: bool) -> Response:
    """Answer with a file, or tell that the browser has it already.

    Args:
        file: The file.
        headers: Of the request.
        keep: Whether its address changes with it, so that it may be kept for good.
    """
    packs = bool(file.packed) and "gzip" in headers.get("accept-encoding", "")
    tag = f'"{file.digest[:32]}{"-gz" if packs else ""}"'
    sent = {
        "ETag": tag,
        "Cache-Control": FOREVER if keep else ASK_AGAIN,
        "Vary": "Accept-Encoding",
    }
    known = {
        each.strip().removeprefix("W/") for each in headers.get("if-none-match", "").split(",")
    }
    if tag in known:
        return Response(status_code=304, headers=sent)
    if packs:
        sent["Content-Encoding"] = "gzip"
    return Response(file.packed if packs else file.data, headers=sent, media_type=file.media_type)


def _below(folder: Traversable, before: str) -> list[tuple[str, bytes]]:
    found = []
    for each in folder.iterdir():
        if each.is_dir():
            found += _below(each, f"{before}{each.name}/")
        elif _suffix(each.name) in TYPES:
            found.append((before + each.name, each.read_bytes()))
    return found


def _page_file(name: str, data: bytes) -> PageFile:
    packed = gzip.compress(data, 9, mtime=0)
    return PageFile(
        data,
        packed if len(packed) < 0.9 * len(data) else b"",
        TYPES[_suffix(name)],
        hashlib.sha256(data).hexdigest(),
    )


def _suffix(name: str) -> str:
    return f".{name.rpartition('.')[2]}"
