"""Who may do what, and how often: keys, sessions of the service's pages, scopes and rates."""

from dataclasses import dataclass, replace
from typing import Annotated

from fastapi import Depends, Query, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from snapshelf.service.api_keys import ApiKey, KeyFile
from snapshelf.service.picture_passes import PicturePasses
from snapshelf.service.problems import ProblemError
from snapshelf.service.rates import Rates
from snapshelf.service.sessions import COOKIE, Session, Sessions, is_own_page
from snapshelf.service.settings import Settings

__all__ = [
    "Access",
    "Caller",
    "address_of",
    "needs_picture",
    "needs_read",
    "needs_read_by_key",
    "needs_write",
    "refuse_other_pages",
]

BEARER = HTTPBearer(
    auto_error=False,
    scheme_name="key",
    description="An API key as `snapshelf key` makes it: `Authorization: Bearer sk_...`.",
)

Credentials = Annotated[HTTPAuthorizationCredentials | None, Security(BEARER)]

HOW = "send the header `Authorization: Bearer KEY`; `snapshelf key` makes keys"

READS_ONLY = (
    "this key may only read, and this takes one that may write; `snapshelf key NAME --scope write` "
    "makes one"
)

LOOKS = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that change nothing."""

OPEN_PAGE = "page"
"""Names in logs the sessions that anybody may have."""

READ_S = 12 * 3600.0
WRITE_S = 8 * 3600.0
"""How long sessions last, seconds."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks.

    Attributes:
        owner: Whose the request is, for what only they may see again: of a key its hash, of a
            session its ID, else the address.
        name: Of the key, for logs; ``page`` of a session that anybody may have, None of nobody.
        scope: ``read`` or ``write``.
        key: Hash of the key; "" of nobody, and of sessions without one.
        is_anybody: Whether it is a session that anybody may have, of a service with keys.
    """

    owner: str
    name: str | None
    scope: str
    key: str = ""
    is_anybody: bool = False


class Access:
    """Lets requests in.

    Args:
        settings: The file of keys, rates, and who may have the page.

    Raises:
        KeysError: If the file cannot be read.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._keys = None if settings.keys is None else KeyFile(settings.keys)
        self._rates = Rates()
        self._sessions = Sessions(settings.session_secret)
        self._passes = PicturePasses(settings.session_secret)

    @property
    def has_keys(self) -> bool:
        """Whether there are keys at all."""
        return self._keys is not None

    @property
    def page(self) -> str:
        """Who may have the page: ``open`` for anybody, ``key`` for who has one, ``off``."""
        return self._settings.page or ("key" if self.has_keys else "open")

    def check(
        self, address: str, secret: str | None, *, write: bool, origin: str | None = None
    ) -> Caller:
        """Let a request with a key, or with nothing, in, or raise.

        Args:
            address: Of the client.
            secret: What it gives for a key, if anything.
            write: Whether it would change something.
            origin: Of the page that it comes from, if a browser tells one.

        Raises:
            ProblemError: If it may not, or has asked too often.
        """
        if self._keys is None:
            if write:
                raise ProblemError(
                    "not-allowed",
                    "this takes a key that may write, and the service has no API keys, so that "
                    "nobody may do it; start it with --keys",
                )
            self._take(f"address {address}", self._settings.requests_per_minute)
            return Caller(f"address {address}", None, "read")
        key = self._key(address, secret)
        if key.origins and origin not in key.origins:
            raise ProblemError(
                "not-allowed",
                "this key is for certain shop pages only; other pages and programs need a key of "
                "their own",
            )
        if write and key.scope != "write":
            raise ProblemError("not-allowed", READS_ONLY)
        return Caller(f"key {key.hash}", key.name, key.scope, key.hash)

    def check_session(self, address: str, session: Session, *, write: bool) -> Caller:
        """Let a request with a session in, or raise.

        Args:
            address: Of the client.
            session: As its cookie says.
            write: Whether it would change something.

        Raises:
            ProblemError: If it may not, has asked too often, or its key was withdrawn.
        """
        settings = self._settings
        name, rate = OPEN_PAGE, settings.requests_per_minute
        if session.key:
            key = None if self._keys is None else self._keys.find_hash(session.key)
            if key is None:
                raise _missing("the key of this session was withdrawn; give another one")
            name, rate = key.name, key.per_minute or rate
        elif self.page != "open":
            raise _missing("this page asks for a key first")
        self._take(f"session {session.id}", rate)
        # Anybody may begin as many sessions as they like.
        self._take(f"page address {address}", settings.page_requests_per_minute)
        if write and session.scope != "write":
            raise ProblemError(
                "not-allowed",
                "this session may only look; open /team and give a key that may write",
            )
        return Caller(
            f"session {session.id}", name, session.scope, session.key, is_anybody=not session.key
        )

    def begin_open(self, address: str) -> tuple[Session, str]:
        """Begin a session that anybody may have; gives it and its cookie's value.

        Raises:
            ProblemError: If not anybody may, or the address has begun too many.
        """
        if self.page != "open":
            raise _missing('this page asks for a key: send {"key": "sk_..."}')
        self._take(f"page address {address}", self._settings.page_requests_per_minute)
        return self._sessions.begin("read", READ_S)

    def begin_with_key(self, address: str, secret: str, scope: str) -> tuple[Session, str]:
        """Begin a session with a key; gives it and its cookie's value.

        Args:
            address: Of the client.
            secret: The key.
            scope: What the session shall be allowed, ``read`` or ``write``.

        Raises:
            ProblemError: If it is no key, may not do that, or too many were tried.
        """
        if self._keys is None:
            raise ProblemError(
                "not-allowed", "this service has no API keys; start it with --keys FILE"
            )
        key = self._key(address, secret)
        if key.origins:
            raise ProblemError("not-allowed", "this key is for other pages, not for this one")
        if scope == "write" and key.scope != "write":
            raise ProblemError("not-allowed", READS_ONLY)
        return self._sessions.begin(scope, WRITE_S if scope == "write" else READ_S, key.hash)

    def allows_origin(self, origin: str) -> bool:
        """Whether pages of an origin may use the service."""
        if origin in self._settings.allowed_origins or "*" in self._settings.allowed_origins:
            return True
        return self._keys is not None and self._keys.has_origin(origin)

    def picture_pass(self, caller: "Caller") -> tuple[str, int]:
        """Make a pass for pictures; gives it and the seconds that it holds."""
        return self._passes.make(caller.key)

    def check_pass(self, address: str, written: str) -> Caller:
        """Let a request for a picture in by its pass, or raise.

        Raises:
            ProblemError: If it has ended, its key was withdrawn, or it is none.
        """
        found = self._passes.read(written)
        if found is None or (self._keys is None) != (not found.key):
            raise _missing("this is no pass for pictures, or it has ended; ask for another one")
        if found.key and (self._keys is None or self._keys.find_hash(found.key) is None):
            raise _missing("the key of this pass was withdrawn")
        self._take(f"page address {address}", self._settings.page_requests_per_minute)
        return Caller(f"pass {address}", "pass", "read")

    def session(self, cookie: str | None) -> Session | None:
        """Read a session's cookie; None if it is none of ours, or has ended."""
        return self._sessions.read(cookie) if cookie else None

    def _key(self, address: str, secret: str | None) -> ApiKey:
        assert self._keys is not None
        key = None if secret is None else self._keys.find(secret)
        if key is None:
            if secret is not None:
                # Not asked of right keys: whoever shares an address with a guesser is let in, and
                # 256 random bits are not guessed.
                self._take(f"failures {address}", self._settings.failures_per_minute)
            told = "this is none of the service's API keys" if secret else "an API key is missing"
            raise _missing(f"{told}: {HOW}")
        # A key that stands in a page is used by all its visitors.
        who = f"key {key.hash} {address if key.origins else ''}"
        self._take(who, key.per_minute or self._settings.requests_per_minute)
        return key

    def _take(self, name: str, per_minute: int) -> None:
        wait = self._rates.take(name, per_minute)
        if wait:
            raise ProblemError(
                "too-many-requests",
                f"{per_minute} requests a minute are allowed; try again in {wait:.0f} s",
                retry_after_s=wait + 0.5,
            )


def address_of(request: Request) -> str:
    """Give the address of a request's client."""
    return request.client.host if request.client else ""


def refuse_other_pages(request: Request) -> None:
    """Raise for a request that would do something and does not come from a page of ours.

    Raises:
        ProblemError: If it does not.
    """
    headers = request.headers
    if request.method not in LOOKS and not is_own_page(
        fetch_site=headers.get("sec-fetch-site"),
        origin=headers.get("origin"),
        host=headers.get("host"),
    ):
        raise ProblemError(
            "not-allowed",
            "a session serves the service's own pages only; other programs and pages send a key, "
            "`Authorization: Bearer KEY`, and a proxy has to hand on the header Host",
        )


def _let_in(request: Request, credentials: Credentials, *, write: bool) -> None:
    access: Access = request.app.state.access
    address = address_of(request)
    cookie = request.cookies.get(COOKIE)
    session = access.session(cookie) if credentials is None else None
    if session is not None and (access.has_keys or session.key):
        refuse_other_pages(request)
        caller = access.check_session(address, session, write=write)
    else:
        secret = None if credentials is None else credentials.credentials
        caller = access.check(address, secret, write=write, origin=request.headers.get("origin"))
        if session is not None:
            caller = replace(caller, owner=f"session {session.id}")
    request.state.caller = caller
    request.state.key = caller.name
    # Of sessions too: only they see again what they have sent.
    request.state.owner = caller.owner if access.has_keys or session is not None else ""


def _read(request: Request, credentials: Credentials) -> None:
    """Let in who may read."""
    _let_in(request, credentials, write=False)


def _write(request: Request, credentials: Credentials) -> None:
    """Let in who may write."""
    _let_in(request, credentials, write=True)


def _picture(
    request: Request,
    credentials: Credentials,
    shown_by: Annotated[
        str | None,
        Query(
            alias="pass",
            max_length=200,
            description="A pass of `/v1/picture-pass`, in place of a key.",
        ),
    ] = None,
) -> None:
    """Let in who may read, or has a pass for pictures."""
    if shown_by is None:
        _let_in(request, credentials, write=False)
        return
    access: Access = request.app.state.access
    caller = access.check_pass(address_of(request), shown_by)
    request.state.caller = caller
    request.state.key = caller.name


def _missing(told: str) -> ProblemError:
    return ProblemError("key-missing", told, headers={"WWW-Authenticate": "Bearer"})


def _read_by_key(request: Request, credentials: Credentials) -> None:
    """Let in who may read, but no session that anybody may have."""
    _let_in(request, credentials, write=False)
    if request.state.caller.is_anybody:
        raise _missing(f"this is nothing for the page: {HOW}")


needs_read = Depends(_read)
needs_read_by_key = Depends(_read_by_key)
needs_write = Depends(_write)
needs_picture = Depends(_picture)
