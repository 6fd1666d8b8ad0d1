"""What the descriptions of all trained networks have in common, as ``system.json`` holds it."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from snapshelf.errors import ModelError

__all__ = [
    "LARGEST",
    "Classes",
    "check_choice",
    "check_kinds",
    "check_lengths",
    "classes_from_json",
    "classes_to_json",
]

LARGEST = 65_536
"""Of any number of units or cells: more would be a damaged file rather than a network."""

Classes = Mapping[str, tuple[tuple[str, str], ...]]
"""The classes of each attribute, by its name: each is a level-1 group and a level-2 value."""

CALLED: Mapping[type, str] = {
    str: "a text",
    bool: "true or false",
    int: "a whole number",
    list: "a list",
    dict: "an object",
}


def check_kinds(file: Path, values: Mapping[str, Any], kinds: Mapping[str, type]) -> None:
    """Refuse settings that are missing, unknown, or of another type.

    Args:
        file: Where they come from, for the errors.
        values: As read from JSON.
        kinds: The type of each setting, `str`, `bool`, `int`, `list` or `dict`; all
            are needed.

    Raises:
        ModelError: Names the setting, what was expected and what came.
    """
    for name, kind in kinds.items():
        if name not in values:
            raise ModelError(f"{file}: the setting {name!r} is missing")
        # True is an int to Python, but no number to anybody else.
        is_bool = isinstance(values[name], bool)
        if not isinstance(values[name], kind) or is_bool != (kind is bool):
            raise ModelError(
                f"{file}: {name} must be {CALLED[kind]}, got {str(values[name])[:80]!r}"
            )
    if unknown := values.keys() - kinds.keys():
        raise ModelError(f"{file}: unknown setting {min(unknown)!r}; expected {', '.join(kinds)}")


def check_lengths(
    file: Path, values: Mapping[str, Any], *names: str, least: int = 1, most: int = LARGEST
) -> None:
    """Refuse numbers that are out of range.

    Args:
        file: Where they come from, for the errors.
        values: As read from JSON, of the right types.
        names: Of the settings that are checked.
        least: Smallest that is allowed.
        most: Largest that is allowed.

    Raises:
        ModelError: Names the setting, what was expected and what came.
    """
    for name in names:
        if not least <= values[name] <= most:
            raise ModelError(f"{file}: {name} must be in [{least}, {most}], got {values[name]}")


def check_choice(
    file: Path, values: Mapping[str, Any], name: str, choices: Collection[str]
) -> None:
    """Refuse a text that is none of some.

    Args:
        file: Where it comes from, for the errors.
        values: As read from JSON, of the right types.
        name: Of the setting that is checked.
        choices: Those that are allowed.

    Raises:
        ModelError: Names the setting, what was expected and what came.
    """
    if values[name] not in choices:
        raise ModelError(
            f"{file}: {name} must be one of {', '.join(choices)}, got {values[name][:80]!r}"
        )


def classes_to_json(classes: Classes) -> dict[str, list[list[str]]]:
    """Give classes as values that JSON can hold."""
    return {name: [list(value) for value in own] for name, own in classes.items()}


def classes_from_json(file: Path, values: Mapping[str, Any]) -> Classes:
    """Read back what `classes_to_json` gave.

    Args:
        file: Where they come from, for the errors.
        values: As read from JSON.

    Raises:
        ModelError: If an attribute's classes are no list of pairs of texts.
    """
    for name, classes in values.items():
        if not isinstance(classes, list) or not all(
            isinstance(one, list) and len(one) == 2 and all(isinstance(part, str) for part in one)
            for one in classes
        ):
            raise ModelError(f"{file}: attribute {name!r} must be a list of [group, value] pairs")
    return {
        name: tuple((group, value) for group, value in classes) for name, classes in values.items()
    }
