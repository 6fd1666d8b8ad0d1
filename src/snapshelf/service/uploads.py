"""From a request's body to its picture or clip and what is asked for."""

import base64
import binascii
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from snapshelf.media.source import UrlReader
from snapshelf.service.clip_folder import ClipFile
from snapshelf.service.intake import Intake
from snapshelf.service.problems import ProblemError
from snapshelf.service.search_options import DetectBody, SearchBody, SearchOptions
from snapshelf.service.upload import Upload
from snapshelf.service.validation import invalid, refused

__all__ = ["read_detection", "read_json", "read_search"]

M = TypeVar("M", bound=BaseModel)

LISTS = frozenset({"boxes", "points"})
FIELDS = frozenset(SearchOptions.model_fields)
PICTURE = "picture"
CLIP = "clip"
MOST_FIELDS = 60

TYPES = (
    "send a picture as image/jpeg, image/png, image/webp, image/gif, image/heic, "
    "application/octet-stream, as multipart/form-data, or as application/json; for a search also "
    "a clip as video/mp4, video/webm or the like"
)


class _Parser(MultiPartParser):
    """Hands files to an intake: nothing of a picture shall be on disk."""

    def __init__(self, request: Request, intake: Intake) -> None:
        stream = _generated(request.stream())
        super().__init__(request.headers, stream, max_files=1, max_fields=MOST_FIELDS)
        self._intake = intake

    def on_headers_finished(self) -> None:
        """Put the intake's file in the place of a temporary one."""
        super().on_headers_finished()
        part = self._current_part
        if part.file is not None:
            part.file.file.close()
            kind = part.file.headers.get("content-type", "").lower()
            upload = self._intake.upload(
                called_clip=part.field_name == CLIP or kind.startswith("video/")
            )
            part.file = UploadFile(upload)  # type: ignore[arg-type]


async def _generated(stream: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
    async for part in stream:
        yield part


async def read_search(
    request: Request, fetcher: UrlReader | None, intake: Intake
) -> tuple[bytes | ClipFile, SearchOptions]:
    """Read the body of a search.

    Args:
        request: Its body is bounded already.
        fetcher: Reads URLs; None where searches may not name them.
        intake: Takes the file.

    Returns:
        The picture's file or the clip, and what is asked for.

    Raises:
        ProblemError: If the body is not understood.
        PictureError: If a URL cannot be fetched.
    """
    media = _media_type(request, clips=True)
    if media == "application/json":
        _refuse_address(request)
        body = await read_json(request, SearchBody)
        options = SearchOptions(**body.model_dump(include=set(FIELDS)))
        return await _picture_of(body.picture, body.url, fetcher), options
    data, fields = await _raw_or_form(request, media, intake)
    where = "body" if media == "multipart/form-data" else "query"
    return data, _validated(SearchOptions, fields, where)


async def read_detection(request: Request, fetcher: UrlReader | None, intake: Intake) -> bytes:
    """Read the body of a detection; as `read_search`, without clips and options."""
    media = _media_type(request, clips=False)
    if media == "application/json":
        _refuse_address(request)
        body = await read_json(request, DetectBody)
        return await _picture_of(body.picture, body.url, fetcher)
    data, fields = await _raw_or_form(request, media, intake)
    if fields:
        told = "is no field of a detection's form; leave it out"
        raise refused(f"body.{min(fields)[:60]}", told)
    assert isinstance(data, bytes)
    return data


def _media_type(request: Request, *, clips: bool) -> str:
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media.startswith("video/"):
        if clips:
            return media
        raise ProblemError("wrong-type", f"a detection takes pictures only, not clips; {TYPES}")
    known = ("application/json", "application/octet-stream", "multipart/form-data")
    if media not in known and not media.startswith("image/"):
        raise ProblemError("wrong-type", f"got {media[:60] or 'no content type'!r}; {TYPES}")
    return media


async def _raw_or_form(
    request: Request, media: str, intake: Intake
) -> tuple[bytes | ClipFile, Mapping[str, Any]]:
    if media == "multipart/form-data":
        _refuse_address(request)
        return await _form(request, intake)
    upload = intake.upload(called_clip=media.startswith("video/"))
    async for part in request.stream():
        if upload.on_disk:
            await run_in_threadpool(upload.write, part)
        else:
            upload.write(part)
    data = upload.result()
    if not data:
        raise ProblemError("invalid", f"the body is empty; {TYPES}")
    return data, _collected(request.query_params.multi_items(), "query")


async def _form(request: Request, intake: Intake) -> tuple[bytes | ClipFile, Mapping[str, Any]]:
    try:
        form = await _Parser(request, intake).parse()
    except MultiPartException as error:
        raise ProblemError(
            "not-understood", f"the form is not understood: {error.message}"
        ) from None
    files = [(name, each.file) for name, each in form.multi_items() if not isinstance(each, str)]
    if len(files) != 1 or files[0][0] not in (PICTURE, CLIP):
        raise ProblemError("invalid", f"the form must have one file, named {PICTURE!r} or {CLIP!r}")
    upload = files[0][1]
    assert isinstance(upload, Upload)
    data = upload.result()
    if not data:
        raise ProblemError("invalid", "the picture's file is empty")
    return data, _collected(
        [(name, each) for name, each in form.multi_items() if isinstance(each, str)], "body"
    )


def _collected(pairs: list[tuple[str, str]], where: str) -> Mapping[str, Any]:
    """Collect options: those that are lists may come several times."""
    fields: dict[str, Any] = {}
    for name, value in pairs:
        if name in LISTS:
            fields.setdefault(name, []).append(value)
        elif name in fields:
            raise refused(f"{where}.{name[:60]}", "is given twice; give it once")
        else:
            fields[name] = value
    return fields


def _refuse_address(request: Request) -> None:
    if request.query_params:
        raise ProblemError(
            "invalid",
            "options stand in the address for raw pictures only; put them into the form or the "
            "JSON, beside the picture",
        )


async def read_json(request: Request, model: type[M]) -> M:
    """Read a body of JSON, off the event loop.

    Raises:
        ProblemError: If it is not what the model expects.
    """
    whole = await request.body()
    return await run_in_threadpool(_validated_json, model, whole)


def _validated_json(model: type[M], whole: bytes) -> M:
    try:
        return model.model_validate_json(whole)
    except ValidationError as error:
        raise invalid(_errors(error), at="body", known=model.model_fields) from None


def _validated(model: type[M], fields: Mapping[str, Any], where: str) -> M:
    try:
        return model.model_validate(fields)
    except ValidationError as error:
        raise invalid(_errors(error), at=where, known=model.model_fields) from None


def _errors(error: ValidationError) -> list[Any]:
    return list(error.errors(include_input=False, include_url=False, include_context=False))


async def _picture_of(text: str | None, url: str | None, fetcher: UrlReader | None) -> bytes:
    if (text is None) == (url is None):
        raise refused("body", "give either picture (base64) or url, one of them")
    if url is not None:
        if fetcher is None:
            raise ProblemError(
                "not-allowed",
                "this service fetches no pictures; send the picture itself, as base64 or raw",
            )
        return await run_in_threadpool(fetcher.fetch, url)
    assert text is not None
    data = await run_in_threadpool(_decoded, text)
    if not data:
        raise refused("body.picture", "is empty")
    return data


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise refused(
            "body.picture",
            "is not base64 (A-Z a-z 0-9 + / and = at the end, without breaks)",
        ) from None
