"""Searching and detecting."""

from typing import Any

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from snapshelf.service.access import needs_read
from snapshelf.service.answers import DetectAnswer, JobStarted, SearchAnswer
from snapshelf.service.api_route import ApiRoute
from snapshelf.service.clip_folder import ClipFile
from snapshelf.service.clip_search import check_clip, clip_work
from snapshelf.service.intake import Intake
from snapshelf.service.jobs_elsewhere import pass_clip_on
from snapshelf.service.json_answer import JsonAnswer, join_objects
from snapshelf.service.openapi import picture_request, problems
from snapshelf.service.parts import Parts
from snapshelf.service.request_record import request_id_of
from snapshelf.service.search_options import SearchOptions
from snapshelf.service.uploads import read_detection, read_search

__all__ = ["search_routes"]

RESPONSES = problems("wrong-type", "picture-refused", "clip-refused", "busy", "timed-out")


def search_routes(parts: Parts) -> APIRouter:
    """Make the routes.

    Args:
        parts: Of the service.
    """
    router = APIRouter(
        route_class=ApiRoute, prefix="/v1", tags=["search"], dependencies=[needs_read]
    )
    fetcher = parts.fetcher if parts.settings.fetch_urls else None

    async def begin(
        request: Request, clip: ClipFile, options: SearchOptions, intake: Intake
    ) -> Response:
        """Put a clip into the queue."""
        await run_in_threadpool(check_clip, clip.path, parts.settings, options)
        if parts.jobs is not None:
            return await pass_clip_on(parts.jobs, request, clip, options)
        request_id = request_id_of(request.scope)
        job = parts.clips.start(
            clip_work(clip.path, parts.shelf, parts.settings, options, request_id),
            request_id=request_id,
            owner=request.state.owner,
            place=intake.place,
            when_over=clip.delete,
        )
        intake.hand_over()
        url = f"/v1/jobs/{job.id}"
        told = {"id": job.id, "status": job.status, "url": url, "events": f"{url}/events"}
        return JsonAnswer({"job": told, "request_id": request_id}, 202, {"Location": url})

    @router.post(
        "/search",
        summary="Find the products in a picture or a clip",
        responses={
            200: {"model": SearchAnswer, "description": "What was found in a picture."},
            202: {
                "model": JobStarted,
                "description": "A clip is searched as a job.",
                "headers": {
                    "Location": {
                        "description": "Where the job is.",
                        "schema": {"type": "string", "examples": ["/v1/jobs/9f2c1e5a7b3d4068"]},
                    }
                },
            },
            **RESPONSES,
        },
        openapi_extra=picture_request(options=True),
    )
    async def search(request: Request) -> Any:
        """Give for each item of the picture the products that it may be, best first.

        The picture is the body itself, a form's file `picture`, or base64 in JSON. Options stand
        in the address of a raw picture, else beside the picture. Nothing of the picture is kept.

        A clip is the body itself or a form's file `clip`; what is sent is told by its first bytes.
        It is searched as a job, which is polled or followed, and deleted then.
        """
        intake = Intake(request, parts.clip_folder, parts.clips)
        try:
            data, options = await read_search(request, fetcher, intake)
            if isinstance(data, ClipFile):
                return await begin(request, data, options, intake)
        finally:
            intake.close()
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
        intake = Intake(request, parts.clip_folder, None)
        try:
            data = await read_detection(request, fetcher, intake)
        finally:
            intake.close()
        answer = await parts.searching.detect(data)
        told = {"seconds": answer.seconds, "request_id": request_id_of(request.scope)}
        return JsonAnswer(join_objects(answer.found, told))

    return router
