"""Bringing the shelf up to date with a feed, while searches go on."""

import json
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from snapshelf.service.access import needs_write
from snapshelf.service.api_route import ApiRoute
from snapshelf.service.job_answer import found
from snapshelf.service.json_answer import JsonAnswer
from snapshelf.service.openapi import problems
from snapshelf.service.parts import Parts
from snapshelf.service.problems import ProblemError
from snapshelf.service.reindexing import PROBLEMS, Reindexing
from snapshelf.service.request_record import request_id_of
from snapshelf.service.sent_feed import unpack_feed
from snapshelf.service.team_answers import LatestAnswer, WorkAnswer
from snapshelf.service.team_job_routes import JobId, add_job_routes, begun, state
from snapshelf.service.uploads import read_json
from snapshelf.spreadsheet import csv_text

__all__ = ["IndexOptions", "index_routes"]

ADDRESS = "/index"
FIELD = "feed"
COLUMNS = ("line", "product_id", "field", "reason", "skipped")

SKIPPED = (
    '{"line": 7, "field": "price", "reason": "is no price: \'cheap\'", "product_id": "SKU-7", '
    '"fatal": true}\n'
)
SKIPPED_ROWS = "line,product_id,field,reason,skipped\n7,SKU-7,price,is no price: 'cheap',product\n"

Encoding = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9._-]{1,39}$")]


class OwnFeedOptions(BaseModel):
    """How the shelf's own feed is read again."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", json_schema_extra={"examples": [{"recheck": True}]}
    )

    recheck: bool = Field(
        False, description="Read every picture again, also where nothing tells that it changed."
    )
    sure: bool = Field(
        False, description="Remove products also where the feed lacks more than half of them."
    )


class IndexOptions(OwnFeedOptions):
    """How a feed that is sent is read; forms have text."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    whole: bool = Field(
        True, description="Whether the feed has all that is sold: what it lacks is removed."
    )
    format: Literal["google-tsv", "google-xml", "shopify", "csv", "jsonl", "parquet"] | None = (
        Field(None, description="Of the feed, if it is not recognised.")
    )
    encoding: Encoding | None = Field(None, description="Of its text, if it is not UTF-8.")
    currency: Annotated[str, StringConstraints(pattern=r"^([A-Z]{3})?$")] = Field(
        "", description="Of prices that name none.", examples=["EUR"]
    )


def index_routes(parts: Parts) -> APIRouter:
    """Make the routes.

    Args:
        parts: Of the service.
    """
    router = APIRouter(
        route_class=ApiRoute, prefix="/v1", tags=["catalogue"], dependencies=[needs_write]
    )
    jobs, settings = parts.team.indexing, parts.settings
    reindexing = Reindexing(parts)

    @router.post(
        ADDRESS,
        summary="Bring the shelf up to date with a feed",
        status_code=202,
        responses={202: {"model": WorkAnswer}, **problems("wrong-type", "busy", "conflict")},
        openapi_extra=_request(),
    )
    async def index(request: Request) -> Any:
        """Index a feed in the background, one at a time; searches go on and see each step of it.

        A form sends the feed, in its field `feed`; its pictures are http(s) addresses, or paths in
        the folder of the feed that the shelf was made from, and no other files. JSON, `{}` at the
        least, has that feed itself read again. While it runs, changes of single products are
        answered with 503. Giving it up, or a kill, takes nothing back that was stored.
        """
        _refuse_second(parts)
        media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if media == "application/json":
            own = await read_json(request, OwnFeedOptions)
            job = jobs.start(
                lambda job: reindexing.own(own.recheck, own.sure, job),
                request_id=request_id_of(request.scope),
            )
            return begun(job, ADDRESS)
        async with parts.team.uploads.read(request, field=FIELD, most_files=1) as uploaded:
            options = uploaded.options(IndexOptions)
            ((name, file),) = uploaded.files
            folder = await run_in_threadpool(
                unpack_feed, name, file, settings.feed_bytes, parts.feed_folder
            )
            uploaded.close()
            try:
                _refuse_second(parts)
                job = jobs.start(
                    lambda job: reindexing.sent(folder, name, options, job),
                    request_id=request_id_of(request.scope),
                    when_over=folder.cleanup,
                )
            except BaseException:
                folder.cleanup()
                raise
        return begun(job, ADDRESS)

    @router.get(
        ADDRESS,
        summary="Look at the latest feed",
        responses={200: {"model": LatestAnswer}, **problems()},
    )
    async def latest() -> Any:
        """Give the job that was begun last, by whomever, for as long as it is kept."""
        job = jobs.latest()
        return JsonAnswer(b'{"job":' + (b"null" if job is None else state(job, ADDRESS)) + b"}")

    @router.get(
        f"{ADDRESS}/{{job_id}}/problems.{{kind}}",
        summary="Download what of a feed was skipped",
        response_class=Response,
        responses={
            200: {
                "content": {
                    "application/jsonl": {"schema": {"type": "string"}, "example": SKIPPED},
                    "text/csv": {"schema": {"type": "string"}, "example": SKIPPED_ROWS},
                },
                "description": "A line for each row, picture or field that was skipped, and why.",
            },
            **problems("not-found", "conflict"),
        },
    )
    async def skipped(job_id: JobId, kind: Literal["jsonl", "csv"]) -> Response:
        """Give what was skipped, as `snapshelf index --problems` writes it, or as a table."""
        job = found(jobs, job_id)
        if not job.is_over or PROBLEMS not in job.files:
            raise ProblemError("conflict", "the feed is not indexed yet, or was never read")
        lines = job.files[PROBLEMS]
        body = lines if kind == "jsonl" else await run_in_threadpool(_table, lines)
        named = f'attachment; filename="problems-{job_id[:8]}.{kind}"'
        media = "application/jsonl" if kind == "jsonl" else "text/csv; charset=utf-8"
        return Response(body, media_type=media, headers={"Content-Disposition": named})

    add_job_routes(router, jobs, ADDRESS, "indexing")
    return router


def _refuse_second(parts: Parts) -> None:
    latest = parts.team.indexing.latest()
    if latest is not None and not latest.is_over:
        raise ProblemError(
            "conflict",
            f"a feed is being indexed: /v1{ADDRESS}/{latest.id}; wait for it, or give it up",
        )


def _table(lines: bytes) -> bytes:
    rows: list[tuple[object, ...]] = [COLUMNS]
    for line in lines.splitlines():
        each = json.loads(line)
        part = "product" if each["fatal"] else "part"
        rows.append((each["line"], each["product_id"], each["field"], each["reason"], part))
    return csv_text(rows).encode("utf-8", "backslashreplace")


def _request() -> dict[str, Any]:
    """Describe the form and the JSON."""
    options = {}
    for name, schema in IndexOptions.model_json_schema()["properties"].items():
        plain = {**schema, **next((s for s in schema.get("anyOf", []) if "type" in s), {})}
        for dropped in ("anyOf", "title", "default"):
            plain.pop(dropped, None)
        options[name] = plain
    form = {
        "type": "object",
        "required": [FIELD],
        "additionalProperties": False,
        "properties": {FIELD: {"type": "string", "format": "binary"}, **options},
    }
    own = OwnFeedOptions.model_json_schema()
    own.pop("title", None)
    return {
        "requestBody": {
            "required": True,
            "content": {
                "multipart/form-data": {
                    "schema": form,
                    "example": {FIELD: "(the file)", "whole": False},
                },
                "application/json": {
                    "schema": own,
                    "examples": {"again": {"summary": "The shelf's own feed", "value": {}}},
                },
            },
        }
    }
