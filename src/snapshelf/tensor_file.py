"""Arrays as safetensors files, read and written without torch."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from snapshelf.errors import ModelError
from snapshelf.whole_file import write_whole

__all__ = ["read_tensors", "write_tensors"]

MOST_BYTES = 1 << 30


def read_tensors(path: Path) -> dict[str, NDArray[np.float32]]:
    """Read a file of float32 arrays.

    Args:
        path: The file.

    Returns:
        The arrays by name.

    Raises:
        ModelError: If there is no such file, it is larger than 1 GiB or no whole safetensors
            file, or an array in it is not float32.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        size = path.stat().st_size
        if size > MOST_BYTES:
            raise ModelError(f"{path} has {size:,} bytes, expected at most {MOST_BYTES:,}")
        tensors = load(path.read_bytes())
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror}") from error
    # A type that NumPy lacks is a KeyError in safetensors.
    except (SafetensorError, KeyError, ValueError) as error:
        raise ModelError(
            f"{path} cannot be read as safetensors: {error}. Copy the file again, or train anew"
        ) from error
    for name, tensor in tensors.items():
        if tensor.dtype != np.float32:
            raise ModelError(f"{path}: {name} must be float32, got {tensor.dtype}")
    return tensors


def write_tensors(path: Path, tensors: Mapping[str, NDArray[np.float32]]) -> None:
    """Write a file that `read_tensors` reads, whole or not at all.

    Args:
        path: The file; its folder must exist.
        tensors: float32 arrays by name.

    Raises:
        OSError: If it cannot be written.
    """
    from safetensors.numpy import save

    write_whole(path, save({name: np.ascontiguousarray(each) for name, each in tensors.items()}))
