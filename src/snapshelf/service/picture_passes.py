"""Passes: what shows pictures in other pages, where an `<img>` cannot send a key's header.

A pass is the time that it ends and the hash of the key that asked for it, signed. It opens pictures
of products and nothing else, in any page, until it ends or its key is withdrawn.
"""

import hashlib
import hmac
import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["PASS_S", "PicturePass", "PicturePasses"]

PASS_S = 3600
"""How long a pass holds at least, seconds; at most twice that."""

WRITTEN = re.compile(r"([0-9]{1,12})\.([0-9a-f]{64}|open)\.([0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class PicturePass:
    """What a pass says.

    Attributes:
        ends: Unix time in seconds.
        key: Hash of the key; "" of a service without keys.
    """

    ends: int
    key: str


class PicturePasses:
    """Makes and reads passes.

    Args:
        secret: Signs them; "" for one of this process.
        clock: Gives the Unix time in seconds.
    """

    def __init__(self, secret: str = "", clock: Callable[[], float] = time.time) -> None:
        own = secret.encode() or secrets.token_bytes()
        # Another key than that of sessions: neither can be taken for the other.
        self._secret = hmac.digest(own, b"pictures", "sha256")
        self._clock = clock

    def make(self, key: str) -> tuple[str, int]:
        """Make a pass; within the hour the same one, so that browsers keep what it shows.

        Args:
            key: Hash of the key; "" of a service without keys.

        Returns:
            The pass, and the seconds that it holds.
        """
        now = int(self._clock())
        ends = (now // PASS_S + 2) * PASS_S
        told = f"{ends}.{key or 'open'}"
        return f"{told}.{self._sign(told)}", ends - now

    def read(self, written: str) -> PicturePass | None:
        """Read a pass; None of one that is not ours, was changed, or has ended."""
        found = WRITTEN.fullmatch(written)
        if found is None:
            return None
        ends, key, signed = found.groups()
        if not hmac.compare_digest(self._sign(f"{ends}.{key}"), signed):
            return None
        if int(ends) <= self._clock():
            return None
        return PicturePass(int(ends), "" if key == "open" else key)

    def _sign(self, told: str) -> str:
        return hmac.new(self._secret, told.encode(), hashlib.sha256).hexdigest()
