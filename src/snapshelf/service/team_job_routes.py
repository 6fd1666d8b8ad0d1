"""Where jobs of one kind are asked for, and given up."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request

from snapshelf.service.access import needs_write
from snapshelf.service.job_answer import found, state
from snapshelf.service.jobs import Jobs
from snapshelf.service.json_answer import JsonAnswer
from snapshelf.service.openapi import problems
from snapshelf.service.team_answers import WorkState

__all__ = ["JobId", "team_job_routes"]

JobId = Annotated[
    str,
    Path(
        min_length=1,
        max_length=64,
        description="Of the job.",
        examples=["kq3J0mRkq3J0mRkq3J0mR0aB"],
    ),
]


def team_job_routes(jobs: Jobs, address: str, work: str) -> APIRouter:
    """Make the routes of a kind of jobs, for whoever may write: they are about the shelf.

    Args:
        jobs: Does them.
        address: Before their IDs, such as ``/annotations``, below ``/v1``.
        work: What they are, for the descriptions.
    """
    router = APIRouter(tags=["catalogue"], dependencies=[needs_write])

    @router.get(
        f"{address}/{{job_id}}",
        summary=f"Look how far {work} is",
        responses={200: {"model": WorkState}, **problems("not-found")},
    )
    def look(request: Request, job_id: JobId) -> Any:
        """Give the job: its progress, and its result once it is done."""
        job = found(jobs, job_id)
        return JsonAnswer(state(job, f"/v1{address}/{job.id}", request))

    @router.delete(
        f"{address}/{{job_id}}",
        summary=f"Give up {work}",
        responses={200: {"model": WorkState}, **problems("not-found")},
    )
    def cancel(request: Request, job_id: JobId) -> Any:
        """Have it end as soon as it can, and give the job; nothing happens to one that is over."""
        job = found(jobs, job_id)
        job.cancel()
        return JsonAnswer(state(job, f"/v1{address}/{job.id}", request))

    return router
