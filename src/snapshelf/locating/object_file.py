"""An `ObjectConfidence` in a folder: its classifier as safetensors, all else as JSON.

The backbone's own weights are not copied: they are looked for as they were found in training.
"""

import json
from pathlib import Path
from typing import Literal

import numpy as np

from snapshelf.errors import ModelError
from snapshelf.features.weights import require_weights
from snapshelf.locating.object_confidence import ObjectConfidence
from snapshelf.locating.region_features import region_features
from snapshelf.locating.region_settings import RegionSettings
from snapshelf.tensor_file import read_tensors, write_tensors
from snapshelf.whole_file import write_whole

__all__ = ["OBJECT_FILE", "load_object_confidence", "save_object_confidence"]

CLASSIFIER_FILE = "objectness.safetensors"
OBJECT_FILE = "objectness.json"


def save_object_confidence(folder: Path, confidence: ObjectConfidence) -> None:
    """Write a confidence into a folder, the settings last.

    Args:
        folder: Made if it isn't there; files of the same names are replaced.
        confidence: Trained.

    Raises:
        OSError: If it cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    bias = np.array([confidence.bias], np.float32)
    write_tensors(folder / CLASSIFIER_FILE, {"weights": confidence.weights, "bias": bias})
    settings = {
        "regions": confidence.regions.settings.to_dict(),
        "weights": confidence.regions.weights,
        "features": confidence.regions.fingerprint,
    }
    write_whole(folder / OBJECT_FILE, (json.dumps(settings, indent=2) + "\n").encode())


def load_object_confidence(folder: Path, *, weights: Path | None = None) -> ObjectConfidence:
    """Read a confidence back.

    Args:
        folder: That it was written into.
        weights: The backbone's file; None to look for it as `require_weights` does, or to take
            the published weights where those were used.

    Raises:
        ModelError: If a file is missing, damaged, they do not go together, or the backbone's
            weights are not those of the training.
    """
    file = folder / OBJECT_FILE
    try:
        settings = json.loads(file.read_text(encoding="utf-8"))
        regions, name, print_ = (settings[key] for key in ("regions", "weights", "features"))
        if not isinstance(regions, dict) or not isinstance(name, str):
            raise TypeError("regions must be an object, and weights a name")
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise ModelError(
            f"{file} holds no objectness network: {error}. Copy the folder again, or train anew"
        ) from error
    tensors = read_tensors(folder / CLASSIFIER_FILE)
    found = _named(name, file) if weights is None else weights
    network = region_features(RegionSettings.from_dict(regions), found)
    if network.fingerprint != print_:
        raise ModelError(
            f"{folder} was trained on other weights of {network.settings.backbone} than "
            f"{found}: give those, or train anew"
        )
    try:
        (bias,) = tensors["bias"].tolist()
        return ObjectConfidence(network, tensors["weights"], bias)
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(f"{folder / CLASSIFIER_FILE} holds no classifier: {error}") from error


def _named(name: str, file: Path) -> Path | Literal["hub"]:
    if name == "hub":
        return "hub"
    try:
        return require_weights(name)
    except ValueError as error:
        raise ModelError(f"{file}: weights must be a plain file name: {error}") from error
