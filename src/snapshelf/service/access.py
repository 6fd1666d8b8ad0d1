"""Who may do what, and how often: keys, their scopes and rates."""

from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from snapshelf.service.api_keys import ApiKey, KeyFile
from snapshelf.service.problems import ProblemError
from snapshelf.service.rates import Rates
from snapshelf.service.settings import Settings

__all__ = ["Access", "needs_read", "needs_write"]

BEARER = HTTPBearer(
    auto_error=False,
    scheme_name="key",
    description="An API key as `snapshelf key` makes it: `Authorization: Bearer sk_...`.",
)

Credentials = Annotated[HTTPAuthorizationCredentials | None, Security(BEARER)]

HOW = "send the header `Authorization: Bearer KEY`; `snapshelf key` makes keys"


class Access:
    """Lets requests in.

    Args:
        settings: The file of keys, and rates.

    Raises:
        KeysError: If the file cannot be read.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._keys = None if settings.keys is None else KeyFile(settings.keys)
        self._rates = Rates()

    @property
    def has_keys(self) -> bool:
        """Whether there are keys at all."""
        return self._keys is not None

    def check(self, address: str, secret: str | None, *, write: bool) -> ApiKey | None:
        """Let a request in, or raise.

        Args:
            address: Of the client.
            secret: What it gives for a key, if anything.
            write: Whether it would change something.

        Returns:
            Its key; None where the service has none.

        Raises:
            ProblemError: If it may not, or has asked too often.
        """
        usual = self._settings.requests_per_minute
        if self._keys is None:
            if write:
                raise ProblemError(
                    "not-allowed",
                    "this service has no API keys, so nobody may change its products; start it "
                    "with --keys",
                )
            self._take(f"address {address}", usual)
            return None
        key = None if secret is None else self._keys.find(secret)
        if key is None:
            if secret is not None:
                # Not asked of right keys: whoever shares an address with a guesser is let in, and
                # 256 random bits are not guessed.
                self._take(f"failures {address}", self._settings.failures_per_minute)
            told = "this is none of the service's API keys" if secret else "an API key is missing"
            raise ProblemError(
                "key-missing", f"{told}: {HOW}", headers={"WWW-Authenticate": "Bearer"}
            )
        self._take(f"key {key.hash}", key.per_minute or usual)
        if write and key.scope != "write":
            raise ProblemError(
                "not-allowed", "this key may only read; changing products takes one that may write"
            )
        return key

    def _take(self, name: str, per_minute: int) -> None:
        wait = self._rates.take(name, per_minute)
        if wait:
            raise ProblemError(
                "too-many-requests",
                f"{per_minute} requests a minute are allowed; try again in {wait:.0f} s",
                retry_after_s=wait + 0.5,
            )


def _let_in(request: Request, credentials: Credentials, *, write: bool) -> None:
    access: Access = request.app.state.access
    address = request.client.host if request.client else ""
    secret = None if credentials is None else credentials.credentials
    key = access.check(address, secret, write=write)
    request.state.key = None if key is None else key.name
    request.state.owner = "" if key is None else key.hash


def _read(request: Request, credentials: Credentials) -> None:
    """Let in who may read."""
    _let_in(request, credentials, write=False)


def _write(request: Request, credentials: Credentials) -> None:
    """Let in who may write."""
    _let_in(request, credentials, write=True)


needs_read = Depends(_read)
needs_write = Depends(_write)
