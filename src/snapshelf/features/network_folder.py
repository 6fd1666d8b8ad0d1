"""A trained `EmbeddingNetwork` as a folder: ``network.safetensors`` and ``system.json``.

Loading reads tensors and JSON, and runs no code from the folder.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from snapshelf.features.backbones import create_backbone
from snapshelf.features.described_settings import (
    Classes,
    check_choice,
    check_kinds,
    check_lengths,
    classes_from_json,
    classes_to_json,
)
from snapshelf.features.embedding_network import BATCH_NORMS, BatchNorm, EmbeddingNetwork
from snapshelf.features.network_weights import load_network_weights, write_network_weights
from snapshelf.features.pooling import POOLINGS
from snapshelf.features.preprocessing import Preprocessing
from snapshelf.features.torch_extra import torch_extra
from snapshelf.features.weights import file_digest
from snapshelf.whole_file import write_whole

with torch_extra():
    from torch import nn

__all__ = ["NETWORK_FILE", "NetworkDescription", "load_network", "save_network"]

NETWORK_FILE = "network.safetensors"
SYSTEM_FILE = "system.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkDescription:
    """Everything besides the weights that makes a network, as ``system.json`` holds it.

    Attributes:
        backbone: A name that `create_backbone` takes.
        options: Its keyword arguments, as JSON can hold them.
        pooling: A name of `POOLINGS`.
        normalised: Whether pooled features are L2-normalised before the embedding.
        dimension: Length D of the embedding.
        batch_norm: What became of the batch norms in training.
        preprocessing: How pictures become inputs.
        mirrored: Whether the embedding of a picture's mirror image is added to its own, see
            `Mirrored`.
        attributes: The classes of each attribute that the network predicts, by its name: each
            class is a level-1 group and a level-2 value.
    """

    backbone: str
    options: Mapping[str, Any] = field(default_factory=dict)
    pooling: str = "gap"
    normalised: bool = False
    dimension: int = 512
    batch_norm: BatchNorm = "fold"
    preprocessing: Preprocessing
    mirrored: bool = False
    attributes: Classes = field(default_factory=dict)

    def build(self, backbone: nn.Module | None = None) -> EmbeddingNetwork:
        """Make the network with random weights.

        Args:
            backbone: One to build on, with its own weights; None for a new one.

        Raises:
            ModelError: If the backbone is unknown or does not take the inputs.
        """
        return EmbeddingNetwork(
            create_backbone(self.backbone, self.options) if backbone is None else backbone,
            size=self.preprocessing.size,
            pooling=self.pooling,
            normalised=self.normalised,
            dimension=self.dimension,
            batch_norm=self.batch_norm,
            attributes=[len(classes) for classes in self.attributes.values()],
        )

    def to_dict(self) -> dict[str, Any]:
        """Give the attributes as values that JSON can hold."""
        return {
            "backbone": self.backbone,
            "options": dict(self.options),
            "pooling": self.pooling,
            "normalised": self.normalised,
            "dimension": self.dimension,
            "batch_norm": self.batch_norm,
            "preprocessing": self.preprocessing.to_dict(),
            "mirrored": self.mirrored,
            "attributes": classes_to_json(self.attributes),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], file: Path) -> "NetworkDescription":
        """Read back what `to_dict` gave.

        Args:
            values: As read from JSON.
            file: Where they come from, for the errors.

        Raises:
            ModelError: If a setting is missing, unknown, or cannot be used.
        """
        check_kinds(file, values, KINDS)
        check_choice(file, values, "pooling", POOLINGS)
        check_choice(file, values, "batch_norm", BATCH_NORMS)
        check_lengths(file, values, "dimension")
        return cls(
            backbone=values["backbone"],
            options=values["options"],
            pooling=values["pooling"],
            normalised=values["normalised"],
            dimension=values["dimension"],
            batch_norm=values["batch_norm"],
            preprocessing=Preprocessing.from_dict(values["preprocessing"]),
            mirrored=values["mirrored"],
            attributes=classes_from_json(file, values["attributes"]),
        )


KINDS: Mapping[str, type] = {
    "backbone": str,
    "options": dict,
    "pooling": str,
    "normalised": bool,
    "dimension": int,
    "batch_norm": str,
    "preprocessing": dict,
    "mirrored": bool,
    "attributes": dict,
}


def save_network(
    folder: Path,
    network: EmbeddingNetwork,
    description: NetworkDescription,
    *,
    system: str,
    notes: Mapping[str, Any],
    locator: str | None = None,
) -> None:
    """Write a network into a folder; whole or not at all, and the settings last.

    Args:
        folder: Made if it isn't there; files of the same names are replaced.
        network: As `NetworkDescription.build` makes it, trained.
        description: Of that network.
        system: The system's name.
        notes: What else ``system.json`` shall say, as JSON can hold it; nothing reads it.
        locator: The folder within this one that holds the system's locator; None if it has none.
    """
    folder.mkdir(parents=True, exist_ok=True)
    write_network_weights(folder / NETWORK_FILE, network)
    located = {} if locator is None else {"locator": locator}
    settings = {"system": system, **description.to_dict(), **located, "notes": dict(notes)}
    write_whole(folder / SYSTEM_FILE, (json.dumps(settings, indent=2) + "\n").encode())


def load_network(
    folder: Path, settings: Mapping[str, Any]
) -> tuple[EmbeddingNetwork, NetworkDescription, str]:
    """Read a network back.

    Args:
        folder: Where the files lie.
        settings: What ``system.json`` holds, without ``system`` and whatever is the system's own.

    Returns:
        The network in evaluation mode, its description, and a hex digest of all that decides an
        embedding: the weights' bytes and every setting but the attributes' names.

    Raises:
        ModelError: If a setting is missing, unknown or cannot be used, or the weights are missing,
            damaged, or do not fit.
    """
    file = folder / SYSTEM_FILE
    description = NetworkDescription.from_dict(settings, file)
    weights = folder / NETWORK_FILE
    network = load_network_weights(weights, description.build, file)
    identity = {**description.to_dict(), "weights": file_digest(weights)}
    del identity["attributes"]
    digest = hashlib.blake2b(json.dumps(identity, sort_keys=True).encode(), digest_size=16)
    return network, description, digest.hexdigest()
