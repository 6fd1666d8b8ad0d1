"""Annotating studio pictures: many at once, in the background, as `snapshelf annotate` does."""

from collections.abc import Iterator
from typing import Annotated, Any, BinaryIO, Literal

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from snapshelf.annotation.annotate import annotate_pictures
from snapshelf.annotation.attribute_finder import AttributeFinder
from snapshelf.annotation.pictures import PictureToAnnotate
from snapshelf.annotation.product_finder import ProductFinder
from snapshelf.annotation.writing import json_line
from snapshelf.errors import PictureError
from snapshelf.features.encoder import Domain
from snapshelf.service.access import needs_write
from snapshelf.service.api_route import ApiRoute
from snapshelf.service.bulk_upload import Uploaded
from snapshelf.service.job_answer import found
from snapshelf.service.job_work import JobWork
from snapshelf.service.json_answer import write_json
from snapshelf.service.openapi import problems
from snapshelf.service.parts import Parts
from snapshelf.service.problems import ProblemError
from snapshelf.service.request_record import request_id_of
from snapshelf.service.team_answers import WorkAnswer
from snapshelf.service.team_job_routes import JobId, add_job_routes, begun
from snapshelf.store.filters import Filter, parse_filter

__all__ = ["AnnotateOptions", "annotation_routes"]

ADDRESS = "/annotations"
FIELD = "pictures"
LINES = "lines"
LINE = '{"image": "1.jpg", "items": []}\n'


class AnnotateOptions(BaseModel):
    """How pictures are annotated; forms have text."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    top: int = Field(5, ge=1, le=50, description="Products for each item.")
    filter: Annotated[str, StringConstraints(min_length=1, max_length=4000)] | None = Field(
        None, description="Only products that pass it.", examples=["brand=Acme"]
    )
    side: Literal["street", "shop"] = Field(
        "street", description="Where the pictures come from: the street, or the shop's studio."
    )


def annotation_routes(parts: Parts) -> APIRouter:
    """Make the routes.

    Args:
        parts: Of the service.
    """
    router = APIRouter(
        route_class=ApiRoute, prefix="/v1", tags=["catalogue"], dependencies=[needs_write]
    )
    jobs, settings = parts.team.annotating, parts.settings

    @router.post(
        ADDRESS,
        summary="Annotate pictures",
        status_code=202,
        responses={202: {"model": WorkAnswer}, **problems("wrong-type", "busy")},
        openapi_extra=_request(settings.annotated_pictures),
    )
    async def annotate(request: Request) -> Any:
        """Find the products and attributes in many pictures, in the background.

        Send the files as a form, each in a field `pictures`. A picture that cannot be read keeps
        nothing from the rest: its line says why. Pictures are deleted once they are annotated.
        """
        async with parts.team.uploads.read(
            request, field=FIELD, most_files=settings.annotated_pictures
        ) as uploaded:
            options = uploaded.options(AnnotateOptions)
            where = None if options.filter is None else parse_filter(options.filter)
            # Refuses a filter before the work begins.
            await run_in_threadpool(parts.shelf.count, where)
            job = jobs.start(
                lambda own: _annotate(parts, uploaded, options, where, own),
                request_id=request_id_of(request.scope),
                when_over=uploaded.close,
            )
        return begun(job, ADDRESS)

    @router.get(
        f"{ADDRESS}/{{job_id}}.jsonl",
        summary="Download annotations",
        response_class=Response,
        responses={
            200: {
                "content": {"application/jsonl": {"schema": {"type": "string"}, "example": LINE}},
                "description": "A line of JSON for each picture, as `snapshelf annotate` writes "
                "them.",
            },
            **problems("not-found", "conflict"),
        },
    )
    async def lines(job_id: JobId) -> Response:
        """Give the annotations of a job that is done, one picture a line."""
        written = found(jobs, job_id).files.get(LINES)
        if written is None:
            raise ProblemError("conflict", "the pictures are not annotated yet, or never will be")
        named = f'attachment; filename="annotations-{job_id[:8]}.jsonl"'
        return Response(
            written, media_type="application/jsonl", headers={"Content-Disposition": named}
        )

    add_job_routes(router, jobs, ADDRESS, "annotating")
    return router


def _annotate(
    parts: Parts, uploaded: Uploaded, options: AnnotateOptions, where: Filter | None, job: JobWork
) -> bytes:
    """Annotate; in the job's thread."""
    shelf, total = parts.shelf, len(uploaded.files)
    predictor = shelf.system.predictor
    annotated = annotate_pictures(
        _pictures(uploaded, parts.settings.limits.max_bytes),
        locator=shelf.system.locator,
        domain=Domain(options.side),
        attributes=None if predictor is None else AttributeFinder(predictor),
        products=ProductFinder(shelf, top=options.top, where=where),
        # One reader: the rest of the machine is for searches.
        workers=1,
        limits=parts.settings.limits,
    )
    written: list[str] = []
    items = skipped = 0
    for one in annotated:
        written.append(json_line(one))
        items += len(one.items)
        skipped += bool(one.error)
        job.tell(len(written) / total, pictures=len(written), of=total, skipped=skipped)
    job.files[LINES] = "".join(written).encode()
    lines = f"/v1{ADDRESS}/{job.id}.jsonl"
    return write_json({"pictures": total, "items": items, "skipped": skipped, "lines": lines})


def _pictures(uploaded: Uploaded, most_bytes: int) -> Iterator[PictureToAnnotate]:
    for name, file in uploaded.files:
        yield PictureToAnnotate(name, "", _Reader(file, most_bytes))


class _Reader:
    """Reads an uploaded file, once, and lets go of it."""

    def __init__(self, file: BinaryIO, most_bytes: int) -> None:
        self._file = file
        self._most = most_bytes

    def __call__(self) -> bytes:
        data = self._file.read(self._most + 1)
        self._file.close()
        if len(data) > self._most:
            raise PictureError(
                f"the file has more than the {self._most:,} bytes that are accepted; make it "
                "smaller"
            )
        return data


def _request(most: int) -> dict[str, Any]:
    """Describe the form."""
    options = AnnotateOptions.model_json_schema()["properties"]
    options["filter"] = {**options["filter"]["anyOf"][0], "examples": ["brand=Acme"]}
    for each in options.values():
        each.pop("default", None)
        each.pop("title", None)
    return {
        "requestBody": {
            "required": True,
            "content": {
                "multipart/form-data": {
                    "schema": {
                        "type": "object",
                        "required": [FIELD],
                        "additionalProperties": False,
                        "properties": {
                            FIELD: {
                                "type": "array",
                                "minItems": 1,
                                "maxItems": most,
                                "items": {"type": "string", "format": "binary"},
                            },
                            **options,
                        },
                    },
                    "example": {FIELD: ["(the files)"], "side": "shop"},
                }
            },
        }
    }
