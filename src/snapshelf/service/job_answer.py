"""Jobs as answers."""

from typing import Any

from snapshelf.service.job import Job
from snapshelf.service.jobs import Jobs
from snapshelf.service.json_answer import write_json
from snapshelf.service.problems import ProblemError

__all__ = ["found", "job_json"]


def found(jobs: Jobs, job_id: str, owner: str = "") -> Job:
    """Give a job to its owner.

    Raises:
        ProblemError: If there is none of this ID, or it is another's, which is the same.
    """
    job = jobs.find(job_id, owner)
    if job is None:
        raise ProblemError(
            "not-found",
            "there is no such job; what has ended is forgotten after "
            f"{jobs.kind.kept_s:g} s, or when many more have ended since",
        )
    return job


def job_json(job: Job, **more: Any) -> bytes:
    """Write a job as JSON: ``id``, ``status``, ``progress``, ``error``, ``result``, and more.

    Args:
        job: The job.
        more: Further fields, what JSON can hold.
    """
    told = {
        "id": job.id,
        "status": job.status,
        "progress": round(job.progress, 4),
        **more,
        "error": job.error,
    }
    # The result is JSON already.
    return write_json(told)[:-1] + b',"result":' + (job.result or b"null") + b"}"
