"""Which other pages' scripts may read the service's answers (CORS)."""

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp

from snapshelf.service.access import Access

__all__ = ["OtherPages"]


class OtherPages(CORSMiddleware):
    """Middleware: lets scripts of allowed origins read answers, never with cookies.

    Args:
        app: What answers.
        access: Knows the origins, of which those of keys may change while the service runs.
    """

    def __init__(self, app: ASGIApp, access: Access) -> None:
        super().__init__(
            app,
            allow_methods=["GET", "POST", "PUT", "DELETE"],
            allow_headers=["Authorization", "Content-Type", "Last-Event-ID", "X-Request-ID"],
            expose_headers=["X-Request-ID", "Retry-After", "Location"],
            max_age=600,
        )
        self._access = access

    def is_allowed_origin(self, origin: str) -> bool:
        """Whether pages of an origin may use the service."""
        return self._access.allows_origin(origin)
