"""Searching and detecting."""

from typing import Any

from fastapi import APIRouter, Request

from snapshelf.service.access import needs_read
from snapshelf.service.answers import DetectAnswer, SearchAnswer
from snapshelf.service.json_answer import JsonAnswer, join_objects
from snapshelf.service.openapi import picture_request, problems
from snapshelf.service.parts import Parts
from snapshelf.service.request_record import request_id_of
from snapshelf.service.uploads import read_detection, read_search

__all__ = ["search_routes"]

RESPONSES = problems("wrong-type", "picture-refused", "busy", "timed-out")


def search_routes(parts: Parts) -> APIRouter:
    """Make the routes.

    Args:
        parts: Of the service.
    """
    router = APIRouter(prefix="/v1", tags=["search"], dependencies=[needs_read])
    fetcher = parts.fetcher if parts.settings.fetch_urls else None

    @router.post(
        "/search",
        summary="Find the products in a picture",
        responses={200: {"model": SearchAnswer}, **RESPONSES},
        openapi_extra=picture_request(options=True),
    )
    async def search(request: Request) -> Any:
        """Give for each item of the picture the products that it may be, best first.

        The picture is the body itself, a form's file `picture`, or base64 in JSON. Options stand
        in the address of a raw picture, else beside the picture. Nothing of the picture is kept.
        """
        data, options = await read_search(request, fetcher)
        answer = await parts.searching.search(data, options)
        told = {
            "seconds": answer.seconds,
            "cached": answer.cached,
            "request_id": request_id_of(request.scope),
        }
        return JsonAnswer(join_objects(answer.found, told))

    @router.post(
        "/detect",
        summary="Find the items in a picture",
        responses={200: {"model": DetectAnswer}, **RESPONSES},
        openapi_extra=picture_request(options=False),
    )
    async def detect(request: Request) -> Any:
        """Give where the items of the picture are, most confident first, and no products."""
        data = await read_detection(request, fetcher)
        answer = await parts.searching.detect(data)
        told = {"seconds": answer.seconds, "request_id": request_id_of(request.scope)}
        return JsonAnswer(join_objects(answer.found, told))

    return router
