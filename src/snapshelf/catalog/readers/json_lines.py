"""JSON Lines: one JSON object on each line."""

import json
from collections.abc import Generator

from snapshelf.catalog.entry import Problem
from snapshelf.catalog.limits import MAX_RECORD
from snapshelf.catalog.plain_text import quote
from snapshelf.catalog.readers.lines import bounded_lines
from snapshelf.catalog.readers.nested import flatten
from snapshelf.catalog.row import Header, Row, Rows, with_header
from snapshelf.catalog.source import Source

__all__ = ["read_json_lines"]


def read_json_lines(source: Source) -> Generator[Header | Row | Problem, None, None]:
    """Read a feed with one JSON object on each line.

    Numbers keep the digits they are written with. The columns are the names of the first 100
    lines' objects. Empty lines are passed over.

    Args:
        source: The feed.

    Yields:
        The header, then the rows.
    """
    return with_header(_rows(source))


def _rows(source: Source) -> Rows:
    decoder = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=str)
    with source.open_text() as text:
        for number, line in enumerate(bounded_lines(text), 1):
            if line.isspace():
                continue
            if len(line) > MAX_RECORD:
                yield Problem(number, "", f"is longer than {MAX_RECORD} characters")
                continue
            try:
                value = decoder.decode(line)
            except json.JSONDecodeError as error:
                reason = f"is no JSON: {error.msg} in column {error.colno} of {quote(line.strip())}"
                yield Problem(number, "", reason)
                continue
            except RecursionError:
                yield Problem(number, "", "is no product: its JSON is nested too deep")
                continue
            if isinstance(value, dict):
                yield Row(number, {name: flatten(item) for name, item in value.items()})
            else:
                reason = f"is no JSON object: {quote(line.strip())}; write one product a line"
                yield Problem(number, "", reason)
