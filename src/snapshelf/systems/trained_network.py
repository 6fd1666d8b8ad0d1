"""Systems that are a trained network: a folder with its weights and description.

picture ──► whole picture ──► network ──► L2-normalised, cosine
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from snapshelf.errors import ModelError
from snapshelf.features.encoder import Domain
from snapshelf.locating.whole_picture import WholePicture
from snapshelf.systems.folder_settings import read_calibration, read_kind
from snapshelf.systems.system import System

if TYPE_CHECKING:
    from snapshelf.features.embedding_network import EmbeddingNetwork
    from snapshelf.features.network_folder import NetworkDescription

__all__ = ["network_from_folder", "trained_network"]

OWN_SETTINGS = ("system", "notes", "calibration")
"""What ``system.json`` holds besides the network's description."""

KINDS = ("compact", "mtv")
"""Systems that are such a folder."""


def network_from_folder(folder: Path, settings: Mapping[str, Any]) -> System:
    """Make the system from a folder that `train_mtv` or `train_compact` wrote.

    Args:
        folder: Holds ``network.safetensors``.
        settings: What ``system.json`` holds: the network's description, ``notes``, which nothing
            reads, and optionally ``calibration``.

    Raises:
        ModelError: If a setting is missing, unknown or cannot be used, or the weights don't fit.
    """
    from snapshelf.features.attribute_heads import AttributeHeads
    from snapshelf.features.mirrored import Mirrored
    from snapshelf.features.network_encoder import NetworkEncoder

    calibration = read_calibration(folder / "system.json", settings)
    network, description, fingerprint = _load(folder, settings)
    encoder = NetworkEncoder(
        Mirrored(network) if description.mirrored else network,
        preprocessing=description.preprocessing,
        fingerprint=fingerprint,
    )
    predictor = None
    if description.attributes:
        predictor = AttributeHeads(
            dict.fromkeys(
                Domain, lambda inputs: network.attribute_logits(network.features(inputs))
            ),
            description.attributes,
            description.preprocessing,
        )
    return System(str(folder), WholePicture(), encoder, calibration, predictor=predictor)


def trained_network(folder: Path) -> "tuple[EmbeddingNetwork, NetworkDescription]":
    """Give the network of such a folder alone, to train others with.

    Args:
        folder: As `train_mtv` or `train_compact` wrote it.

    Returns:
        The network in evaluation mode, and its description.

    Raises:
        ModelError: If the folder holds something else, or the network cannot be loaded.
    """
    file = folder / "system.json"
    kind, settings = read_kind(file)
    if kind not in KINDS:
        raise ModelError(
            f"{file}: expected a network that `snapshelf train` made of {' or '.join(KINDS)}, got "
            f"the system {kind!r}"
        )
    network, description, _ = _load(folder, settings)
    return network, description


def _load(
    folder: Path, settings: Mapping[str, Any]
) -> "tuple[EmbeddingNetwork, NetworkDescription, str]":
    from snapshelf.features.network_folder import load_network

    of_network = {name: value for name, value in settings.items() if name not in OWN_SETTINGS}
    return load_network(folder, of_network)
