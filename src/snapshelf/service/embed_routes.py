"""What other pages embed the search with: its script, and passes for pictures."""

from typing import Any

from fastapi import APIRouter, Request, Response

from snapshelf.service.access import Access, needs_read
from snapshelf.service.api_route import ApiRoute
from snapshelf.service.json_answer import JsonAnswer
from snapshelf.service.openapi import problems
from snapshelf.service.page_files import PageFiles, answer_file
from snapshelf.service.team_answers import PassAnswer

__all__ = ["embed_routes"]

ANYWHERE = {
    # A module of another origin is fetched as data is.
    "Access-Control-Allow-Origin": "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
}


def embed_routes(access: Access) -> APIRouter:
    """Make the routes.

    Args:
        access: Makes passes.
    """
    router = APIRouter(route_class=ApiRoute)
    script = PageFiles({}).find("embed.js")
    assert script is not None

    @router.get(
        "/v1/picture-pass",
        tags=["products"],
        summary="Get a pass for pictures",
        dependencies=[needs_read],
        responses={200: {"model": PassAnswer}, **problems()},
    )
    def ask(request: Request) -> Any:
        """Give a pass that shows pictures of products in other pages.

        An `<img>` sends no key. `/v1/products/ID/images/0?pass=...` shows the picture to whoever
        has the address, for an hour at least, until the pass or its key ends.
        """
        written, seconds = access.picture_pass(request.state.caller)
        return JsonAnswer({"pass": written, "seconds": seconds})

    @router.get("/embed.js", include_in_schema=False)
    def embed(request: Request) -> Response:
        """Give the script that puts the search into any page."""
        answer = answer_file(script, request.headers, keep=False)
        answer.headers["Cache-Control"] = "public, max-age=600"
        answer.headers.update(ANYWHERE)
        return answer

    return router
