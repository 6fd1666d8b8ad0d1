"""A system's folder inside another's: what it is loaded from, without what its training left."""

import json
import shutil
from pathlib import Path

from snapshelf.errors import ModelError
from snapshelf.systems.folder_settings import read_kind
from snapshelf.systems.system import System
from snapshelf.whole_file import write_whole

__all__ = ["copy_system"]

LEFTOVERS = ("checkpoints", "pictures", "log.csv", "training.json", "*.partial")
"""What trainings leave in a folder, and no system is loaded from."""

BASE = "base"
"""The folder that a copied system's own base is copied to."""


def copy_system(system: System, target: Path) -> str:
    """Copy the folder that a system was loaded from, with those that it is based on.

    Args:
        system: Loaded by name or folder.
        target: The folder to make, in one that is there. One that is there already stays as it
            is: it was made whole or not at all.

    Returns:
        What the system is loaded by from beside `target`: its name where it has no folder, because
        it comes with the package, else the name of `target`.

    Raises:
        ModelError: If a ``system.json`` cannot be read, or a base cannot be loaded.
        OSError: If a file cannot be read or written.
    """
    source = Path(system.name)
    if not (source.is_absolute() and (source / "system.json").is_file()):
        return system.name
    if not target.is_dir():
        _copy(source, target)
    return target.name


def _copy(source: Path, target: Path) -> None:
    _, settings = read_kind(source / "system.json")
    partial = target.with_name(f"{target.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    shutil.copytree(source, partial, ignore=shutil.ignore_patterns(*LEFTOVERS))
    base = settings.get("base")
    if isinstance(base, str) and (Path(base).is_absolute() or not (source / base).is_dir()):
        if (partial / BASE).exists():
            raise ModelError(f"{source} holds a {BASE!r} that is not its base; rename it")
        values = {**settings, "base": copy_system(System.load(base), partial / BASE)}
        write_whole(partial / "system.json", (json.dumps(values, indent=2) + "\n").encode())
    partial.rename(target)
