"""What becomes of errors: a problem for the client, a line for the log, never a traceback."""

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from snapshelf.errors import (
    FilterError,
    PictureError,
    ShelfError,
    ShelfLockedError,
    VideoError,
)
from snapshelf.service.described import fields_of
from snapshelf.service.logs import log_failure
from snapshelf.service.measures import Measures
from snapshelf.service.problems import MEDIA_TYPE, ProblemError, kind_of_status, problem_body
from snapshelf.service.request_record import request_id_of
from snapshelf.service.validation import invalid

__all__ = ["EXPECTED", "FAILED", "Failures", "answer_problems", "note_failure", "problem_of"]

EXPECTED: tuple[type[Exception], ...] = (
    HTTPException,
    RequestValidationError,
    PictureError,
    VideoError,
    FilterError,
    ShelfError,
)
"""Errors that a client is told as they are; any other is the service's fault."""

FAILED = (
    "this is the service's fault, not yours; try again, and if it stays so give the request_id to "
    "whoever runs the service"
)


class Failures:
    """Middleware: turns whatever nobody expected into a problem of status 500.

    Args:
        app: What answers.
        measures: Counts.
    """

    def __init__(self, app: ASGIApp, measures: Measures) -> None:
        self._app = app
        self._measures = measures

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        begun = False

        async def noted(message: Message) -> None:
            nonlocal begun
            begun = begun or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, noted)
        except ProblemError as problem:
            # From a middleware further in, where no handler of the application sees it.
            if begun:
                raise
            await _response(problem, request_id_of(scope))(scope, receive, send)
        except ClientDisconnect:
            return  # there is nobody to tell
        except Exception as error:
            if scope["type"] != "http":
                raise
            failed = note_failure(error, self._measures, request_id_of(scope))
            if not begun:
                await _response(failed, request_id_of(scope))(scope, receive, send)


def note_failure(error: Exception, measures: Measures, request_id: str) -> ProblemError:
    """Tell any error as a problem; one that is not `EXPECTED` is counted and logged.

    Args:
        error: The error.
        measures: Counts.
        request_id: Of the request that it came of.
    """
    if isinstance(error, EXPECTED):
        return problem_of(error)
    measures.errors.labels(type(error).__name__).inc()
    log_failure(request_id, error)
    return ProblemError("failed", FAILED)


def answer_problems(app: FastAPI, measures: Measures) -> None:
    """Have an application answer its errors as problems.

    Args:
        app: The application.
        measures: Counts what is refused.
    """

    async def answer(request: Request, error: Exception) -> Response:
        if isinstance(error, RequestValidationError):
            problem = _of_request(request, error)
        else:
            problem = problem_of(error)
        measures.refused.labels(problem.kind).inc()
        return _response(problem, request_id_of(request.scope))

    for kind in EXPECTED:
        app.add_exception_handler(kind, answer)


def problem_of(error: Exception) -> ProblemError:
    """Tell one of the `EXPECTED` errors as a problem; the messages of our own are fit to be shown.

    Those of a shelf name folders, which are nobody's business but its owner's.
    """
    match error:
        case ProblemError():
            return error
        case RequestValidationError():
            return invalid(error.errors())
        case HTTPException():
            kind = kind_of_status(error.status_code)
            problem = ProblemError(kind, _DETAILS.get(kind, str(error.detail)))
            problem.status_code = error.status_code
            problem.headers = dict(error.headers or {})
            return problem
        case PictureError():
            return ProblemError("picture-refused", str(error))
        case VideoError():
            return ProblemError("clip-refused", str(error))
        case FilterError():
            return ProblemError("invalid", str(error))
        case ShelfLockedError():
            return ProblemError(
                "locked",
                "another process is indexing into the shelf; try again when it is done",
                retry_after_s=5,
            )
    return ProblemError(
        "unavailable",
        "the shelf was removed, replaced or damaged; whoever runs the service has to start it anew",
        retry_after_s=30,
    )


def _of_request(request: Request, error: RequestValidationError) -> ProblemError:
    """Tell what is wrong with a request whose route is known, and so what it may hold."""
    errors = error.errors()
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    is_json = media == "application/json" or media.endswith("+json")
    if not is_json and any(tuple(each["loc"]) == ("body",) for each in errors):
        return ProblemError(
            "wrong-type", f"got {media[:60] or 'no content type'!r}; send application/json"
        )
    return invalid(errors, known=fields_of(request))


_DETAILS = {
    "not-found": "nothing has this address; /v1/openapi.json lists those that there are",
    "wrong-method": "this address takes other methods, see the header Allow and /v1/openapi.json",
}


def _response(problem: ProblemError, request_id: str) -> Response:
    body = problem_body(problem, request_id)
    return Response(body, problem.status_code, problem.headers, MEDIA_TYPE)
