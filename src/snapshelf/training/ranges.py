"""Ranges of settings, checked with one wording."""

import math
from collections.abc import Mapping

__all__ = ["above_zero", "at_least", "check_weights", "in_range"]


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
