"""What systems share that put something on top of another system's embeddings."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snapshelf.errors import DatasetError, ModelError
from snapshelf.features.encoder import Domain
from snapshelf.systems.folder_settings import read_kind
from snapshelf.systems.system import System

__all__ = ["embed_pictures_of", "load_base"]


def load_base(file: Path, name: str, kind: str) -> System:
    """Load the system that is wrapped: beside ``system.json``, or wherever it is.

    Args:
        file: The wrapping system's ``system.json``, there or yet to be written.
        name: Name or folder of the base; a relative folder is looked for beside the file first.
        kind: What the wrapping system is, such as ``whitened``; the base must be something else.

    Raises:
        ModelError: If the base is of the same kind or cannot be loaded.
    """
    from snapshelf.systems.registry import load_system, models_folder

    beside = file.parent / name
    for folder in (beside, Path(name), models_folder() / name):
        # Found out before it is loaded, since a base may lead back to this very system.
        if _kind(folder) == kind:
            raise ModelError(f"{file}: the base must not be a {kind} system itself, got {name!r}")
    return load_system(name if _kind(beside) is None else beside)


def embed_pictures_of(
    system: System, pictures: Sequence[Path], domain: Domain
) -> NDArray[np.float32]:
    """Embed the likeliest region of each picture.

    Args:
        system: Its locator and encoder are used.
        pictures: Files, at least one.
        domain: The side that they come from.

    Returns:
        (N, D) float32, L2-normalised.

    Raises:
        DatasetError: If a picture cannot be read.
    """
    from snapshelf.features.pipeline import embed_pictures
    from snapshelf.media import RGB, decode_picture
    from snapshelf.media.picture_file import read_picture_file

    def read(path: Path) -> RGB:
        return decode_picture(read_picture_file(path))

    found = embed_pictures(
        pictures, read, locator=system.locator, encoder=system.encoder, domain=domain
    )
    rows = []
    for picture in found:
        if picture.error is not None:
            raise DatasetError(f"{picture.key}: {picture.error}")
        rows.append(picture.embeddings[0])
    return np.stack(rows)


def _kind(folder: Path) -> Any:
    """Give what a folder's ``system.json`` says it is; None where that cannot be read."""
    try:
        return read_kind(folder / "system.json")[0]
    except ModelError:
        return None
