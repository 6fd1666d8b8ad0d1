"""Addresses of shelves in Milvus: ``milvus://HOST:PORT/NAME?settings``."""

import re
from dataclasses import dataclass, fields
from typing import get_args
from urllib.parse import parse_qsl, urlsplit

from snapshelf.errors import ShelfError
from snapshelf.store.milvus.index_kind import IndexChoice

__all__ = ["MilvusAddress", "is_milvus_address", "parse_milvus_address"]

DEFAULT_PORT = 19530

EXAMPLE = "milvus://127.0.0.1:19530/shop"

MOST_NAME = 100
"""Characters of a shelf's name; the names of its collections are longer, and Milvus takes 255."""

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True)
class MilvusAddress:
    """Where a shelf is kept in Milvus. Credentials are no part of it: they are in the environment.

    Attributes:
        host: Name or address of the server.
        port: Its port.
        name: The shelf's name there: letters, digits and ``_``.
        secure: Whether to speak TLS.
        database: Milvus's database, "" for its default.
        index: Kind of the index over the embeddings, "auto" to choose by their number.
        shards: Parts that writes are spread over, for a shelf that is made.
        partitions: Above 1 the embeddings are kept apart by their widest category, in this many
            parts, so that a search in one category reads less; for a shelf that is made.
        replicas: Copies in memory, each on query nodes of its own, to answer more searches; for
            a shelf that is made.
        features: Where large descriptions are kept, as fsspec writes it (``s3://bucket/folder``,
            ``file:///mnt/shared/features``); "" for what the environment says.
        imports: Where files are written that the server imports, as fsspec writes it; "" for what
            the environment says.
    """

    host: str
    port: int
    name: str
    secure: bool = False
    database: str = ""
    index: IndexChoice = "auto"
    shards: int = 1
    partitions: int = 1
    replicas: int = 1
    features: str = ""
    imports: str = ""

    @property
    def url(self) -> str:
        """The server as pymilvus takes it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.secure else 'http'}://{host}:{self.port}"

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'milvuss' if self.secure else 'milvus'}://{host}:{self.port}/{self.name}"


def is_milvus_address(text: str) -> bool:
    """Whether a text is meant as the address of a shelf in Milvus, not as a folder."""
    return text.startswith(("milvus://", "milvuss://"))


def parse_milvus_address(text: str) -> MilvusAddress:
    """Read an address as users write it.

    Args:
        text: ``milvus://HOST[:PORT]/NAME[?SETTING=VALUE&...]``, or ``milvuss://`` for TLS. The
            settings are the attributes of `MilvusAddress`; ``secure`` needs no value.

    Raises:
        ShelfError: If it is no such address; the message says how to write one.

    Example:
        >>> parse_milvus_address("milvuss://db.example/shop?replicas=2").url
        'https://db.example:19530'
    """
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", DEFAULT_PORT if parts.port is None else parts.port
        given = dict(parse_qsl(parts.query, keep_blank_values=True))
    except ValueError as error:
        raise _bad(text, str(error)) from None
    if "@" in parts.netloc:
        raise ShelfError(
            "a shelf's address holds no user or password, which other users of the machine could "
            "read: set SNAPSHELF_MILVUS_TOKEN to USER:PASSWORD"
        )
    name = parts.path.strip("/")
    if not host or not port:
        raise _bad(text, "it names no host and port")
    if not _NAME.fullmatch(name) or len(name) > MOST_NAME:
        raise _bad(
            text,
            f"the shelf's name {name[:MOST_NAME]!r} must be letters, digits and _, at most "
            f"{MOST_NAME}, and not begin with a digit",
        )
    if parts.fragment:
        raise _bad(text, f"#{parts.fragment} has no meaning there")
    return MilvusAddress(host, port, name, **_settings(text, given, parts.scheme == "milvuss"))  # type: ignore[arg-type]


def _settings(text: str, given: dict[str, str], secure: bool) -> dict[str, object]:
    known = {field.name for field in fields(MilvusAddress)} - {"host", "port", "name"}
    if unknown := sorted(given.keys() - known):
        raise _bad(text, f"there is no setting {unknown[0]!r}, only {', '.join(sorted(known))}")
    settings: dict[str, object] = {"secure": secure}
    for name, value in given.items():
        match name:
            case "secure":
                if value.casefold() not in ("", "1", "true"):
                    raise _bad(text, f"secure={value}: give it without a value, or leave it out")
                settings[name] = True
            case "shards" | "partitions" | "replicas":
                most = 16 if name == "shards" else 1024
                if not value.isascii() or not value.isdigit() or not 1 <= int(value) <= most:
                    raise _bad(text, f"{name} must be a number from 1 to {most}, got {value!r}")
                settings[name] = int(value)
            case "index":
                if value not in get_args(IndexChoice):
                    raise _bad(text, f"index must be one of {', '.join(get_args(IndexChoice))}")
                settings[name] = value
            case _:
                settings[name] = value
    return settings


def _bad(text: str, why: str) -> ShelfError:
    return ShelfError(f"{text[:200]!r} is no address of a shelf: {why}; write such as {EXAMPLE}")
