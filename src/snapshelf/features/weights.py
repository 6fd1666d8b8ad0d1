"""Where the weights of backbones come from: files in known folders, read without running code."""

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

from platformdirs import user_data_path

from snapshelf.errors import ModelError
from snapshelf.features.torch_extra import torch_extra

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["file_digest", "find_weights", "load_safetensors", "require_weights", "weights_folders"]


def weights_folders() -> tuple[Path, ...]:
    """Give the folders that are looked in for weights, in order.

    They are those of the environment variable SNAPSHELF_WEIGHTS (several are separated as in
    PATH), then ``weights`` in the folder SNAPSHELF_DATA, then ``weights`` in the user's own
    folder for snapshelf.
    """
    named = os.environ.get("SNAPSHELF_WEIGHTS", "").split(os.pathsep)
    folders = [Path(folder) for folder in named if folder]
    if data := os.environ.get("SNAPSHELF_DATA"):
        folders.append(Path(data) / "weights")
    folders.append(user_data_path("snapshelf", appauthor=False) / "weights")
    return tuple(folders)


def find_weights(file_name: str) -> Path | None:
    """Look for a weights file in `weights_folders`.

    Args:
        file_name: The plain name of the file, without a folder.

    Returns:
        The first file of that name, or None.

    Raises:
        ValueError: If the name is empty or has a folder in it.
    """
    if file_name in ("", "..") or Path(file_name).name != file_name or "\\" in file_name:
        raise ValueError(f"file_name must be a plain file name, got {file_name!r}")
    for folder in weights_folders():
        path = folder / file_name
        if path.is_file():
            return path
    return None


def require_weights(file_name: str) -> Path:
    """Find a weights file or say everything that is needed to give it.

    Args:
        file_name: The plain name of the file, without a folder.

    Raises:
        ModelError: If it is in none of the folders; names them and the ways to give it.
        ValueError: If the name is empty or has a folder in it.
    """
    path = find_weights(file_name)
    if path is None:
        places = ", ".join(str(folder) for folder in weights_folders())
        raise ModelError(
            f"the weights file {file_name} was not found; looked in: {places}. "
            "Put it into one of these folders, or set SNAPSHELF_WEIGHTS to the folder it is in"
        )
    return path


def load_safetensors(path: Path) -> "dict[str, Tensor]":
    """Read every tensor of a safetensors file.

    Args:
        path: The file.

    Returns:
        Tensors on the CPU, of the types that the file holds, by name.

    Raises:
        ModelError: If there is no such file or it is no whole safetensors file.
    """
    with torch_extra():
        from safetensors import SafetensorError
        from safetensors.torch import load_file
    if not path.is_file():
        raise ModelError(f"there is no weights file at {path}; expected a .safetensors file")
    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise ModelError(
            f"{path} cannot be read as safetensors: {error}. Copy or download the file again; "
            "a pickled checkpoint (.pt, .pth, .bin) has to be saved as safetensors first"
        ) from error


def file_digest(path: Path) -> str:
    """Give the hex digest of a file's bytes.

    Args:
        path: The file.

    Raises:
        ModelError: If it cannot be read.
    """
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16))
    except OSError as error:
        raise ModelError(f"the weights file {path} cannot be read: {error}") from error
    return digest.hexdigest()
