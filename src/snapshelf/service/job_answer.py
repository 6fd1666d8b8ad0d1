"""Jobs as answers."""

from typing import Any

from fastapi import Request

from snapshelf.service.jobs import Job, Jobs
from snapshelf.service.json_answer import JsonAnswer
from snapshelf.service.problems import ProblemError, problem_fields
from snapshelf.service.request_record import request_id_of

__all__ = ["begun", "found", "state"]


def state(job: Job, url: str, request: Request) -> dict[str, Any]:
    """Write a job.

    Args:
        job: The job.
        url: Its address.
        request: Whose answer it is.

    Returns:
        ``{"id", "status", "progress", "url", "so_far", "result", "error"}``.
    """
    # The status is read first: what comes after it was written before it.
    status, problem = job.status, job.error
    return {
        "id": job.id,
        "status": status,
        "progress": round(job.progress, 4),
        "url": url,
        "so_far": dict(job.so_far),
        "result": None if job.result is None or status != "done" else dict(job.result),
        "error": None if problem is None else problem_fields(problem, request_id_of(request.scope)),
    }


def begun(job: Job, url: str, request: Request) -> JsonAnswer:
    """Answer that a job was begun, or is under way."""
    return JsonAnswer(
        {"job": state(job, url, request)}, 202, headers={"Location": url, "Retry-After": "1"}
    )


def found(jobs: Jobs, job_id: str) -> Job:
    """Give a job.

    Raises:
        ProblemError: If there is none.
    """
    job = jobs.find(job_id)
    if job is None:
        raise ProblemError(
            "not-found", "there is no such job, or none any more; they are kept for an hour"
        )
    return job
