"""Pictures that the pages send: made ready to be shown, kept for a link where that is wanted."""

from typing import Any

from fastapi import APIRouter, Request, Response

from snapshelf.media.source import UrlReader
from snapshelf.service.access import needs_read
from snapshelf.service.api_route import ApiRoute
from snapshelf.service.intake import Intake
from snapshelf.service.json_answer import JsonAnswer
from snapshelf.service.kept_pictures import KeptPictures
from snapshelf.service.parts import Parts
from snapshelf.service.problems import ProblemError
from snapshelf.service.rates import Rates
from snapshelf.service.uploads import read_detection

__all__ = ["picture_routes"]

LINKS_PER_MINUTE = 10


def picture_routes(parts: Parts, kept: KeptPictures | None) -> APIRouter:
    """Make the routes, which are for the service's own pages and no part of its document.

    Args:
        parts: Of the service.
        kept: Keeps pictures for links; None where none are kept.
    """
    router = APIRouter(
        route_class=ApiRoute, prefix="/v1", include_in_schema=False, dependencies=[needs_read]
    )
    rates = Rates()
    fetcher = parts.fetcher if parts.settings.fetch_urls else None

    @router.post("/upright")
    async def upright(request: Request) -> Response:
        """Give a picture back as a JPEG, upright and not too large.

        For pictures that a browser cannot show, as most cannot those of some phones, and for those
        that a link names by their address.
        """
        answer = await parts.searching.upright(await _picture(parts, request, fetcher))
        return Response(answer.found, media_type="image/jpeg")

    if kept is None:
        return router
    pictures = kept

    @router.post("/links")
    async def keep(request: Request) -> Any:
        """Keep a picture for a link, because the customer has asked for one."""
        wait = rates.take(request.state.caller.owner, LINKS_PER_MINUTE)
        if wait:
            raise ProblemError(
                "too-many-requests",
                f"{LINKS_PER_MINUTE} links a minute are made; try again in {wait:.0f} s",
                retry_after_s=wait + 0.5,
            )
        answer = await parts.searching.upright(await _picture(parts, request, None))
        try:
            name = await parts.searching.in_thread(lambda: pictures.keep(answer.found))
        except OSError:
            raise ProblemError(
                "unavailable", "pictures cannot be kept: is the disk full?", retry_after_s=60
            ) from None
        return JsonAnswer({"id": name, "seconds": round(pictures.seconds)})

    @router.get("/links/{name}")
    def look(name: str) -> Response:
        """Give a picture that was kept for a link."""
        jpeg = pictures.read(name)
        if jpeg is None:
            raise ProblemError("not-found", "this link has ended; its picture is kept no more")
        return Response(jpeg, media_type="image/jpeg", headers={"Cache-Control": "private"})

    return router


async def _picture(parts: Parts, request: Request, fetcher: UrlReader | None) -> bytes:
    intake = Intake(request, parts.clip_folder, None)
    try:
        return await read_detection(request, fetcher, intake)
    finally:
        intake.close()
