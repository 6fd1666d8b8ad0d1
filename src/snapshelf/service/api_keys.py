"""API keys: only their hashes are kept, in a JSON file that may change while the service runs."""

import hashlib
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Lock
from typing import Any
from urllib.parse import urlsplit

from snapshelf.errors import SnapshelfError
from snapshelf.whole_file import write_whole

__all__ = [
    "SCOPES",
    "ApiKey",
    "KeyFile",
    "KeysError",
    "add_key",
    "check_origin",
    "hash_key",
    "read_keys",
]

SCOPES = ("read", "write")
"""``read``: search, look at products, send events. ``write``: change products, and all of that."""

PREFIX = "sk_"
MOST_KEYS = 10_000


class KeysError(SnapshelfError):
    """A file of API keys cannot be read."""


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key, without its secret.

    Attributes:
        name: For people and logs, unique in a file.
        hash: SHA-256 of the secret, hex. A secret has 256 random bits, so a slow hash would add
            nothing.
        scope: One of `SCOPES`.
        per_minute: Requests allowed; None for the service's usual rate. Of a key with origins it
            is the rate of each address.
        origins: Pages that may use it, such as ``https://shop.example``; a key that stands in a
            page, where anybody reads it, has some. Empty for any program.
    """

    name: str
    hash: str
    scope: str
    per_minute: int | None = None
    origins: tuple[str, ...] = ()


def hash_key(secret: str) -> str:
    """Hash a secret, as the file holds it."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def check_origin(origin: str) -> str:
    """Give an origin as browsers write it.

    Args:
        origin: Scheme, host and, if it is not the usual one, port.

    Raises:
        ValueError: If it is no origin.

    Example:
        >>> check_origin("https://Shop.example:8443")
        'https://shop.example:8443'
    """
    lower = origin.lower()
    parts = urlsplit(lower)
    try:
        whole = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        whole = False
    if not whole or lower != f"{parts.scheme}://{parts.netloc}" or "@" in lower or "*" in lower:
        raise ValueError(
            f"an origin must be http(s)://HOST or http(s)://HOST:PORT with nothing behind it, "
            f"got {origin[:100]!r}"
        )
    return lower


def add_key(
    file: Path,
    name: str,
    scope: str,
    per_minute: int | None = None,
    origins: Sequence[str] = (),
) -> str:
    """Make a key and add it to a file, which is made if missing, readable to its owner only.

    Args:
        file: The file of keys.
        name: Must be new.
        scope: One of `SCOPES`.
        per_minute: Requests allowed; None for the service's usual rate.
        origins: Pages that may use it; none for any program. It may only read then.

    Returns:
        The secret, which is kept nowhere.

    Raises:
        KeysError: If the file cannot be read, or has the name already.
        ValueError: If the name, the scope, the rate or an origin makes no sense.
    """
    if not name.strip() or len(name) > 100 or not name.isprintable():
        raise ValueError(f"name must be 1 to 100 printable characters, got {name!r}")
    if scope not in SCOPES:
        raise ValueError(f"scope must be one of {', '.join(SCOPES)}, got {scope!r}")
    if per_minute is not None and per_minute < 1:
        raise ValueError(f"per_minute must be at least 1, got {per_minute}")
    allowed = tuple(dict.fromkeys(map(check_origin, origins)))
    if allowed and scope != "read":
        raise ValueError(
            "a key with origins stands in a page, where anybody reads it, so its scope must be read"
        )
    keys = list(read_keys(file).values()) if file.exists() else []
    if any(key.name == name for key in keys):
        raise KeysError(f"{file} has a key named {name!r}; give another name, or delete that one")
    secret = PREFIX + secrets.token_urlsafe(32)
    keys.append(ApiKey(name, hash_key(secret), scope, per_minute, allowed))
    written = json.dumps({"keys": [asdict(key) for key in keys]}, indent=2) + "\n"
    if not file.exists():
        file.touch(mode=0o600)
    mode = file.stat().st_mode & 0o777
    file.with_name(f"{file.name}.partial").touch(mode=mode)
    write_whole(file, written.encode())
    return secret


def read_keys(file: Path) -> Mapping[str, ApiKey]:
    """Read a file of keys.

    Args:
        file: ``{"keys": [{"name", "hash", "scope", "per_minute"?, "origins"?}]}``.

    Returns:
        The keys by their hash.

    Raises:
        KeysError: If it is no such file.
    """
    try:
        listed = json.loads(file.read_text(encoding="utf-8"))["keys"]
        keys = [_key(each) for each in listed[:MOST_KEYS]]
    except OSError as error:
        raise KeysError(
            f"the keys in {file} cannot be read: {error.strerror or error}; make the first with "
            f"`snapshelf key NAME --keys {file}`"
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise KeysError(
            f"{file} is no file of API keys ({error}); make one with `snapshelf key`"
        ) from error
    return {key.hash: key for key in keys}


def _key(written: Any) -> ApiKey:
    if not isinstance(written, dict):
        raise TypeError(f"{written!r} is no key")
    origins = written.get("origins", [])
    if not isinstance(origins, list):
        raise TypeError(f"the origins are no list but {origins!r}")
    key = ApiKey(**{**written, "origins": tuple(check_origin(str(each)) for each in origins)})
    if key.scope not in SCOPES:
        raise ValueError(f"the scope of {key.name!r} is {key.scope!r}")
    if len(key.hash) != 64 or not isinstance(key.name, str):
        raise ValueError(f"the hash of {key.name!r} is no SHA-256")
    if key.per_minute is not None and not key.per_minute > 0:
        raise ValueError(f"the rate of {key.name!r} is {key.per_minute!r}")
    if key.origins and key.scope != "read":
        raise ValueError(f"{key.name!r} has origins, so its scope must be read")
    return key


class KeyFile:
    """The keys of a file as it is now: a key that is deleted there opens nothing any more.

    A file that cannot be read opens nothing either, until it can.

    Args:
        file: The file.

    Raises:
        KeysError: If it cannot be read at the start.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = Lock()
        self._stamp = self._now()
        self._keys = read_keys(file)

    def find(self, secret: str) -> ApiKey | None:
        """Give the key of a secret, None if it is none of them."""
        return self.find_hash(hash_key(secret))

    def find_hash(self, hashed: str) -> ApiKey | None:
        """Give the key of a secret's hash, None if it is none of them."""
        return self._current().get(hashed)

    def has_origin(self, origin: str) -> bool:
        """Whether any key may be used by pages of an origin."""
        return any(origin in key.origins for key in self._current().values())

    def _current(self) -> Mapping[str, ApiKey]:
        with self._lock:
            stamp = self._now()
            if stamp != self._stamp:
                self._stamp = stamp
                try:
                    self._keys = read_keys(self._file)
                except KeysError:
                    self._keys = {}
            return self._keys

    def _now(self) -> tuple[int, int, int]:
        try:
            status = self._file.stat()
        except OSError:
            return (0, 0, 0)
        return status.st_mtime_ns, status.st_size, status.st_ino
