"""The OpenAPI document: problems described as they are, in every operation."""

import json
import re
from collections.abc import Callable
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from snapshelf.service.examples import EXAMPLES
from snapshelf.service.problems import KINDS, MEDIA_TYPE, Problem
from snapshelf.service.search_options import DetectBody, SearchBody, SearchOptions

__all__ = ["describe", "picture_request", "problems"]

REF = "#/components/schemas/"

PICTURE_TYPES = ("image/jpeg", "image/png", "image/webp", "image/gif", "image/heic")

CLIP_TYPES = ("video/mp4", "video/webm", "video/quicktime")


def problems(*kinds: str) -> dict[int | str, dict[str, Any]]:
    """Describe the problems that an operation may answer with.

    Args:
        kinds: Of `KINDS`; those that every operation has need not be named.
    """
    usual = ("not-understood", "key-missing", "not-allowed", "too-slow", "too-large", "invalid")
    told: dict[int | str, list[str]] = {}
    for kind in (*usual, "head-too-large", "too-many-requests", "failed", "unavailable", *kinds):
        status, title = KINDS[kind]
        if title not in told.setdefault(status, []):
            told[status].append(title)
    return {
        status: {
            "description": "; ".join(titles),
            "content": {MEDIA_TYPE: {"schema": {"$ref": f"{REF}Problem"}}},
            **({"headers": _RETRY} if status in (429, 503, 504) else {}),
        }
        for status, titles in told.items()
    }


def picture_request(*, options: bool) -> dict[str, Any]:
    """Describe a body that holds a picture: raw, as a form or as JSON.

    Args:
        options: Whether it may hold options of a search, or a clip, too.
    """
    body = "SearchBody" if options else "DetectBody"
    file = {"type": "string", "format": "binary"}
    files: dict[str, Any] = (
        {"oneOf": [{"required": ["picture"]}, {"required": ["clip"]}]}
        if options
        else {"required": ["picture"]}
    )
    form: dict[str, Any] = {
        "type": "object",
        **files,
        "additionalProperties": False,
        "properties": {
            "picture": file,
            **({"clip": file, **_form_options()} if options else {}),
        },
    }
    binary = {"schema": file}
    sent: dict[str, Any] = {"picture": "(the file)"}
    if options:
        sent |= {"top": 5, "filter": "price<80"}
    described: dict[str, Any] = {
        "requestBody": {
            "required": True,
            "content": {
                **dict.fromkeys((*PICTURE_TYPES, *(CLIP_TYPES if options else ())), binary),
                "multipart/form-data": {"schema": form, "example": sent},
                "application/json": {
                    "schema": {"$ref": f"{REF}{body}"},
                    "examples": {"base64": {"value": EXAMPLES[body]}},
                },
            },
        }
    }
    if options:
        described["parameters"] = [
            {
                "name": name,
                "in": "query",
                "required": False,
                "description": f"For a raw picture: {schema.pop('description', name)}",
                "schema": schema,
                **({"style": "form", "explode": True} if schema["type"] == "array" else {}),
            }
            for name, schema in _form_options().items()
        ]
    return described


def describe(app: FastAPI) -> Callable[[], dict[str, Any]]:
    """Give the function that writes an application's OpenAPI document, once.

    Args:
        app: The application, all of whose routes are there.
    """

    def written() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = get_openapi(
                title=app.title,
                version=app.version,
                description=app.description,
                routes=app.routes,
                tags=app.openapi_tags,
            )
            schemas = document.setdefault("components", {}).setdefault("schemas", {})
            schemas["Problem"] = Problem
            for model in (SearchBody, DetectBody):
                schemas[model.__name__] = {
                    **model.model_json_schema(ref_template=REF + "{model}"),
                    "oneOf": [{"required": ["picture"]}, {"required": ["url"]}],
                }
            for name, example in EXAMPLES.items():
                schemas[name].setdefault("examples", [example])
            _drop_unused(document)
            app.openapi_schema = document
        return app.openapi_schema

    return written


def _drop_unused(document: dict[str, Any]) -> None:
    """Drop the schemas that nothing refers to: FastAPI's own errors, and what bodies become."""
    schemas = document["components"]["schemas"]
    while unused := set(schemas) - set(re.findall(rf'"{REF}(\w+)"', json.dumps(document))):
        for name in unused:
            del schemas[name]


def _form_options() -> dict[str, dict[str, Any]]:
    """Describe the options of a search as addresses and forms have them: text."""
    described = {}
    numbers = {
        "boxes": r"^\d{1,5}(\.\d{1,3})?(,\d{1,5}(\.\d{1,3})?){3}$",
        "points": r"^\d{1,5}(\.\d{1,3})?,\d{1,5}(\.\d{1,3})?$",
    }
    for name, schema in SearchOptions.model_json_schema()["properties"].items():
        plain = {**schema, **next((s for s in schema.get("anyOf", []) if "type" in s), {})}
        for dropped in ("anyOf", "title", "default", "prefixItems"):
            plain.pop(dropped, None)
        if name in numbers:
            plain["items"] = {"type": "string", "pattern": numbers[name]}
            plain["examples"] = [["10,20,200,300" if name == "boxes" else "120,80"]]
        described[name] = plain
    return described


_RETRY = {
    "Retry-After": {
        "description": "Seconds after which to try again.",
        "schema": {"type": "integer", "minimum": 1},
    }
}
