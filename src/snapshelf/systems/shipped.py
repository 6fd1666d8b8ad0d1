"""`standard`: the compact encoder, as it comes with the package; it needs no PyTorch.

picture ──► whole picture ──► network in ONNX Runtime ──► hubness correction ──► cosine
"""

import dataclasses
from importlib.resources import as_file, files

from snapshelf.errors import ModelError
from snapshelf.systems.system import System

__all__ = ["shipped"]


def shipped(folder: str, name: str) -> System:
    """Load a system that comes with the package.

    Args:
        folder: Of ``snapshelf/models``; `recipes/ship.py` writes it.
        name: That the system goes by.

    Raises:
        ModelError: If this installation lacks it.
    """
    from snapshelf.systems.registry import load_system

    with as_file(files("snapshelf") / "models" / folder) as place:
        if not (place / "system.json").is_file():
            raise ModelError(
                f"the model {name!r} is missing from this installation of snapshelf: there is no "
                f"{place / 'system.json'}; install snapshelf again, or choose another system"
            )
        return dataclasses.replace(load_system(place), name=name)
