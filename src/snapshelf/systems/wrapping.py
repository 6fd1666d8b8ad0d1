"""What systems share that put something on top of another system's embeddings."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from snapshelf.errors import DatasetError, ModelError
from snapshelf.features.encoder import Domain
from snapshelf.media.picture import RGB
from snapshelf.systems.folder_settings import read_kind
from snapshelf.systems.system import System

if TYPE_CHECKING:
    from snapshelf.datasets.training_item import PicturePart
    from snapshelf.features.pipeline import EmbeddedPicture

__all__ = ["embed_and_describe", "embed_pictures_of", "load_base"]


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
    system: System, pictures: Sequence["PicturePart"], domain: Domain
) -> NDArray[np.float32]:
    """Embed the likeliest region of each picture, or of the part of it that shows the product.

    Args:
        system: Its locator and encoder are used.
        pictures: At least one.
        domain: The side that they come from.

    Returns:
        (N, D) float32, L2-normalised.

    Raises:
        DatasetError: If a picture cannot be read.
    """
    return np.stack([each.embeddings[0] for each in _embedded(system, pictures, domain, None)])


def embed_and_describe(
    system: System,
    pictures: Sequence["PicturePart"],
    domain: Domain,
    describe: Callable[[RGB], bytes],
) -> tuple[NDArray[np.float32], list[bytes]]:
    """Embed the same regions as `embed_pictures_of`, and describe them for re-ranking.

    Args:
        system: Its locator and encoder are used.
        pictures: At least one.
        domain: The side that they come from.
        describe: As `Reranker.describe`, of that side.

    Returns:
        (N, D) float32, L2-normalised, and N descriptions.

    Raises:
        DatasetError: If a picture cannot be read.
    """
    rows, descriptions = [], []
    for each in _embedded(system, pictures, domain, describe):
        rows.append(each.embeddings[0])
        descriptions.append(each.descriptions[0])
    return np.stack(rows), descriptions


def _embedded(
    system: System,
    pictures: Sequence["PicturePart"],
    domain: Domain,
    describe: Callable[[RGB], bytes] | None,
) -> "Iterator[EmbeddedPicture[PicturePart]]":
    """Embed pictures one after the other; one that cannot be read is an error."""
    from snapshelf.features.pipeline import crop, embed_pictures
    from snapshelf.media.decode import decode_picture
    from snapshelf.media.picture_file import read_picture_file

    def read(part: "PicturePart") -> RGB:
        path, box = part
        picture = decode_picture(read_picture_file(path))
        return picture if box is None else crop(picture, box)

    found = embed_pictures(
        pictures,
        read,
        locator=system.locator,
        encoder=system.encoder,
        domain=domain,
        describe=describe,
    )
    for picture in found:
        if picture.error is not None:
            raise DatasetError(f"{picture.key[0]}: {picture.error}")
        yield picture


def _kind(folder: Path) -> Any:
    """Give what a folder's ``system.json`` says it is; None where that cannot be read."""
    try:
        return read_kind(folder / "system.json")[0]
    except ModelError:
        return None
