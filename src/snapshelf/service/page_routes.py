"""The pages: the customers' page, its files, and what other pages are built from."""

import re
from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request, Response
from starlette.responses import HTMLResponse

from snapshelf.pages.render import render
from snapshelf.pages.theme import Theme, read_theme, theme_css
from snapshelf.service.access import Access, address_of
from snapshelf.service.page_files import PageFiles, answer_file
from snapshelf.service.parts import Parts
from snapshelf.service.problems import ProblemError
from snapshelf.service.session_routes import set_cookie
from snapshelf.service.sessions import COOKIE

__all__ = ["PAGE_HEADERS", "Pages", "page_routes"]

PAGE_HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
        "media-src 'self' blob:; connect-src 'self'; manifest-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; "
        "trusted-types 'none'"
    ),
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
    "Cache-Control": "no-store",
}
"""What a page has in place of the headers of the API's answers: its own scripts, styles and
pictures, those that the customer chose, and the camera."""

VERSION = re.compile(r"[0-9a-f]{12}")


class Pages:
    """What the pages of a service share.

    Args:
        theme: How they look.
        access: Begins sessions.

    Attributes:
        theme: As given.
        files: Their files.
    """

    def __init__(self, theme: Theme, access: Access) -> None:
        self.theme = theme
        self.files = PageFiles({"theme.css": theme_css(theme)})
        self._access = access

    def answer(
        self, template: str, request: Request, context: Mapping[str, Any], *, write: bool = False
    ) -> Response:
        """Answer with a page, and with a session where anybody may have one.

        Args:
            template: Below ``pages/templates``; extends ``shop/base.html.jinja``. It gets
                `context`, ``theme``, ``static`` (before the names of files) and ``scope``: of the
                session, or "" where the page has to ask for a key first.
            request: The request.
            context: What the template names.
            write: Whether the page is for who may write.
        """
        access, address = self._access, address_of(request)
        session = access.session(request.cookies.get(COOKIE))
        scope, begun = "", None
        if session is not None:
            try:
                scope = access.check_session(address, session, write=write).scope
            except ProblemError as problem:
                if problem.kind == "too-many-requests":
                    raise
        if not scope and not write and access.page == "open":
            begun = access.begin_open(address)
            scope = begun[0].scope
        html = render(
            template,
            {
                **context,
                "theme": self.theme,
                "static": f"static/{self.files.version}/",
                "scope": scope,
                "wanted": "write" if write else "read",
                "has_keys": access.has_keys,
            },
        )
        answer = HTMLResponse(html, headers=dict(PAGE_HEADERS))
        if begun is not None:
            set_cookie(answer, request, *begun)
        return answer


def page_routes(parts: Parts, access: Access) -> tuple[APIRouter, Pages]:
    """Make the routes of the customers' page and of all pages' files.

    Args:
        parts: Of the service.
        access: Begins sessions.

    Returns:
        The routes, and what further pages are answered with.

    Raises:
        ThemeError: If the theme cannot be read.
    """
    router = APIRouter(include_in_schema=False)
    settings = parts.settings
    pages = Pages(Theme() if settings.theme is None else read_theme(settings.theme), access)

    @router.get("/")
    def find(request: Request) -> Response:
        """Show the customers' page."""
        longest = settings.clips.max_seconds
        context = {
            "most_bytes": settings.limits.max_bytes,
            "most_clip_bytes": settings.clips.max_bytes,
            "longest_clip": f"{longest / 60:.0f} minutes" if longest >= 120 else f"{longest:.0f} s",
            "fetches": settings.fetch_urls,
            "link_days": 0 if settings.links is None else max(1, round(settings.link_days)),
        }
        return pages.answer("shop/find.html.jinja", request, context)

    @router.get("/static/{name:path}")
    def file(request: Request, name: str) -> Response:
        """Give a file of the pages, by its name or by their version and its name."""
        version, _, rest = name.partition("/")
        keep = version == pages.files.version
        # One of another version is of a page that was opened before, or of another process.
        found = pages.files.find(rest if VERSION.fullmatch(version) else name)
        if found is None:
            raise ProblemError("not-found", "the pages have no such file; load the page anew")
        return answer_file(found, request.headers, keep=keep)

    return router, pages
