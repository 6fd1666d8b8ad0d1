"""Ranges of settings, checked with one wording."""

import math
from collections.abc import Iterable, Mapping

__all__ = [
    "above_zero",
    "at_least",
    "below_one",
    "check_running",
    "check_weights",
    "in_range",
    "one_of",
]


def at_least(settings: object, least: int, *names: str) -> None:
    """Refuse settings below a number; None is let through.

    Args:
        settings: Has the attributes.
        least: The smallest value.
        names: Of the attributes.

    Raises:
        ValueError: Names the setting, what was expected and what came.
    """
    for name in names:
        value = getattr(settings, name)
        if value is not None and not least <= value < math.inf:
            raise ValueError(f"{name} must be finite and at least {least}, got {value}")


def above_zero(settings: object, *names: str) -> None:
    """Refuse settings of 0 and below; None is let through.

    Args:
        settings: Has the attributes.
        names: Of the attributes.

    Raises:
        ValueError: Names the setting, what was expected and what came.
    """
    for name in names:
        value = getattr(settings, name)
        if value is not None and not 0 < value < math.inf:
            raise ValueError(f"{name} must be finite and above 0, got {value}")


def below_one(settings: object, *names: str) -> None:
    """Refuse settings outside [0, 1).

    Args:
        settings: Has the attributes.
        names: Of the attributes.

    Raises:
        ValueError: Names the setting, what was expected and what came.
    """
    for name in names:
        if not 0 <= getattr(settings, name) < 1:
            raise ValueError(f"{name} must be in [0, 1), got {getattr(settings, name)}")


def one_of(settings: object, choices: Iterable[str], name: str) -> None:
    """Refuse a setting that is none of its choices.

    Args:
        settings: Has the attribute.
        choices: The names that there are.
        name: Of the attribute.

    Raises:
        ValueError: Names the setting, what was expected and what came.
    """
    names = tuple(choices)
    if getattr(settings, name) not in names:
        raise ValueError(
            f"{name} must be one of {', '.join(names)}, got {getattr(settings, name)!r}"
        )


def check_running(settings: object) -> None:
    """Refuse what is out of range of the settings that every training of a network has.

    Args:
        settings: Has ``momentum``, ``dropout``, ``learning_rate``, ``weight_decay``,
            ``gradient_clip``, ``devices``, ``num_workers``, ``picture_side``,
            ``picture_memory_mb``, ``keep_checkpoints`` and ``seed``.

    Raises:
        ValueError: Names the setting, what was expected and what came.
    """
    below_one(settings, "momentum", "dropout")
    above_zero(settings, "learning_rate", "gradient_clip")
    at_least(settings, 1, "devices", "picture_side")
    at_least(settings, 0, "weight_decay", "num_workers", "picture_memory_mb")
    at_least(settings, 0, "keep_checkpoints", "seed")


def in_range(settings: object, least: float, most: float, *names: str) -> None:
    """Refuse settings outside a range; None is let through.

    Args:
        settings: Has the attributes.
        least: The smallest value.
        most: The largest value.
        names: Of the attributes.

    Raises:
        ValueError: Names the setting, what was expected and what came.
    """
    for name in names:
        value = getattr(settings, name)
        if value is not None and not least <= value <= most:
            raise ValueError(f"{name} must be in [{least}, {most}], got {value}")


def check_weights(table: str, weights: Mapping[str, object]) -> None:
    """Refuse weights that are no numbers above 0.

    Args:
        table: The setting's name.
        weights: By the data sets' names.

    Raises:
        ValueError: Names the weight, what was expected and what came.
    """
    for name, weight in weights.items():
        if isinstance(weight, bool) or not isinstance(weight, int | float):
            raise ValueError(f"{table}.{name} must be a number, got {weight!r}")
        if not 0 < weight < math.inf:
            raise ValueError(f"{table}.{name} must be finite and above 0, got {weight}")
