"""Putting a fitted confidence into a system's folder, for every search from then on."""

import json
from dataclasses import asdict
from pathlib import Path

from snapshelf.errors import ModelError
from snapshelf.matching.confidence import Calibration
from snapshelf.systems.folder_settings import read_kind
from snapshelf.systems.system import System
from snapshelf.whole_file import write_whole

__all__ = ["check_writable", "write_calibration"]


def check_writable(system: System) -> Path:
    """Refuse a system that has no folder of its own, or whose folder can hold no calibration.

    Args:
        system: Loaded by name or folder.

    Returns:
        Its ``system.json``.

    Raises:
        ModelError: Says why not, and what to do.
    """
    folder = Path(system.name)
    file = folder / "system.json"
    # One that comes with the package has a name, even where a folder of that name is about.
    if not (folder.is_absolute() and file.is_file()):
        raise ModelError(
            f"the system {system.name!r} has no folder to write a calibration to: it comes with "
            "the package; give the folder of a system"
        )
    _loaded_with(file, system.calibration)
    return file


def write_calibration(system: System, calibration: Calibration) -> Path:
    """Write a calibration into the ``system.json`` that a system was loaded from.

    Every other setting stays, and so does the fingerprint: shelves that were indexed with the
    system go on, and their confidences are the new ones once it is loaded again. The file is
    there whole, with the old calibration or the new one, whenever the process ends.

    Args:
        system: Loaded from a folder.
        calibration: Similarities to confidences.

    Returns:
        The file.

    Raises:
        ModelError: If the system has no folder of its own, or a system of its kind would not
            read the calibration; nothing is written then.
        OSError: If the file cannot be written.
    """
    file = check_writable(system)
    settings = _loaded_with(file, calibration)
    write_whole(file, (json.dumps(settings, indent=2) + "\n").encode())
    return file


def _loaded_with(file: Path, calibration: Calibration) -> dict[str, object]:
    """Give a folder's settings with another calibration, once a system was made of them."""
    from snapshelf.systems.registry import FOLDER_SYSTEMS

    kind, held = read_kind(file)
    settings = {**held, "calibration": asdict(calibration)}
    made = FOLDER_SYSTEMS[kind](file.parent, settings)
    if made.calibration != calibration:
        raise ModelError(
            f"{file}: {calibration} would be read as {made.calibration}; no calibration was written"
        )
    return settings
