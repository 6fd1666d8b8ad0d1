"""The attribute labels of DeepFashion's Consumer-to-Shop items, as attributes of one value each.

The lists are published as multi-label: each of 303 labels is 1, -1 or 0 (unknown) for an item, and
belongs to one of 18 types.
"""

import re
from collections.abc import Mapping
from pathlib import Path

from snapshelf.datasets.published_files import counted_rows
from snapshelf.datasets.training_item import AttributeValue
from snapshelf.errors import DatasetError

__all__ = ["read_attributes"]

LAYOUT = "DeepFashion's lists of attributes"
NAMED = re.compile(r"\S+\s+(\S.*)")


def read_attributes(folder: Path) -> Mapping[str, Mapping[str, AttributeValue]]:
    """Read the attributes of the items.

    An attribute type becomes an attribute of an item that has exactly one positive name of the
    type (labels that translate to the same name count as one); it has no groups. Of other items it
    is not known.

    Args:
        folder: ``Anno``, with ``list_attr_type.txt`` (names of types), ``list_attr_cloth.txt``
            (labels: name, type number) and ``list_attr_items.txt`` (items: ID, labels).

    Returns:
        The values of each item by the attribute's name. Empty where there is no
        ``list_attr_items.txt``, as in the older version.

    Raises:
        DatasetError: If a list is missing or malformed.
    """
    if not (folder / "list_attr_items.txt").exists():
        return {}
    types = [english for _, english in _names(folder / "list_attr_type.txt")]
    labels = [_label(where, text, types) for where, text in _names(folder / "list_attr_cloth.txt")]
    attributes: dict[str, dict[str, AttributeValue]] = {}
    for where, row in counted_rows(folder / "list_attr_items.txt", LAYOUT):
        item_id, *marks = row
        if len(marks) != len(labels) or not {"1", "0", "-1"}.issuperset(marks):
            raise DatasetError(
                f"{where}: expected an item ID and {len(labels)} labels of 1, 0 or -1, "
                f"got {len(marks)} fields that begin with {marks[:4]}"
            )
        found: dict[str, set[str]] = {}
        for mark, (kind, value) in zip(marks, labels, strict=True):
            if mark == "1":
                found.setdefault(kind, set()).add(value)
        attributes[item_id] = {
            kind: (value, value)
            for kind, values in found.items()
            if len(values) == 1
            for value in values
        }
    return attributes


def _names(path: Path) -> list[tuple[str, str]]:
    """Read a list of a Chinese name and what follows it."""
    names = []
    for where, row in counted_rows(path, LAYOUT):
        found = NAMED.fullmatch(" ".join(row))
        if found is None:
            raise DatasetError(f"{where}: expected a Chinese and an English name, got {row}")
        names.append((where, found[1]))
    return names


def _label(where: str, text: str, types: list[str]) -> tuple[str, str]:
    """Give the type and the English name of a label."""
    name, _, number = text.rpartition(" ")
    if not name or number not in {str(index + 1) for index in range(len(types))}:
        raise DatasetError(
            f"{where}: expected an English name and a type number in [1, {len(types)}], "
            f"got {text!r}"
        )
    return types[int(number) - 1], name
