"""Annotations as JSON Lines, one picture a line, or as CSV, one value a line."""

import csv
import io
import json
from collections.abc import Callable, Mapping
from typing import Any

from snapshelf.annotation.annotated import AnnotatedPicture

__all__ = ["WRITERS", "csv_lines", "json_line"]

COLUMNS = (
    *("product", "picture", "item", "x0", "y0", "x1", "y1"),
    *("attribute", "group", "value", "probability", "error"),
)

DIGITS = 6
"""Of a probability behind the point."""


def json_line(annotated: AnnotatedPicture) -> str:
    """Write a picture as a line of JSON.

    Args:
        annotated: What became of it.

    Returns:
        ``{"picture", "product"?, "items": [{"box", "attributes": {NAME: [{"group", "value",
        "probability"}]}}], "error"?}`` and a line's end.
    """
    line: dict[str, Any] = {"picture": annotated.picture.name}
    if annotated.picture.product:
        line["product"] = annotated.picture.product
    line["items"] = []
    for item in annotated.items:
        attributes: dict[str, list[dict[str, Any]]] = {}
        for each in item.attributes:
            probability = round(each.probability, DIGITS)
            value = {"group": each.group, "value": each.value, "probability": probability}
            attributes.setdefault(each.name, []).append(value)
        line["items"].append({"box": list(item.region.box), "attributes": attributes})
    if annotated.error:
        line["error"] = annotated.error
    # ASCII: a file name may hold bytes that are no text.
    return json.dumps(line) + "\n"


def csv_lines(annotated: AnnotatedPicture) -> str:
    """Write a picture as lines of CSV with the columns `COLUMNS`.

    Args:
        annotated: What became of it.

    Returns:
        A line for each value, items numbered from 1; one with the error where there is one.
    """
    named = (annotated.picture.product, annotated.picture.name)
    rows: list[tuple[Any, ...]] = [
        (
            *(*named, number, *item.region.box),
            *(each.name, each.group, each.value, round(each.probability, DIGITS), ""),
        )
        for number, item in enumerate(annotated.items, start=1)
        for each in item.attributes
    ]
    if annotated.error:
        rows.append((*named, *[""] * 9, annotated.error))
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


WRITERS: Mapping[str, tuple[str, Callable[[AnnotatedPicture], str]]] = {
    ".jsonl": ("", json_line),
    ".csv": (",".join(COLUMNS) + "\n", csv_lines),
}
"""By a file's suffix: its first line, and what writes a picture."""
