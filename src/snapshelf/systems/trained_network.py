"""Systems that are a trained network: a folder with its weights and description.

picture ──► whole picture ──► network ──► L2-normalised, cosine

With a locator in the folder:

picture ──► plain border? the whole, else the locator's regions ──► network ──► ...
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from snapshelf.errors import ModelError
from snapshelf.features.encoder import Domain
from snapshelf.locating.locator import Locator
from snapshelf.locating.whole_picture import WholePicture
from snapshelf.systems.folder_settings import file_setting, read_calibration, read_kind
from snapshelf.systems.system import System

if TYPE_CHECKING:
    from snapshelf.features.embedding_network import EmbeddingNetwork
    from snapshelf.features.network_folder import NetworkDescription

__all__ = ["network_from_folder", "trained_network"]

OWN_SETTINGS = ("system", "notes", "calibration", "locator")
"""What ``system.json`` holds besides the network's description."""

KINDS = ("compact", "mtv")
"""Systems that are such a folder."""


def network_from_folder(folder: Path, settings: Mapping[str, Any]) -> System:
    """Make the system from a folder that `train_mtv` or `train_compact` wrote.

    Args:
        folder: Holds ``network.safetensors``.
        settings: What ``system.json`` holds: the network's description, ``notes``, which nothing
            reads, and optionally ``calibration``, and ``locator``, the name of a folder in this one
            (see `locator_from_folder`).

    Raises:
        ModelError: If a setting is missing, unknown or cannot be used, the weights don't fit, or
            the locator cannot be loaded.
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
    locator = _locator(folder, settings)
    return System(str(folder), locator, encoder, calibration, predictor=predictor)


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


def _locator(folder: Path, settings: Mapping[str, Any]) -> Locator:
    if "locator" not in settings:
        return WholePicture()
    from snapshelf.locating.locator_folder import locator_from_folder

    file = folder / "system.json"
    if not isinstance(settings["locator"], str):
        raise ModelError(f"{file}: locator must be a str, got {settings['locator']!r}")
    return locator_from_folder(file_setting(file, settings, "locator"))


def _load(
    folder: Path, settings: Mapping[str, Any]
) -> "tuple[EmbeddingNetwork, NetworkDescription, str]":
    from snapshelf.features.network_folder import load_network

    of_network = {name: value for name, value in settings.items() if name not in OWN_SETTINGS}
    return load_network(folder, of_network)
