"""Jobs of clips, which are searched while their sender waits, looks, or gives up."""

import json
from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Request, Response
from starlette.responses import StreamingResponse

from snapshelf.service.access import needs_read
from snapshelf.service.answers import JobAnswer
from snapshelf.service.api_route import ApiRoute
from snapshelf.service.examples import EXAMPLES
from snapshelf.service.job import Job
from snapshelf.service.job_answer import found, job_json
from snapshelf.service.job_events import JobEvents, last_event_number
from snapshelf.service.json_answer import JsonAnswer
from snapshelf.service.openapi import problems
from snapshelf.service.parts import Parts

__all__ = ["clip_job_routes"]

EVENT = f"id: 3\nevent: progress\ndata: {json.dumps(EXAMPLES['JobAnswer'])}\n\n"

JobId = Annotated[
    str,
    Path(
        min_length=1,
        max_length=64,
        description="As the search's answer names it.",
        examples=["9f2c1e5a7b3d4068ac1d2e3f4a5b6c7d"],
    ),
]


def clip_job_routes(parts: Parts) -> APIRouter:
    """Make the routes.

    Args:
        parts: Of the service.
    """
    router = APIRouter(
        route_class=ApiRoute, prefix="/v1/jobs", tags=["jobs"], dependencies=[needs_read]
    )
    jobs, clips = parts.clips, parts.settings.clips
    streams = JobEvents(most=clips.streams, keep_alive_s=clips.keep_alive_s)

    def own(request: Request, job_id: str) -> Job:
        return found(jobs, job_id, getattr(request.state, "owner", ""))

    @router.get(
        "/{job_id}",
        summary="Look at a job",
        responses={200: {"model": JobAnswer}, **problems("not-found")},
    )
    async def look(request: Request, job_id: JobId) -> Any:
        """Give how far a clip's search is, and what it has found.

        A job is shown to the key that sent the clip; without keys, to whoever knows its ID.
        """
        return JsonAnswer(job_json(own(request, job_id)))

    @router.get(
        "/{job_id}/events",
        summary="Follow a job",
        response_class=Response,
        responses={
            200: {
                "content": {"text/event-stream": {"schema": {"type": "string"}, "example": EVENT}},
                "description": "Events `progress`, at the end `done` or `failed`.",
            },
            204: {"description": "The job has ended, and its last event is known."},
            **problems("not-found", "busy"),
        },
    )
    async def events(
        request: Request,
        job_id: JobId,
        last_event_id: Annotated[
            str | None,
            Header(max_length=100, description="The last event that is known.", examples=["7"]),
        ] = None,
    ) -> Response:
        """Tell of a job as it goes on, as server-sent events whose data is the job.

        A cancelled job ends with `failed`. Comments keep the connection open meanwhile.
        """
        job = own(request, job_id)
        after = last_event_number(last_event_id)
        if job.is_over and after >= job.number:
            return Response(status_code=204)
        streams.check()
        # Else nginx would collect them.
        headers = {"X-Accel-Buffering": "no"}
        return StreamingResponse(
            streams.of(job, after=after), media_type="text/event-stream", headers=headers
        )

    @router.delete(
        "/{job_id}",
        summary="Cancel a job",
        responses={200: {"model": JobAnswer}, **problems("not-found")},
    )
    async def cancel(request: Request, job_id: JobId) -> Any:
        """Give a job up, and delete its clip; one that has ended is forgotten with its result."""
        job = own(request, job_id)
        if job.is_over:
            jobs.forget(job)
        jobs.cancel(job)
        return JsonAnswer(job_json(job))

    return router
