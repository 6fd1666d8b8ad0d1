"""Annotations as JSON Lines, one picture a line, or as CSV, one value or one match a line."""

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from snapshelf.annotation.annotated import AnnotatedItem, AnnotatedPicture
from snapshelf.annotation.clips import AnnotatedClip
from snapshelf.features.attribute_predictor import PredictedAttribute
from snapshelf.shelf.as_json import item_json, product_json
from snapshelf.spreadsheet import csv_text

__all__ = [
    "PRODUCT_WRITERS",
    "WRITERS",
    "clip_json_line",
    "csv_lines",
    "json_line",
    "product_lines",
]

PLACE = ("product", "picture", "item", "x0", "y0", "x1", "y1")
COLUMNS = (*PLACE, "attribute", "group", "value", "probability", "error")
PRODUCT = ("title", "category", "brand", "price", "url", "image")
PRODUCT_COLUMNS = (
    *(*PLACE, "label", "in_catalogue", "rank", "match"),
    *(*PRODUCT, "similarity", "confidence", "error"),
)

DIGITS = 6
"""Of a number behind the point."""


def json_line(annotated: AnnotatedPicture) -> str:
    """Write a picture as a line of JSON.

    Args:
        annotated: What became of it.

    Returns:
        ``{"picture", "product"?, "items": [...], "error"?}`` and a line's end. An item whose
        products were asked for is what `item_json` gives, as in ``snapshelf search --json``; any
        other has ``box``. With attributes it has ``attributes``, ``{NAME: [{"group", "value",
        "probability"}]}``, too.
    """
    line: dict[str, Any] = {"picture": annotated.picture.name}
    if annotated.picture.product:
        line["product"] = annotated.picture.product
    line["items"] = [_item(item) for item in annotated.items]
    if annotated.error:
        line["error"] = annotated.error
    # ASCII: a file name may hold bytes that are no text.
    return json.dumps(line) + "\n"


def clip_json_line(annotated: AnnotatedClip) -> str:
    """Write a clip as a line of JSON.

    Args:
        annotated: What became of it.

    Returns:
        ``{"clip", "items": [...], "warnings"?, "error"?}`` and a line's end; items as in
        `json_line`, with the times at which they are seen.
    """
    line: dict[str, Any] = {"clip": annotated.name}
    line["items"] = [_item(item) for item in annotated.items]
    if annotated.warnings:
        line["warnings"] = list(annotated.warnings)
    if annotated.error:
        line["error"] = annotated.error
    return json.dumps(line) + "\n"


def csv_lines(annotated: AnnotatedPicture) -> str:
    """Write the attributes of a picture as lines of CSV with the columns `COLUMNS`.

    Args:
        annotated: What became of it.

    Returns:
        A line for each value, items numbered from 1; one with the error where there is one.
    """
    rows = [
        (
            *_place(annotated, number, item),
            *(each.name, each.group, each.value, round(each.probability, DIGITS), ""),
        )
        for number, item in enumerate(annotated.items, start=1)
        for each in item.attributes or ()
    ]
    return _csv(rows, annotated, len(COLUMNS))


def product_lines(annotated: AnnotatedPicture) -> str:
    """Write the products found in a picture as lines of CSV with the columns `PRODUCT_COLUMNS`.

    ``product`` is the one that a feed shows the picture for, ``match`` the ID of one found.

    Args:
        annotated: What became of it.

    Returns:
        A line for each match, items numbered from 1; for an item without a match one that names
        none, and one with the error where there is one.
    """
    rows: list[tuple[Any, ...]] = []
    for number, item in enumerate(annotated.items, start=1):
        if item.found is None:
            continue
        sure = "yes" if item.found.in_catalogue else "no"
        place = (*_place(annotated, number, item), item.region.label, sure)
        for match in item.found.matches:
            shown = product_json(match.product, match.image)
            rows.append(
                (
                    *(*place, match.rank, match.product.id, *(shown[name] for name in PRODUCT)),
                    *(round(match.similarity, DIGITS), round(match.confidence, DIGITS), ""),
                )
            )
        if not item.found.matches:
            rows.append((*place, *[""] * (len(PRODUCT_COLUMNS) - len(place))))
    return _csv(rows, annotated, len(PRODUCT_COLUMNS))


Writers = Mapping[str, tuple[str, Callable[[AnnotatedPicture], str]]]

WRITERS: Writers = {
    ".jsonl": ("", json_line),
    ".csv": (",".join(COLUMNS) + "\n", csv_lines),
}
"""For attributes, by a file's suffix: its first line, and what writes a picture."""

PRODUCT_WRITERS: Writers = {
    ".jsonl": ("", json_line),
    ".csv": (",".join(PRODUCT_COLUMNS) + "\n", product_lines),
}
"""For products, likewise; only JSON Lines tell the attributes beside them."""


def _item(item: AnnotatedItem) -> dict[str, Any]:
    line: dict[str, Any] = (
        {"box": list(item.region.box)} if item.found is None else item_json(item.found)
    )
    if item.attributes is not None:
        line["attributes"] = _attributes(item.attributes)
    return line


def _attributes(values: Iterable[PredictedAttribute]) -> dict[str, list[dict[str, Any]]]:
    attributes: dict[str, list[dict[str, Any]]] = {}
    for each in values:
        probability = round(each.probability, DIGITS)
        value = {"group": each.group, "value": each.value, "probability": probability}
        attributes.setdefault(each.name, []).append(value)
    return attributes


def _place(annotated: AnnotatedPicture, number: int, item: AnnotatedItem) -> tuple[Any, ...]:
    return annotated.picture.product, annotated.picture.name, number, *item.region.box


def _csv(rows: list[tuple[Any, ...]], annotated: AnnotatedPicture, columns: int) -> str:
    """Write rows, and one more where the picture has an error."""
    if annotated.error:
        named = (annotated.picture.product, annotated.picture.name)
        rows.append((*named, *[""] * (columns - 3), annotated.error))
    return csv_text(rows)
