"""Fetching the pictures that a feed names by URL."""

import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from snapshelf.errors import PictureError
from snapshelf.media.limits import Limits
from snapshelf.media.retry import TransientError, retry_delay
from snapshelf.media.web_cache import CachedAnswer, WebCache

if TYPE_CHECKING:
    from snapshelf.media.guarded_network import Resolve
    from snapshelf.media.web import Answer

__all__ = ["Fetcher"]

_SHOWN = 300


class Fetcher:
    """Fetches URLs within bounds, tries again where that helps, and remembers what it got.

    Only http and https are spoken, and only with public addresses unless `allow_private` is
    set; every redirect is checked anew. Proxies of the environment are not used. A URL in the
    cache is not asked for again unless `recheck` is set; then the server is asked whether it
    has changed. Close the fetcher when done, or use it as a context manager.

    Args:
        cache_dir: Folder of the cache, None for no cache. It may be shared between processes.
        allow_private: Fetch from private, loopback and link-local addresses too.
        timeout_s: Longest silence of a server, in seconds.
        total_s: Longest time for one request, in seconds.
        retries: How often to try again after a failure that may pass: no connection, a
            time-out, HTTP 408, 425, 429 or 5xx. Waits grow from half a second; a server's
            Retry-After is followed, up to a minute.
        max_bytes: Largest picture, before and after decompression.
        connections: Most requests at once.
        per_host: Most requests at once to one host.
        recheck: Ask whether cached pictures have changed.
        cache_bytes: Largest size of the cache; what is longest unused goes first.
        resolve: Gives the addresses of a host; None asks the system.
        sleep: Waits between tries, for a number of seconds.

    Raises:
        ValueError: If a bound is out of range.

    Example:
        >>> with Fetcher(cache_dir=None) as fetcher:
        ...     data = fetcher.fetch("https://example.com/shoe.jpg")  # doctest: +SKIP
    """

    def __init__(
        self,
        cache_dir: Path | None,
        *,
        allow_private: bool = False,
        timeout_s: float = 20.0,
        total_s: float = 120.0,
        retries: int = 3,
        max_bytes: int = Limits().max_bytes,
        connections: int = 32,
        per_host: int = 8,
        recheck: bool = False,
        cache_bytes: int = 2 * 1024**3,
        resolve: "Resolve | None" = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        if timeout_s <= 0 or total_s <= 0:
            raise ValueError(f"time-outs must be above 0, got {timeout_s} and {total_s}")
        if retries < 0 or max_bytes < 1:
            raise ValueError(
                f"retries must not be negative and max_bytes at least 1, got {retries} "
                f"and {max_bytes}"
            )
        # The HTTP library takes a tenth of a second to import, and a feed of files needs none.
        from snapshelf.media import guarded_network, web

        self._parse = web.parse_url
        self._client = web.WebClient(
            allow_private=allow_private,
            timeout_s=timeout_s,
            total_s=total_s,
            max_bytes=max_bytes,
            connections=connections,
            per_host=per_host,
            resolve=resolve or guarded_network.resolve,
        )
        self._cache = None if cache_dir is None else WebCache(cache_dir, cache_bytes)
        self._reach = "any" if allow_private else "public"
        self._retries = retries
        self._max_bytes = max_bytes
        self._recheck = recheck
        self._sleep = sleep
        self._closed = False

    def fetch(self, url: str) -> bytes:
        """Give the bytes behind a URL, from the cache where they are there.

        Any number of threads may call this at the same time; beyond the bounds on requests
        they wait for each other.

        Args:
            url: An http or https URL, without a user name or password.

        Returns:
            The body, at most `max_bytes` long; not yet known to be a picture.

        Raises:
            PictureError: If it cannot be had; the message begins with the URL.
            RuntimeError: If the fetcher is closed.
        """
        if self._closed:
            raise RuntimeError("the fetcher is closed")
        try:
            return self._fetch(str(self._parse(url)))
        except PictureError as error:
            shown = url if len(url) <= _SHOWN else f"{url[:_SHOWN]}..."
            raise PictureError(f"{shown}: {error}") from error

    def close(self) -> None:
        """Close every connection; calling it twice does no harm."""
        self._closed = True
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _fetch(self, url: str) -> bytes:
        # What a fetcher with a wider reach has brought home is not for one with a smaller.
        key = f"{self._reach} {url}"
        cached = None if self._cache is None else self._cache.get(key)
        if cached is not None and len(cached.data) > self._max_bytes:
            cached = None
        if cached is not None and not self._recheck:
            return cached.data
        answer = self._ask(url, cached or CachedAnswer(b""))
        if answer.data is None:
            assert cached is not None, "only a condition is answered without data"
            return cached.data
        if self._cache is not None:
            fresh = CachedAnswer(answer.data, answer.etag, answer.last_modified)
            self._cache.put(key, fresh)
        return answer.data

    def _ask(self, url: str, known: CachedAnswer) -> "Answer":
        """Ask the server, again and again while that may help."""
        for attempt in range(1, self._retries + 2):
            try:
                return self._client.get(url, etag=known.etag, last_modified=known.last_modified)
            except TransientError as error:
                if attempt > self._retries:
                    tries = "1 try" if attempt == 1 else f"{attempt} tries"
                    raise PictureError(f"{error}, after {tries}") from error
                self._sleep(retry_delay(attempt, error.after_s))
        raise AssertionError("the last try returns or raises")
