"""`standard` and `compact`: the systems that come with the package and need no PyTorch.

picture ──► whole picture ──► network in ONNX Runtime ──► hubness correction ──► `compact`
                  └──────────► key points ──► verified ──► `standard`
"""

import dataclasses
from importlib.resources import as_file, files

from snapshelf.errors import ModelError
from snapshelf.systems.system import System

__all__ = ["shipped"]


def shipped(name: str) -> System:
    """Load a system that comes with the package.

    Args:
        name: Of the system, and of its folder in ``snapshelf/models``; `recipes/ship.py` writes
            it.

    Raises:
        ModelError: If this installation lacks it.
    """
    from snapshelf.systems.registry import load_system

    with as_file(files("snapshelf") / "models" / name) as place:
        if not (place / "system.json").is_file():
            raise ModelError(
                f"the model {name!r} is missing from this installation of snapshelf: there is no "
                f"{place / 'system.json'}; install snapshelf again, or choose another system"
            )
        return dataclasses.replace(load_system(place), name=name)
