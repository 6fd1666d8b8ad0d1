"""Where jobs of one kind are asked for, and given up."""

from typing import Annotated, Any

from fastapi import APIRouter, Path

from snapshelf.service.job import Job
from snapshelf.service.job_answer import found, job_json
from snapshelf.service.jobs import Jobs
from snapshelf.service.json_answer import JsonAnswer
from snapshelf.service.openapi import problems
from snapshelf.service.team_answers import WorkState

__all__ = ["JobId", "add_job_routes", "begun", "state"]

JobId = Annotated[
    str,
    Path(
        min_length=1,
        max_length=64,
        description="Of the job.",
        examples=["kq3J0mRkq3J0mRkq3J0mR0aB"],
    ),
]


def state(job: Job, address: str) -> bytes:
    """Write a job as JSON, with its ``url`` and what there is to tell ``so_far``.

    Args:
        job: The job.
        address: As `add_job_routes` has it.
    """
    return job_json(job, url=f"/v1{address}/{job.id}", so_far=job.so_far)


def begun(job: Job, address: str) -> JsonAnswer:
    """Answer that a job was begun, or is under way; see `state`."""
    headers = {"Location": f"/v1{address}/{job.id}", "Retry-After": "1"}
    return JsonAnswer(b'{"job":' + state(job, address) + b"}", 202, headers=headers)


def add_job_routes(router: APIRouter, jobs: Jobs, address: str, work: str) -> None:
    """Add the routes of a kind of jobs to the router that begins them.

    They are no router of their own: of a route within two routers the measures and the log would
    name half of the address.

    Args:
        router: Below ``/v1``, for whoever may write: the jobs are about the shelf.
        jobs: Does them.
        address: Before their IDs, such as ``/annotations``, below ``/v1``.
        work: What they are, for the descriptions.
    """

    @router.get(
        f"{address}/{{job_id}}",
        summary=f"Look how far {work} is",
        responses={200: {"model": WorkState}, **problems("not-found")},
    )
    async def look(job_id: JobId) -> Any:
        """Give the job: its progress, and its result once it is done."""
        return JsonAnswer(state(found(jobs, job_id), address))

    @router.delete(
        f"{address}/{{job_id}}",
        summary=f"Give up {work}",
        responses={200: {"model": WorkState}, **problems("not-found")},
    )
    async def cancel(job_id: JobId) -> Any:
        """Have it end as soon as it can, and give the job; nothing happens to one that is over."""
        job = found(jobs, job_id)
        jobs.cancel(job)
        return JsonAnswer(state(job, address))
