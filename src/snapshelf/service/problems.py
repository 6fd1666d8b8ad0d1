"""Errors as ``application/problem+json`` (RFC 9457), which say what to do."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from starlette.exceptions import HTTPException

__all__ = [
    "KINDS",
    "MEDIA_TYPE",
    "Problem",
    "ProblemError",
    "kind_of_status",
    "problem_body",
    "problem_fields",
]

MEDIA_TYPE = "application/problem+json"

KINDS: Mapping[str, tuple[int, str]] = {
    "not-understood": (400, "The request cannot be understood"),
    "key-missing": (401, "An API key is needed"),
    "not-allowed": (403, "This is not allowed"),
    "not-found": (404, "There is no such thing"),
    "wrong-method": (405, "The method is not one of this address"),
    "conflict": (409, "Something else stands against this now"),
    "too-slow": (408, "The request took too long to arrive"),
    "too-large": (413, "The request is too large"),
    "wrong-type": (415, "The type of content is not accepted"),
    "invalid": (422, "Something in the request is not valid"),
    "picture-refused": (422, "The picture cannot be used"),
    "clip-refused": (422, "The clip cannot be used"),
    "too-many-requests": (429, "Too many requests"),
    "busy": (429, "The service has all the work it can take"),
    "head-too-large": (431, "The head of the request is too large"),
    "failed": (500, "The service failed"),
    "unavailable": (503, "The shelf cannot be used at the moment"),
    "locked": (503, "The shelf is being written to"),
    "timed-out": (504, "The answer took too long"),
}
"""For each kind of problem its status and title; ``urn:snapshelf:problem:KIND`` is its type."""


class ProblemError(HTTPException):
    """A problem on its way to the client.

    Args:
        kind: One of `KINDS`.
        detail: What was wrong, what was expected and what to do.
        retry_after_s: When to try again, in seconds; None to say nothing of it.
        errors: Of single places of the request, ``{"where", "what"}``; see
            `snapshelf.service.validation`.
        headers: Further headers of the answer.

    Attributes:
        kind: As given.
        errors: As given.
    """

    def __init__(
        self,
        kind: str,
        detail: str,
        *,
        retry_after_s: float | None = None,
        errors: Sequence[Mapping[str, str]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        sent = dict(headers or {})
        if retry_after_s is not None:
            sent["Retry-After"] = str(max(1, round(retry_after_s)))
        super().__init__(KINDS[kind][0], detail, sent)
        self.kind = kind
        self.errors = errors


def kind_of_status(status: int) -> str:
    """Give the kind of a problem that tells nothing but its status."""
    for kind, (own, _) in KINDS.items():
        if own == status:
            return kind
    return "not-understood" if status < 500 else "failed"


def problem_fields(problem: ProblemError, request_id: str) -> dict[str, Any]:
    """Give a problem as JSON can hold it.

    Args:
        problem: The problem.
        request_id: Names the request in the logs.
    """
    written: dict[str, Any] = {
        "type": f"urn:snapshelf:problem:{problem.kind}",
        "title": KINDS[problem.kind][1],
        "status": problem.status_code,
        "detail": problem.detail,
        "request_id": request_id,
    }
    if problem.errors:
        written["errors"] = list(problem.errors)
    return written


def problem_body(problem: ProblemError, request_id: str) -> bytes:
    """Write a problem as JSON, UTF-8; see `problem_fields`."""
    written = json.dumps(problem_fields(problem, request_id), ensure_ascii=False)
    return written.encode("utf-8", "backslashreplace")


Problem: dict[str, Any] = {
    "title": "Problem",
    "type": "object",
    "description": "What went wrong, as RFC 9457 has it.",
    "required": ["type", "title", "status", "detail", "request_id"],
    "properties": {
        "type": {"type": "string", "examples": ["urn:snapshelf:problem:picture-refused"]},
        "title": {"type": "string", "examples": ["The picture cannot be used"]},
        "status": {"type": "integer", "examples": [422]},
        "detail": {
            "type": "string",
            "examples": ["the JPEG file ends early, after 512 bytes; get it again"],
        },
        "request_id": {"type": "string", "examples": ["5f0c8a2b9d3e4f60"]},
        "errors": {
            "type": "array",
            "description": "Each place of the request that is not valid: `query`, `path`, `header` "
            "or `body` (a form's or JSON's), then names and numbers that lead there, between dots.",
            "examples": [[{"where": "query.top", "what": "should be less than or equal to 100"}]],
            "items": {
                "type": "object",
                "required": ["where", "what"],
                "properties": {"where": {"type": "string"}, "what": {"type": "string"}},
            },
        },
    },
}
"""The schema of what `problem_body` writes."""
