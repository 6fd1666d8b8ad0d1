"""A deformable part model in a folder: its filters as safetensors, all else as JSON."""

import json
from pathlib import Path

from snapshelf.errors import ModelError
from snapshelf.locating.part_model import PartModel
from snapshelf.tensor_file import read_tensors, write_tensors
from snapshelf.whole_file import write_whole

__all__ = ["PART_MODEL_FILE", "load_part_model", "save_part_model"]

FILTERS_FILE = "part_model.safetensors"
PART_MODEL_FILE = "part_model.json"


def save_part_model(folder: Path, model: PartModel) -> None:
    """Write a model into a folder, the settings last.

    Args:
        folder: Made if it isn't there; files of the same names are replaced.
        model: The model.

    Raises:
        OSError: If it cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    write_tensors(folder / FILTERS_FILE, model.tensors())
    write_whole(folder / PART_MODEL_FILE, (json.dumps(model.settings(), indent=2) + "\n").encode())


def load_part_model(folder: Path) -> PartModel:
    """Read a model back.

    Args:
        folder: That it was written into.

    Raises:
        ModelError: If a file is missing, damaged, or they do not go together.
    """
    file = folder / PART_MODEL_FILE
    try:
        settings = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(
            f"{file} cannot be read as JSON: {error}. Copy the folder again, or train anew"
        ) from error
    tensors = read_tensors(folder / FILTERS_FILE)
    try:
        return PartModel.of(settings, tensors)
    except KeyError as error:
        raise ModelError(f"{folder}: {error} is missing; train the model anew") from error
    except (AttributeError, IndexError, TypeError, ValueError) as error:
        raise ModelError(f"{folder} holds no part model: {error}; train it anew") from error
