"""What the readers of a ``system.json`` have in common: checked settings and the calibration."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from snapshelf.errors import ModelError
from snapshelf.matching.confidence import Calibration

__all__ = ["check_settings", "file_setting", "read_calibration", "read_kind"]


def read_kind(file: Path) -> tuple[Any, Mapping[str, Any]]:
    """Read a ``system.json``.

    Args:
        file: Its path.

    Returns:
        What it names as its ``system``, None if nothing, and all its settings.

    Raises:
        ModelError: If it cannot be read as JSON.
    """
    try:
        settings = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(f"{file} cannot be read as JSON: {error}") from error
    return (settings.get("system"), settings) if isinstance(settings, dict) else (None, {})


def check_settings(
    file: Path, settings: Mapping[str, Any], fields: Mapping[str, type], *, needed: str
) -> None:
    """Refuse settings with unknown names or values of the wrong type.

    Args:
        file: The ``system.json``, for the message.
        settings: What it holds.
        fields: The type of each setting.
        needed: The setting that must be there.

    Raises:
        ModelError: Names the setting, what was expected and what came.
    """
    for name, value in settings.items():
        if name not in fields:
            raise ModelError(f"{file}: unknown setting {name!r}; expected {', '.join(fields)}")
        if not isinstance(value, fields[name]):
            raise ModelError(f"{file}: {name} must be a {fields[name].__name__}, got {value!r}")
    if needed not in settings:
        raise ModelError(f"{file}: the setting {needed!r} is missing")


def file_setting(file: Path, settings: Mapping[str, Any], name: str) -> Path:
    """Give the file or folder that a setting names, which must lie in the system's folder.

    Args:
        file: The ``system.json``.
        settings: What it holds; checked.
        name: The setting.

    Raises:
        ModelError: If the value is no plain name.
    """
    value: str = settings[name]
    if value in ("", ".", "..") or Path(value).name != value or "\\" in value or "\0" in value:
        raise ModelError(f"{file}: {name} must be a file in this folder, got {value!r}")
    return file.parent / value


def read_calibration(file: Path, settings: Mapping[str, Any]) -> Calibration:
    """Give the calibration that a ``system.json`` holds, or the default one.

    Args:
        file: The ``system.json``, for the message.
        settings: What it holds: ``calibration``, with slope, intercept, threshold and perhaps
            added_slope, as ``asdict`` of a `Calibration` gives them; or nothing.

    Raises:
        ModelError: If a number is missing, unknown, no number or out of range.
    """
    values = settings.get("calibration")
    if values is None:
        return Calibration()
    names = ("slope", "intercept", "threshold")
    if isinstance(values, dict) and values.get("added_slope", 0) is None:
        values = {name: value for name, value in values.items() if name != "added_slope"}
    numbers = isinstance(values, dict) and all(
        isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e6
        for value in values.values()
    )
    if not numbers or set(values) - {"added_slope"} != set(names):
        raise ModelError(
            f"{file}: calibration must hold the numbers {', '.join(names)}, and may hold "
            f"added_slope, got {values!r}"
        )
    calibration = Calibration(**{name: float(value) for name, value in values.items()})
    slopes = calibration.slope, calibration.added_slope or 0.0
    if min(slopes) < 0 or not 0 <= calibration.threshold <= 1:
        raise ModelError(
            f"{file}: calibration must have slopes of at least 0 and a threshold in [0, 1], "
            f"got {values!r}"
        )
    return calibration
