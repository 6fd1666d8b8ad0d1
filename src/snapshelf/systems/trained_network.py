"""Systems that are a trained network: a folder with its weights and description.

picture ──► whole picture ──► network ──► L2-normalised, cosine
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from snapshelf.locating.whole_picture import WholePicture
from snapshelf.systems.folder_settings import read_calibration
from snapshelf.systems.system import System

__all__ = ["network_from_folder"]

OWN_SETTINGS = ("system", "notes", "calibration")
"""What ``system.json`` holds besides the network's description."""


def network_from_folder(folder: Path, settings: Mapping[str, Any]) -> System:
    """Make the system from a folder that `train_mtv` or `train_compact` wrote.

    Args:
        folder: Holds ``network.safetensors``.
        settings: What ``system.json`` holds: the network's description, ``notes``, which nothing
            reads, and optionally ``calibration``.

    Raises:
        ModelError: If a setting is missing, unknown or cannot be used, or the weights don't fit.
    """
    from snapshelf.features.network_encoder import NetworkEncoder
    from snapshelf.features.network_folder import load_network

    calibration = read_calibration(folder / "system.json", settings)
    of_network = {name: value for name, value in settings.items() if name not in OWN_SETTINGS}
    network, description, fingerprint = load_network(folder, of_network)
    encoder = NetworkEncoder(
        network, preprocessing=description.preprocessing, fingerprint=fingerprint
    )
    return System(str(folder), WholePicture(), encoder, calibration)
