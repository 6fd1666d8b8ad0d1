"""From a request's body to a picture's bytes and what is asked for."""

import base64
import binascii
from collections.abc import AsyncGenerator, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from snapshelf.media.source import UrlReader
from snapshelf.service.problems import ProblemError
from snapshelf.service.search_options import DetectBody, SearchBody, SearchOptions

__all__ = ["invalid", "read_detection", "read_json", "read_search"]

M = TypeVar("M", bound=BaseModel)

LISTS = frozenset({"boxes", "points"})
FIELDS = frozenset(SearchOptions.model_fields)
PICTURE = "picture"
MOST_FIELDS = 60

TYPES = (
    "send the picture as image/jpeg, image/png, image/webp, image/gif, image/heic, "
    "application/octet-stream, as multipart/form-data, or as application/json"
)


class _Parser(MultiPartParser):
    """Keeps the picture in memory: its size is bounded, and nothing of it shall be on disk."""

    spool_max_size = 1 << 40

    def close(self) -> None:
        """Let go of what was read, also of a part that did not come to its end."""
        for file in self._files_to_close_on_error:
            file.close()


async def read_search(request: Request, fetcher: UrlReader | None) -> tuple[bytes, SearchOptions]:
    """Read the body of a search.

    Args:
        request: Its body is bounded already.
        fetcher: Reads URLs; None where searches may not name them.

    Returns:
        The picture's file, and what is asked for.

    Raises:
        ProblemError: If the body is not understood.
        PictureError: If a URL cannot be fetched.
    """
    media = _media_type(request)
    if media == "application/json":
        _refuse_address(request)
        body = await read_json(request, SearchBody)
        options = SearchOptions(**body.model_dump(include=set(FIELDS)))
        return await _picture_of(body.picture, body.url, fetcher), options
    data, fields = await _raw_or_form(request, media)
    return data, _validated(SearchOptions, fields)


async def read_detection(request: Request, fetcher: UrlReader | None) -> bytes:
    """Read the body of a detection; as `read_search`, without options."""
    media = _media_type(request)
    if media == "application/json":
        _refuse_address(request)
        body = await read_json(request, DetectBody)
        return await _picture_of(body.picture, body.url, fetcher)
    data, fields = await _raw_or_form(request, media)
    if fields:
        raise ProblemError("invalid", f"a detection has no option {min(fields)!r}; leave it out")
    return data


def _media_type(request: Request) -> str:
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media.startswith("video/"):
        raise ProblemError("wrong-type", f"this service takes pictures only, not clips; {TYPES}")
    known = ("application/json", "application/octet-stream", "multipart/form-data")
    if media not in known and not media.startswith("image/"):
        raise ProblemError("wrong-type", f"got {media[:60] or 'no content type'!r}; {TYPES}")
    return media


async def _raw_or_form(request: Request, media: str) -> tuple[bytes, Mapping[str, Any]]:
    if media != "multipart/form-data":
        data = await request.body()
        if not data:
            raise ProblemError("invalid", f"the body is empty; {TYPES}")
        return data, _collected(request.query_params.multi_items())
    _refuse_address(request)
    return await _form(request)


async def _form(request: Request) -> tuple[bytes, Mapping[str, Any]]:
    whole = await request.body()

    async def once() -> AsyncGenerator[bytes, None]:
        yield whole

    parser = _Parser(request.headers, once(), max_files=1, max_fields=MOST_FIELDS)
    try:
        form = await parser.parse()
    except MultiPartException as error:
        raise ProblemError(
            "not-understood", f"the form is not understood: {error.message}"
        ) from None
    try:
        files = [(name, each) for name, each in form.multi_items() if isinstance(each, UploadFile)]
        if len(files) != 1 or files[0][0] != PICTURE:
            raise ProblemError("invalid", f"the form must have one file, named {PICTURE!r}")
        data = await files[0][1].read()
        texts = [(name, each) for name, each in form.multi_items() if isinstance(each, str)]
    finally:
        parser.close()
    if not data:
        raise ProblemError("invalid", "the picture's file is empty")
    return data, _collected(texts)


def _collected(pairs: list[tuple[str, str]]) -> Mapping[str, Any]:
    """Collect options: those that are lists may come several times."""
    fields: dict[str, Any] = {}
    for name, value in pairs:
        if name in LISTS:
            fields.setdefault(name, []).append(value)
        elif name in fields:
            raise ProblemError("invalid", f"{name[:60]!r} is given twice; give it once")
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
        raise invalid(error) from None


def _validated(model: type[M], fields: Mapping[str, Any]) -> M:
    try:
        return model.model_validate(fields)
    except ValidationError as error:
        raise invalid(error) from None


def invalid(error: ValidationError) -> ProblemError:
    """Tell what is not valid, without what was sent: it may be a picture."""
    errors = [
        {"where": ".".join(map(str, each["loc"]))[:100], "what": each["msg"]}
        for each in error.errors(include_input=False, include_url=False, include_context=False)[:20]
    ]
    told = "; ".join(f"{each['where'] or 'body'}: {each['what']}" for each in errors[:3])
    return ProblemError("invalid", told, errors=errors)


async def _picture_of(text: str | None, url: str | None, fetcher: UrlReader | None) -> bytes:
    if (text is None) == (url is None):
        raise ProblemError("invalid", "give either picture (base64) or url")
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
        raise ProblemError("invalid", "picture: is empty")
    return data


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise ProblemError(
            "invalid", "picture: is not base64 (A-Z a-z 0-9 + / and = at the end, without breaks)"
        ) from None
