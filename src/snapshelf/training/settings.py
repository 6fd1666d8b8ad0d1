"""Settings from a TOML file into frozen dataclasses, with every mistake named."""

import dataclasses
import difflib
import tomllib
import types
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from snapshelf.training.training_error import TrainingError

__all__ = ["read_toml", "settings_from", "settings_to_dict"]

S = TypeVar("S")

NAMES = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a text",
    Mapping: "a table",
}


def read_toml(file: Path) -> dict[str, Any]:
    """Read a TOML file.

    Args:
        file: The user's own choice.

    Returns:
        The top-level table.

    Raises:
        TrainingError: If it is missing, cannot be read, or is no TOML.
    """
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise TrainingError(f"there is no configuration file {file}") from None
    except (OSError, ValueError, RecursionError) as error:
        raise TrainingError(f"{file} cannot be read as TOML: {error}") from error


def settings_from(kind: type[S], values: Mapping[str, Any], where: str) -> S:
    """Make a settings dataclass of plain values, such as a TOML file gives.

    Fields may be bool, int, float, str, ``Literal`` of strings, ``Mapping``, another settings
    dataclass, a tuple of any number of one of these, or one of these or None. A whole number
    does where a number is expected. Fields that are not given keep their defaults.

    Args:
        kind: A dataclass whose ``__post_init__`` raises ValueError for what is out of range.
        values: Field names to values.
        where: What the errors begin with: the file's name.

    Returns:
        An instance of `kind`.

    Raises:
        TrainingError: If a name is unknown, or a value is of another type or out of range.

    Example:
        >>> @dataclasses.dataclass(frozen=True)
        ... class Recipe:
        ...     rate: float = 0.1
        ...     sides: tuple[int, ...] = ()
        >>> settings_from(Recipe, {"rate": 1, "sides": [2, 3]}, "recipe.toml")
        Recipe(rate=1.0, sides=(2, 3))
        >>> settings_from(Recipe, {"rat": 1}, "recipe.toml")
        Traceback (most recent call last):
        snapshelf.training.training_error.TrainingError: recipe.toml: unknown setting 'rat'; did \
you mean 'rate'?
    """
    assert dataclasses.is_dataclass(kind)
    types_ = get_type_hints(kind)
    known = [field.name for field in dataclasses.fields(kind)]
    arguments: dict[str, Any] = {}
    for name, value in values.items():
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"expected {', '.join(known)}"
            raise TrainingError(f"{where}: unknown setting {name!r}; {hint}")
        arguments[name] = _convert(types_[name], value, where, name)
    try:
        return kind(**arguments)
    except ValueError as error:
        raise TrainingError(f"{where}: {error}") from error


def settings_to_dict(settings: Any) -> dict[str, Any]:
    """Give a settings dataclass as values that JSON can hold.

    Args:
        settings: An instance of a dataclass, as `settings_from` makes it.

    Returns:
        Field names to values; `settings_from` makes an equal instance of those that are not
        None.
    """
    values: dict[str, Any] = _plain(settings)
    return values


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        return {
            field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)
        }
    if isinstance(value, tuple | list):
        return [_plain(each) for each in value]
    if isinstance(value, Mapping):
        return {name: _plain(each) for name, each in value.items()}
    return value


def _convert(kind: Any, value: Any, where: str, name: str) -> Any:
    """Give a value as a field's type wants it."""
    origin = get_origin(kind)
    if origin in (Union, types.UnionType):
        (inner,) = (each for each in get_args(kind) if each is not type(None))
        return None if value is None else _convert(inner, value, where, name)
    if origin is Literal:
        if value not in get_args(kind):
            choices = ", ".join(map(repr, get_args(kind)))
            raise TrainingError(f"{where}: {name} must be one of {choices}, got {value!r}")
        return value
    if origin is tuple:
        if not isinstance(value, list | tuple):
            raise TrainingError(f"{where}: {name} must be a list, got {value!r}")
        each = get_args(kind)[0]
        return tuple(
            _convert(each, one, where, f"{name}[{number}]") for number, one in enumerate(value)
        )
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        if not isinstance(value, Mapping):
            raise TrainingError(f"{where}: {name} must be a table, got {value!r}")
        return settings_from(kind, value, f"{where}: {name}")
    plain = Mapping if origin is not None or kind is Mapping else kind
    # True is an int to Python, but no number to anybody else.
    fits = isinstance(value, plain) and (plain is bool or not isinstance(value, bool))
    if plain is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not fits:
        raise TrainingError(f"{where}: {name} must be {NAMES[plain]}, got {value!r}")
    return dict(value) if plain is Mapping else value
