"""What the OpenAPI document says that a request may hold, so that requests are held to it."""

from collections.abc import Mapping
from typing import Any

from fastapi import Request

__all__ = ["fields_of", "operation_of", "options_of"]

Schema = Mapping[str, Any]


def operation_of(request: Request) -> Schema:
    """Give what the document says of a request; empty where it says nothing.

    Args:
        request: One whose route was found.
    """
    path = getattr(request.scope.get("route"), "path_format", "")
    found: Schema = request.app.openapi()["paths"].get(path, {}).get(request.method.lower(), {})
    return found


def options_of(request: Request) -> Mapping[str, bool]:
    """Give the options that may stand in a request's address, and which may come several times."""
    return {
        each["name"]: each["schema"].get("type") == "array"
        for each in operation_of(request).get("parameters", ())
        if each["in"] == "query"
    }


def fields_of(request: Request) -> Mapping[str, str]:
    """Give the fields that a request's body may have, with where: ``form`` or ``JSON``."""
    content = operation_of(request).get("requestBody", {}).get("content", {})
    kinds = {"application/json": "JSON", "multipart/form-data": "form"}
    return {
        name: where
        for media, where in kinds.items()
        for name in _properties(request, content.get(media, {}).get("schema", {}))
    }


def _properties(request: Request, schema: Schema) -> Schema:
    if "$ref" in schema:
        schema = request.app.openapi()["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    found: Schema = schema.get("properties", {})
    return found
