"""The catalogue team's page."""

from fastapi import APIRouter, Request, Response

from snapshelf.service.page_routes import Pages
from snapshelf.service.parts import Parts

__all__ = ["team_routes"]


def team_routes(parts: Parts, pages: Pages) -> APIRouter:
    """Make the route.

    Args:
        parts: Of the service.
        pages: What pages are answered with.
    """
    router = APIRouter(include_in_schema=False)
    settings = parts.settings

    @router.get("/team")
    def team(request: Request) -> Response:
        """Show the page to who may write; others are asked for a key that may."""
        context = {
            "most_pictures": settings.annotated_pictures,
            "most_bytes": settings.annotated_bytes,
        }
        return pages.answer("shop/team.html.jinja", request, context, write=True)

    return router
