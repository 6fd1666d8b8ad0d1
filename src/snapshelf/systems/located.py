"""`located`: any system, behind a locator of the user's.

picture ──► plain border? the whole, else the locator's regions ──► the base's encoder
"""

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from snapshelf.errors import ModelError
from snapshelf.systems.folder_settings import check_settings, read_calibration
from snapshelf.systems.system import System
from snapshelf.systems.wrapping import load_base

__all__ = ["located_from_folder"]

KIND = "located"
FIELDS = {"system": str, "base": str, "locator": str, "calibration": dict, "notes": dict}


def located_from_folder(folder: Path, settings: Mapping[str, Any]) -> System:
    """Make a system from the settings in a folder's ``system.json``.

    Everything but the locator is the base's: its encoder, re-ranker, distance and attributes.

    Args:
        folder: That of the file.
        settings: ``base`` (name or folder of a system that is not located itself), ``locator``
            (a folder, see `locator_from_folder`), and optionally ``calibration``, without which
            the base's stays, and ``notes`` (anything; for people). Relative folders are looked
            for in this one first.

    Raises:
        ModelError: If a setting is missing, unknown or of the wrong type, or the base or the
            locator cannot be loaded.
    """
    from snapshelf.locating.locator_folder import locator_from_folder

    file = folder / "system.json"
    for needed in ("base", "locator"):
        check_settings(file, settings, FIELDS, needed=needed)
    if not settings["locator"]:
        raise ModelError(f"{file}: locator must be the folder of a locator, got ''")
    base = load_base(file, settings["base"], KIND)
    beside = folder / settings["locator"]
    # False, not an error, for any odd name.
    place = beside if os.path.isdir(beside) else Path(settings["locator"])
    locator = locator_from_folder(place)
    given = "calibration" in settings
    calibration = read_calibration(file, settings) if given else base.calibration
    return replace(base, name=str(folder), locator=locator, calibration=calibration)
