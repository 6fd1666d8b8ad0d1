"""Answers as JSON, written once and not looked at again."""

import json
from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

__all__ = ["JsonAnswer", "join_objects", "write_json"]


def write_json(content: Any) -> bytes:
    r"""Write JSON in UTF-8; half a surrogate pair, as file names may have, becomes an escape.

    Example:
        >>> write_json({"a": "\ud800"})
        b'{"a":"\\ud800"}'
    """
    text = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.encode("utf-8", "backslashreplace")


def join_objects(first: bytes, more: Mapping[str, Any]) -> bytes:
    """Add fields to an object that is written already.

    Args:
        first: An object with at least one field, as `write_json` gives it.
        more: At least one further field.

    Example:
        >>> join_objects(b'{"a":1}', {"b": 2})
        b'{"a":1,"b":2}'
    """
    return first[:-1] + b"," + write_json(more)[1:]


class JsonAnswer(Response):
    """An answer of JSON, or of bytes that are JSON already."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        """Write the answer."""
        return content if isinstance(content, bytes) else write_json(content)
