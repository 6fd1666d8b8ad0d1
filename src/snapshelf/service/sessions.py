"""Sessions of the service's own pages: signed cookies, of which the service keeps nothing.

A page's pictures and scripts cannot send the header of an API key, and a key in a page would be a
key that anybody reads. A session's cookie is out of reach of scripts (HttpOnly), comes back to this
service only (SameSite=Strict), and ends with the process or with the key that it was made with.
"""

import base64
import binascii
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

__all__ = ["COOKIE", "Session", "Sessions", "is_own_page"]

COOKIE = "snapshelf_session"

MOST_LETTERS = 1000


@dataclass(frozen=True, slots=True)
class Session:
    """What a cookie stands for.

    Attributes:
        id: Random; names the session in rates.
        scope: ``read`` or ``write``.
        ends: Unix time in seconds.
        key: Hash of the API key that it was made with; "" of a session that anybody may have.
    """

    id: str
    scope: str
    ends: int
    key: str = ""


class Sessions:
    """Makes and reads sessions.

    Args:
        secret: Signs them; "" for one of this process, so that its end ends them all. Several
            processes behind one address need the same.
        clock: Gives the Unix time in seconds.
    """

    def __init__(self, secret: str = "", clock: Callable[[], float] = time.time) -> None:
        self._secret = hashlib.sha256(secret.encode()).digest() if secret else secrets.token_bytes()
        self._clock = clock

    def begin(self, scope: str, seconds: float, key: str = "") -> tuple[Session, str]:
        """Begin a session.

        Args:
            scope: What it may do.
            seconds: How long it lasts.
            key: Hash of the API key that it is made with.

        Returns:
            The session, and the value of its cookie.
        """
        ends = int(self._clock() + seconds)
        session = Session(secrets.token_urlsafe(12), scope, ends, key)
        body = base64.urlsafe_b64encode(json.dumps(asdict(session)).encode()).decode()
        return session, f"{body}.{self._sign(body)}"

    def read(self, cookie: str) -> Session | None:
        """Read a cookie's value; None of one that is not ours, was changed, or has ended."""
        body, _, signed = cookie[:MOST_LETTERS].rpartition(".")
        if not body or not hmac.compare_digest(self._sign(body).encode(), signed.encode()):
            return None
        try:
            session = Session(**json.loads(base64.urlsafe_b64decode(body)))
        except (binascii.Error, ValueError, TypeError):  # of another version, with the same secret
            return None
        return session if session.ends > self._clock() else None

    def _sign(self, body: str) -> str:
        signed = hmac.digest(self._secret, body.encode("utf-8", "surrogatepass"), "sha256")
        return base64.urlsafe_b64encode(signed).decode()


def is_own_page(*, fetch_site: str | None, origin: str | None, host: str | None) -> bool:
    """Tell whether a request that would do something comes from a page of this service.

    Browsers send the first on https and on this machine, the second with every request that is
    not just a look. A request with neither comes from no page that we have.

    Args:
        fetch_site: Header Sec-Fetch-Site.
        origin: Header Origin.
        host: Header Host, which a proxy has to hand on.

    Example:
        >>> is_own_page(fetch_site=None, origin="https://evil.example", host="shop.example")
        False
    """
    if fetch_site is not None:
        return fetch_site == "same-origin"
    if not origin or not host:
        return False
    return origin.lower() in (f"http://{host.lower()}", f"https://{host.lower()}")
