"""Which format a feed has, by what its first bytes hold and, failing that, by its suffix."""

import csv
import re
from io import StringIO

from snapshelf.catalog.plain_text import quote
from snapshelf.catalog.readers.delimited import find_delimiter
from snapshelf.catalog.readers.folders import find_layout
from snapshelf.catalog.source import HEAD_BYTES, Source
from snapshelf.errors import FeedError

__all__ = ["recognise_format"]

OTHER_FILES = {
    b"PK\x03\x04": "a ZIP archive or an Excel workbook; unpack it, or save it as CSV (UTF-8)",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook; save it as CSV (UTF-8)",
    b"\x89PNG": "a picture; give the folder it lies in",
    b"\xff\xd8\xff": "a picture; give the folder it lies in",
    b"%PDF": "a PDF document",
    b"SQLite format 3": "an SQLite database",
    b"7z\xbc\xaf": "a 7z archive; unpack it",
    b"BZh": "a bzip2 archive; unpack it, or pack it with gzip",
    b"\x28\xb5\x2f\xfd": "a Zstandard archive; unpack it, or pack it with gzip",
    b"\xfd7zXZ": "an xz archive; unpack it, or pack it with gzip",
}
# Atomic, so that no text makes it try the ways to divide a run of comments.
ROOT = re.compile(
    r"(?>\s+|<\?.*?\?>|<!--.*?-->|<!DOCTYPE[^>\[]*(?:\[.*?\]\s*)?>)*+<([^\s/>]+)", re.DOTALL
)
FEED_ROOTS = ("rss", "feed", "rdf")
SUFFIXES = {
    ".csv": "csv",
    ".tsv": "csv",
    ".tab": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".xml": "google-xml",
    ".rss": "google-xml",
    ".atom": "google-xml",
}


def recognise_format(source: Source) -> str:
    """Recognise a feed's format.

    Args:
        source: The feed; at most its first 64 KiB are read.

    Returns:
        A name of `FORMATS`.

    Raises:
        FeedError: If it is empty, unreadable or none of the formats; the message says what was
            seen.
    """
    if source.path.is_dir():
        return find_layout(source)
    head = source.head()
    name = source.path.name
    if not head.strip():
        raise FeedError(f"{name} is empty")
    if head.startswith(b"PAR1"):
        return "parquet"
    for magic, what in OTHER_FILES.items():
        if head.startswith(magic):
            raise FeedError(f"{name} is no product feed but {what}")
    with source.open_text() as file:
        text = file.read(HEAD_BYTES).lstrip("\ufeff \t\r\n")
    if text.count("\0") > len(text) // 10:
        raise FeedError(
            f"{name} is no text: every tenth character is a NUL",
            cure="if it is UTF-16 without a byte order mark, give its encoding ('utf-16-le' or "
            "'utf-16-be')",
            about="encoding",
        )
    return _recognise_text(text, source)


def _recognise_text(text: str, source: Source) -> str:
    name = source.path.name
    if text.startswith("<"):
        return _recognise_xml(text, source)
    if text.startswith("{"):
        return "jsonl"
    if text.startswith("["):
        raise FeedError(
            f"{name} is no JSON Lines but a JSON array; write one product a line, "
            "for instance with: jq -c '.[]'"
        )
    delimiter = find_delimiter(text)
    if delimiter is not None:
        return _recognise_table(text, delimiter)
    by_suffix = SUFFIXES.get(_suffix(source))
    if by_suffix is None:
        raise _unknown(source, text)
    return by_suffix


def _recognise_xml(text: str, source: Source) -> str:
    root = ROOT.match(text)
    local = root[1].rpartition(":")[2].lower() if root else ""
    if local == "html" or text[:14].lower() == "<!doctype html":
        raise FeedError(
            f"{source.path.name} is no product feed but a web page (HTML); "
            "was it downloaded from the right address, and were you logged in?"
        )
    if local in FEED_ROOTS:
        return "google-xml"
    seen = f"its outermost element is {quote(root[1])}" if root else "it has no element"
    raise FeedError(
        f"{source.path.name} is no XML feed of Google Merchant Center: {seen}, expected rss or feed"
    )


def _recognise_table(text: str, delimiter: str) -> str:
    try:
        columns = next(csv.reader(StringIO(text, newline=""), delimiter=delimiter), [])
    except csv.Error:
        return "csv"
    names = {column.strip().lower() for column in columns}
    google = {name.removeprefix("g:").replace(" ", "_") for name in names}
    if "title" in names and names & {"handle", "url handle"}:
        if names & {"variant price", "variant sku", "image src", "product image url", "sku"}:
            return "shopify"
    elif delimiter == "\t" and {"id", "title", "image_link"} <= google:
        return "google-tsv"
    return "csv"


def _suffix(source: Source) -> str:
    suffixes = [suffix.lower() for suffix in source.path.suffixes]
    if suffixes and suffixes[-1] == ".gz":
        suffixes.pop()
    return suffixes[-1] if suffixes else ""


def _unknown(source: Source, text: str) -> FeedError:
    return FeedError(
        f"{source.path.name} is none of the known feeds; it begins with {quote(text)}",
        cure="name its format if you know it: csv, google-tsv, google-xml, jsonl, parquet or "
        "shopify, or give a folder of pictures",
        about="format",
    )
