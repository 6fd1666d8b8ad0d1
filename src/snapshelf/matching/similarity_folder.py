"""A trained similarity network as a file: arrays alone, its tree among them."""

from pathlib import Path

from snapshelf.errors import ModelError
from snapshelf.matching.folded_similarity import FoldedSimilarity
from snapshelf.tensor_file import read_tensors, write_tensors

__all__ = ["SIMILARITY_FILE", "load_similarity", "save_similarity"]

SIMILARITY_FILE = "similarity.safetensors"


def save_similarity(folder: Path, similarity: FoldedSimilarity) -> None:
    """Write the network.

    Args:
        folder: There already.
        similarity: Its weights are written.

    Raises:
        OSError: If it cannot be written.
    """
    write_tensors(folder / SIMILARITY_FILE, similarity.tensors())


def load_similarity(folder: Path) -> FoldedSimilarity:
    """Read the network.

    Args:
        folder: Where its file lies.

    Raises:
        ModelError: If the file is missing, damaged, or of no such network.
    """
    path = folder / SIMILARITY_FILE
    try:
        return FoldedSimilarity.from_tensors(read_tensors(path))
    except ValueError as error:
        raise ModelError(f"{path} is no similarity network: {error}") from error
